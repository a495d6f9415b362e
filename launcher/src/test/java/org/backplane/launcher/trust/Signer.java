package org.backplane.launcher.trust;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.KeyStore.PrivateKeyEntry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.ZipFile;
import jdk.security.jarsigner.JarSigner;

/** Somebody with a key of their own, made by the JDK's keytool. */
record Signer(Path store, String name, PrivateKeyEntry key) {
    static final String PASSWORD = "correct horse";

    /**
     * @param options of {@code keytool -genkeypair}: key and validity
     */
    static Signer named(Path folder, String name, String... options) throws Exception {
        Path store = folder.resolve(name + ".p12");
        List<String> words =
                new ArrayList<>(List.of("-genkeypair", "-alias", name, "-dname", "CN=" + name));
        words.addAll(Arrays.asList(options));
        keytool(store, words);
        KeyStore keys = KeyStore.getInstance(store.toFile(), PASSWORD.toCharArray());
        return new Signer(
                store,
                name,
                (PrivateKeyEntry)
                        keys.getEntry(
                                name, new KeyStore.PasswordProtection(PASSWORD.toCharArray())));
    }

    private static void keytool(Path store, List<String> options) throws Exception {
        List<String> words = new ArrayList<>(options);
        words.addAll(
                List.of(
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        PASSWORD,
                        "-storetype",
                        "PKCS12"));
        run("keytool", words);
    }

    /** Runs a program of this JDK. */
    static void run(String program, List<String> words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", program).toString());
        command.addAll(words);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes());
        if (process.waitFor() != 0) {
            throw new IOException(command + ": " + output);
        }
    }

    /** Exports the certificate as a vendor would. */
    Path certificate(Path file) throws Exception {
        keytool(store, List.of("-exportcert", "-rfc", "-alias", name, "-file", file.toString()));
        return file;
    }

    /** Signs a jar in its place. */
    void sign(Path jar) throws IOException, GeneralSecurityException {
        Path signed = Files.createTempFile(jar.getParent(), "signed", ".jar");
        try (ZipFile in = new ZipFile(jar.toFile());
                OutputStream out = Files.newOutputStream(signed)) {
            new JarSigner.Builder(key).signerName(name.toUpperCase()).build().sign(in, out);
        }
        Files.move(signed, jar, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }

    byte[] encoded() throws GeneralSecurityException {
        return key.getCertificate().getEncoded();
    }

    static byte[] read(Path jar, String entry) throws IOException {
        try (ZipFile zip = new ZipFile(jar.toFile());
                InputStream in = zip.getInputStream(zip.getEntry(entry))) {
            return in.readAllBytes();
        }
    }
}
