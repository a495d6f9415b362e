package org.backplane.launcher.trust;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.security.CodeSigner;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Whether trusted certificates' owners signed all of a jar. The JDK verifies (JAR File
 * Specification, "Signed JAR File"); here is looked after what it lets pass: entries that are not
 * signed, that were signed and are gone, and a manifest whose main attributes, which are the
 * bundle's headers, no signature covers.
 */
final class SignedJar {
    /** What carries signatures and is not signed itself; everything else has to be. */
    private static final Pattern SIGNATURE = Pattern.compile("META-INF/[^/]+\\.(SF|RSA|DSA|EC)");

    private static final Pattern SIGNATURE_FILE = Pattern.compile("META-INF/[^/]+\\.SF");
    private static final Pattern MANIFEST_COVERED =
            Pattern.compile("SHA-(256|384|512)-Digest-Manifest-Main-Attributes");

    private final JarFile jar;
    private final Map<String, ZipEntry> entries;

    private SignedJar(JarFile jar) throws IOException {
        this.jar = jar;
        this.entries = JarContents.entries(jar);
    }

    /**
     * Why a jar is not admitted, as a clause; empty if all of it is signed by one of the
     * certificates.
     */
    static Optional<String> refusal(Path file, List<TrustedCertificate> trusted, Instant now) {
        // Without a version: all entries as they are, those for newer versions of Java among them.
        try (JarFile jar = new JarFile(file.toFile(), true, ZipFile.OPEN_READ)) {
            return new SignedJar(jar).refusal(trusted, now);
        } catch (SecurityException e) {
            return Optional.of("it is not what was signed: " + clause(e));
        } catch (IOException | RuntimeException e) {
            return Optional.of("it is no whole jar: " + clause(e));
        }
    }

    private static String clause(Exception e) {
        return String.valueOf(e.getMessage()).replaceAll("\\.+$", "");
    }

    private Optional<String> refusal(List<TrustedCertificate> trusted, Instant now)
            throws IOException {
        if (entries.keySet().stream().noneMatch(SIGNATURE_FILE.asMatchPredicate())) {
            return Optional.of("it is not signed");
        }
        Manifest manifest = jar.getManifest();
        if (manifest == null || !entries.containsKey(JarFile.MANIFEST_NAME)) {
            return Optional.of("it has no manifest");
        }
        Set<TrustedCertificate> signers = new LinkedHashSet<>(trusted);
        Set<String> others = new TreeSet<>();
        for (String name : entries.keySet()) {
            if (name.equals(JarFile.MANIFEST_NAME) || SIGNATURE.matcher(name).matches()) {
                continue;
            }
            CodeSigner[] found = signers(name);
            if (found == null) {
                return Optional.of(unsigned(name, manifest));
            }
            Set<X509Certificate> theirs = certificates(found);
            signers.removeIf(signer -> !theirs.contains(signer.certificate()));
            theirs.forEach(other -> others.add(other.getSubjectX500Principal().getName()));
        }
        return missing(manifest)
                .or(this::uncoveredManifest)
                .or(
                        () ->
                                others.isEmpty()
                                        ? Optional.of("it holds nothing but a manifest")
                                        : Optional.empty())
                .or(() -> unknown(signers, others))
                .or(() -> invalid(signers, now));
    }

    private CodeSigner[] signers(String name) throws IOException {
        JarEntry entry = jar.getJarEntry(name);
        // The signers are known when all of it was read.
        try (InputStream in = jar.getInputStream(entry)) {
            in.transferTo(OutputStream.nullOutputStream());
        }
        return entry.getCodeSigners();
    }

    /** The signers' own; who issued them does not matter. */
    private static Set<X509Certificate> certificates(CodeSigner[] signers) {
        Set<X509Certificate> certificates = new LinkedHashSet<>();
        for (CodeSigner signer : signers) {
            certificates.add((X509Certificate) signer.getSignerCertPath().getCertificates().get(0));
        }
        return certificates;
    }

    private static String unsigned(String name, Manifest manifest) {
        return manifest.getAttributes(name) == null
                ? "its entry '" + name + "' is not signed"
                : "its entry '" + name + "' has no signature that this Java accepts";
    }

    /** Names with a section that are there no more. */
    private Optional<String> missing(Manifest manifest) {
        return manifest.getEntries().keySet().stream()
                .filter(name -> !name.endsWith("/") && !entries.containsKey(name))
                .findFirst()
                .map(name -> "its entry '" + name + "', which was signed, is missing");
    }

    /** The JDK compares the digest of the main attributes if a signature file has one. */
    private Optional<String> uncoveredManifest() {
        for (String name : entries.keySet()) {
            if (SIGNATURE_FILE.matcher(name).matches()) {
                try (InputStream in = jar.getInputStream(jar.getJarEntry(name))) {
                    Attributes attributes = new Manifest(in).getMainAttributes();
                    if (attributes.keySet().stream()
                            .map(Object::toString)
                            .noneMatch(MANIFEST_COVERED.asMatchPredicate())) {
                        return Optional.of(
                                "its signature '"
                                        + name
                                        + "' does not cover the manifest's headers by SHA-256 or more");
                    }
                } catch (IOException e) {
                    return Optional.of("its signature '" + name + "' cannot be read");
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<String> unknown(Set<TrustedCertificate> signers, Set<String> others) {
        return signers.isEmpty()
                ? Optional.of(
                        "its signer ("
                                + String.join("; ", others)
                                + ") is not the owner of a certificate there")
                : Optional.empty();
    }

    /** Time stamps do not help: what their authority is worth nobody here says. */
    private static Optional<String> invalid(Set<TrustedCertificate> signers, Instant now) {
        Optional<String> reason = Optional.empty();
        for (TrustedCertificate signer : signers) {
            Optional<String> invalid = signer.invalid(now);
            if (invalid.isEmpty()) {
                return Optional.empty();
            }
            reason =
                    Optional.of(
                            "its signer's certificate '%s' %s"
                                    .formatted(signer.file().getFileName(), invalid.get()));
        }
        return reason;
    }
}
