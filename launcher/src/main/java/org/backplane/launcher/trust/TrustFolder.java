package org.backplane.launcher.trust;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.security.PublicKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.DSAKey;
import java.security.interfaces.ECKey;
import java.security.interfaces.RSAKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.backplane.launcher.folder.Locations;

/**
 * The folder of {@code --trust}: X.509 certificates (PEM or DER) and a list of digests. It is read
 * anew for every jar, so that an operator can admit one more without ending the machine; nothing is
 * admitted while anything in it is wrong.
 */
public record TrustFolder(Path path) {
    static final String DIGESTS = "digests";
    private static final Pattern CERTIFICATE = Pattern.compile(".+\\.(pem|crt|cer|der)");
    private static final int LEAST_RSA_BITS = 2048;
    private static final int LEAST_EC_BITS = 224;

    /**
     * What the folder admits, if nothing is wrong with it.
     *
     * @param wrong is given a clause for everything that is wrong
     */
    Optional<TrustedCode> read(Consumer<String> wrong) {
        List<String> mistakes = new ArrayList<>();
        List<TrustedCertificate> certificates = new ArrayList<>();
        Map<String, String> digests = new HashMap<>();
        if (!Files.isDirectory(path)) {
            wrong.accept("there is no such folder; make it, with certificates in it");
            return Optional.empty();
        }
        try (Stream<Path> listed = Files.list(path)) {
            mistakes.addAll(others(path));
            for (Path file : listed.sorted().toList()) {
                String name = file.getFileName().toString();
                if (name.startsWith(".")) {
                    continue;
                }
                mistakes.addAll(others(file));
                if (name.equals(DIGESTS)) {
                    digests.putAll(digests(file, mistakes));
                } else if (CERTIFICATE.matcher(name).matches() && Files.isRegularFile(file)) {
                    certificates.addAll(certificates(file, mistakes));
                } else {
                    mistakes.add(
                            "'%s' is neither a certificate (.pem, .crt, .cer, .der) nor '%s'; take it out"
                                    .formatted(name, DIGESTS));
                }
            }
        } catch (IOException e) {
            mistakes.add("it cannot be read by this user; change its mode or owner");
        }
        if (mistakes.isEmpty() && certificates.isEmpty() && digests.isEmpty()) {
            mistakes.add("it holds neither a certificate nor a digest; put one there");
        }
        mistakes.forEach(wrong);
        return mistakes.isEmpty()
                ? Optional.of(new TrustedCode(certificates, digests))
                : Optional.empty();
    }

    /** Everything that is wrong with the folder now. */
    public List<String> mistakes() {
        List<String> mistakes = new ArrayList<>();
        read(mistakes::add);
        return mistakes;
    }

    /** Who may write there may admit anything: as sshd does with its keys. */
    private List<String> others(Path file) throws IOException {
        PosixFileAttributes attributes = Files.readAttributes(file, PosixFileAttributes.class);
        Set<PosixFilePermission> permissions = attributes.permissions();
        String what = file.equals(path) ? "it" : "'" + file.getFileName() + "'";
        if (permissions.contains(PosixFilePermission.GROUP_WRITE)
                || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            return List.of(
                    what + " can be written by other users; take that away: chmod go-w " + file);
        }
        int owner = (int) Files.getAttribute(file, "unix:uid");
        if (owner != 0 && owner != Locations.uid()) {
            return List.of(
                    what + " belongs to " + attributes.owner() + "; it has to be yours, or root's");
        }
        return List.of();
    }

    private static Map<String, String> digests(Path file, List<String> mistakes) {
        try {
            return DigestList.read(file);
        } catch (AccessDeniedException e) {
            mistakes.add(unreadable(file));
        } catch (IOException e) {
            mistakes.add(e.getMessage());
        }
        return Map.of();
    }

    private static List<TrustedCertificate> certificates(Path file, List<String> mistakes) {
        List<TrustedCertificate> certificates = new ArrayList<>();
        String name = "'" + file.getFileName() + "'";
        try {
            byte[] bytes = Files.readAllBytes(file);
            if (new String(bytes, StandardCharsets.ISO_8859_1).contains("PRIVATE KEY-----")) {
                mistakes.add(name + " holds a private key; keep that with the one who signs");
                return List.of();
            }
            for (Certificate certificate :
                    CertificateFactory.getInstance("X.509")
                            .generateCertificates(new ByteArrayInputStream(bytes))) {
                X509Certificate x509 = (X509Certificate) certificate;
                weak(x509.getPublicKey())
                        .ifPresent(reason -> mistakes.add("the key of " + name + " is " + reason));
                certificates.add(new TrustedCertificate(file, x509));
            }
            if (certificates.isEmpty()) {
                mistakes.add(name + " holds no certificate; export one: keytool -exportcert -rfc");
            }
        } catch (CertificateException e) {
            mistakes.add(name + " is no X.509 certificate: " + e.getMessage());
        } catch (IOException e) {
            mistakes.add(unreadable(file));
        }
        return certificates;
    }

    private static String unreadable(Path file) {
        return "'%s' cannot be read by this user; change its mode or owner"
                .formatted(file.getFileName());
    }

    /** NIST SP 800-131A: 112 bits of security and more. */
    private static Optional<String> weak(PublicKey key) {
        if (key instanceof RSAKey rsa && rsa.getModulus().bitLength() < LEAST_RSA_BITS) {
            return Optional.of(
                    "RSA of %d bits; %d are the least"
                            .formatted(rsa.getModulus().bitLength(), LEAST_RSA_BITS));
        }
        if (key instanceof ECKey ec && ec.getParams().getOrder().bitLength() < LEAST_EC_BITS) {
            return Optional.of("of a curve with less than " + LEAST_EC_BITS + " bits");
        }
        return key instanceof DSAKey
                ? Optional.of("DSA, which nobody should sign with any more")
                : Optional.empty();
    }
}
