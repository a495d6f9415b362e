package org.backplane.web.access;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.EnumSet;
import java.util.Set;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The secret that opens the web page: 256 random bits as text, in a file of the run folder that
 * only its owner reads. It lives as long as that file, which is longer than this bundle. Immutable.
 */
public final class Token {
    private static final int BYTES = 32;
    private static final Pattern FORM = Pattern.compile("[A-Za-z0-9_-]{43}");
    private static final String ALGORITHM = "HmacSHA256";

    private final String text;

    private Token(String text) {
        this.text = text;
    }

    /**
     * The token of a file, which is made if it is not there.
     *
     * @throws IOException with a sentence: it cannot be made, or is not as it was made
     */
    public static Token of(Path file) throws IOException {
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            byte[] random = new byte[BYTES];
            new SecureRandom().nextBytes(random);
            var made = new Token(Base64.getUrlEncoder().withoutPadding().encodeToString(random));
            writeForOwner(file, made.text);
            return made;
        }
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                || !PosixFilePermissions.toString(Files.getPosixFilePermissions(file))
                        .equals("rw-------")) {
            throw new IOException(
                    "'%s' is no file of mode 0600: remove it, and a token is made anew"
                            .formatted(file));
        }
        String text = Files.readString(file).strip();
        if (!FORM.matcher(text).matches()) {
            throw new IOException(
                    "'%s' holds no token: remove it, and one is made anew".formatted(file));
        }
        return new Token(text);
    }

    /** Makes a file, or writes it over, that only its owner reads, from its first byte on. */
    public static void writeForOwner(Path file, String line) throws IOException {
        Files.deleteIfExists(file);
        var options = EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        var mode =
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        try (var channel = Files.newByteChannel(file, Set.copyOf(options), mode)) {
            channel.write(StandardCharsets.US_ASCII.encode(line + "\n"));
        }
    }

    public String text() {
        return text;
    }

    /** Whether it is the same; how long that takes tells nothing of where they differ. */
    public boolean matches(String given) {
        return MessageDigest.isEqual(seal("token", text), seal("token", given));
    }

    /**
     * A code for something that only who knows the token could have made.
     *
     * @param purpose keeps codes for one thing from being used for another
     */
    public byte[] seal(String purpose, String content) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(text.getBytes(StandardCharsets.US_ASCII), ALGORITHM));
            return mac.doFinal((purpose + "\0" + content).getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException | InvalidKeyException e) {
            throw new IllegalStateException("every Java has " + ALGORITHM, e);
        }
    }

    @Override
    public String toString() {
        return "a token";
    }
}
