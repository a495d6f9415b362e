package org.backplane.launcher.trust;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SignedJarTest {
    private static final String CODE = "org/acme/Card.class";

    @TempDir static Path keys;
    private static Signer vendor;
    private static Signer stranger;
    private static Signer expired;

    @TempDir Path folder;
    private Path jar;

    @BeforeAll
    static void makeKeys() throws Exception {
        vendor = Signer.named(keys, "vendor", "-keyalg", "EC");
        stranger = Signer.named(keys, "stranger", "-keyalg", "RSA", "-keysize", "2048");
        expired =
                Signer.named(
                        keys, "expired", "-keyalg", "EC", "-startdate", "-10d", "-validity", "3");
    }

    @BeforeEach
    void makeJar() throws IOException {
        jar =
                JarEdit.bundle("org.acme.card", "1.0.0", "Bundle-Activator: org.acme.Card")
                        .with(CODE, "code")
                        .with("META-INF/versions/17/" + CODE, "newer code")
                        .with("lib/nested.jar", "nested")
                        .with("META-INF/services/org.acme.Card", "org.acme.Card")
                        .write(folder.resolve("card.jar"));
    }

    private static List<TrustedCertificate> trust(Signer... signers) {
        return java.util.Arrays.stream(signers)
                .map(
                        signer ->
                                new TrustedCertificate(
                                        Path.of(signer.name() + ".pem"),
                                        (X509Certificate) signer.key().getCertificate()))
                .toList();
    }

    private Optional<String> refusal() {
        return SignedJar.refusal(jar, trust(vendor), Instant.now());
    }

    private void assertRefused(String reason) {
        String refusal = refusal().orElse("admitted");
        assertTrue(refusal.contains(reason), refusal);
    }

    private JarEdit edit() throws IOException {
        return JarEdit.of(jar);
    }

    @Test
    void admitsWhatTheVendorSigned() throws Exception {
        vendor.sign(jar);
        assertEquals(Optional.empty(), refusal());
    }

    /** The programs that a vendor runs, not their interface for programs. */
    @Test
    void admitsWhatJarsignerSignedWithACertificateFromKeytool() throws Exception {
        Signer.run(
                "jarsigner",
                List.of(
                        "-keystore",
                        vendor.store().toString(),
                        "-storepass",
                        Signer.PASSWORD,
                        jar.toString(),
                        "vendor"));
        byte[] pem = Files.readAllBytes(vendor.certificate(folder.resolve("vendor.pem")));
        X509Certificate certificate =
                (X509Certificate)
                        CertificateFactory.getInstance("X.509")
                                .generateCertificate(new ByteArrayInputStream(pem));
        assertEquals(
                Optional.empty(),
                SignedJar.refusal(
                        jar,
                        List.of(new TrustedCertificate(Path.of("vendor.pem"), certificate)),
                        Instant.now()));
    }

    @Test
    void admitsWhatTwoSignedOfWhomOneIsTrusted() throws Exception {
        stranger.sign(jar);
        vendor.sign(jar);
        assertEquals(Optional.empty(), refusal());
    }

    @Test
    void refusesAnUnsignedJar() {
        assertRefused("it is not signed");
    }

    @Test
    void refusesAStrangersSignatureAndNamesTheStranger() throws Exception {
        stranger.sign(jar);
        assertRefused("its signer (CN=stranger)");
    }

    @Test
    void refusesAnEntryThatWasAdded() throws Exception {
        vendor.sign(jar);
        edit().with("org/acme/More.class", "more").write(jar);
        assertRefused("'org/acme/More.class' is not signed");
    }

    @Test
    void refusesAnEntryForANewerJavaThatWasAdded() throws Exception {
        vendor.sign(jar);
        edit().with("META-INF/versions/11/" + CODE, "more").write(jar);
        assertRefused("'META-INF/versions/11/org/acme/Card.class' is not signed");
    }

    @Test
    void refusesAnAdditionThatLooksLikePartOfASignature() throws Exception {
        vendor.sign(jar);
        edit().with("META-INF/SIG-MORE", "more").write(jar);
        assertRefused("'META-INF/SIG-MORE' is not signed");
    }

    @Test
    void refusesAFileInAPlaceOfSignaturesDeepDown() throws Exception {
        vendor.sign(jar);
        edit().with("META-INF/versions/17/MORE.RSA", "more").write(jar);
        assertRefused("'META-INF/versions/17/MORE.RSA' is not signed");
    }

    @Test
    void refusesAnEntryThatWasChanged() throws Exception {
        vendor.sign(jar);
        edit().with(CODE, "other code").write(jar);
        assertRefused("it is not what was signed");
    }

    @Test
    void refusesANestedJarThatWasChanged() throws Exception {
        vendor.sign(jar);
        edit().with("lib/nested.jar", "other").write(jar);
        assertRefused("it is not what was signed");
    }

    @Test
    void refusesAnEntryThatWasTakenAway() throws Exception {
        vendor.sign(jar);
        edit().without(CODE).write(jar);
        assertRefused("'org/acme/Card.class', which was signed, is missing");
    }

    @Test
    void refusesAHeaderThatWasChanged() throws Exception {
        vendor.sign(jar);
        edit().change(JarEdit.MANIFEST, text -> text.replace("1.0.0", "2.0.0")).write(jar);
        assertRefused("it is not what was signed");
    }

    @Test
    void refusesAHeaderThatWasAdded() throws Exception {
        vendor.sign(jar);
        edit().change(
                        JarEdit.MANIFEST,
                        text -> text.replace("Bundle-ManifestV", "X-More: 1\r\nBundle-ManifestV"))
                .write(jar);
        assertRefused("it is not what was signed");
    }

    /** The JDK verifies entries of such a jar and lets its headers be anything. */
    @Test
    void refusesASignatureThatLeavesTheHeadersOut() throws Exception {
        CarelessSigner.sign(vendor, jar);
        edit().change(JarEdit.MANIFEST, text -> text.replace("1.0.0", "2.0.0")).write(jar);
        try (JarFile verifying = new JarFile(jar.toFile())) {
            JarEntry entry = verifying.getJarEntry(CODE);
            verifying.getInputStream(entry).readAllBytes();
            assertEquals(1, entry.getCodeSigners().length, "the JDK lets it pass");
        }
        assertRefused("does not cover the manifest's headers");
    }

    @Test
    void refusesAJarThatIsSignedInPart() throws Exception {
        vendor.sign(jar);
        edit().with("org/acme/More.class", "more").write(jar);
        stranger.sign(jar);
        assertRefused("is not the owner of a certificate there");
    }

    @Test
    void refusesASignatureWithoutItsBlock() throws Exception {
        vendor.sign(jar);
        edit().without("META-INF/VENDOR.EC").write(jar);
        assertRefused("no signature that this Java accepts");
    }

    @Test
    void refusesASignatureBlockThatIsNone() throws Exception {
        vendor.sign(jar);
        edit().with("META-INF/VENDOR.EC", "no block").write(jar);
        assertTrue(refusal().isPresent());
    }

    @Test
    void refusesTheSameNameTwice() throws Exception {
        vendor.sign(jar);
        byte[] bytes = edit().with("org/acme/Care.class", "twice").bytes();
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        Files.writeString(
                jar, text.replace("org/acme/Care", "org/acme/Card"), StandardCharsets.ISO_8859_1);
        assertRefused("it has two entries 'org/acme/Card.class'");
    }

    @Test
    void refusesASecondManifestUnderAnotherSpelling() throws Exception {
        vendor.sign(jar);
        edit().with("meta-inf/manifest.mf", "Manifest-Version: 1.0\r\n\r\n").write(jar);
        assertRefused(" is not signed");
    }

    @Test
    void refusesAManifestThatOnlyTheJdkFinds() throws Exception {
        vendor.sign(jar);
        byte[] manifest = Signer.read(jar, JarEdit.MANIFEST);
        edit().without(JarEdit.MANIFEST).with("META-INF/manifest.mf", manifest).write(jar);
        assertTrue(refusal().isPresent());
    }

    @Test
    void refusesAnExpiredCertificate() throws Exception {
        expired.sign(jar);
        Optional<String> refusal = SignedJar.refusal(jar, trust(expired), Instant.now());
        assertTrue(refusal.orElse("").contains("'expired.pem' expired on"), refusal::toString);
    }

    @Test
    void refusesACertificateThatIsNotYetValid() throws Exception {
        vendor.sign(jar);
        Optional<String> refusal =
                SignedJar.refusal(jar, trust(vendor), Instant.now().minus(Duration.ofDays(9)));
        assertTrue(refusal.orElse("").contains("is not valid before"), refusal::toString);
    }

    @Test
    void refusesDigestsThatJavaDoesNotAcceptAnyMore() throws Exception {
        Signer.run(
                "jarsigner",
                List.of(
                        "-digestalg",
                        "MD5",
                        "-keystore",
                        vendor.store().toString(),
                        "-storepass",
                        Signer.PASSWORD,
                        jar.toString(),
                        "vendor"));
        assertTrue(refusal().isPresent());
    }

    @Test
    void refusesWhatIsNoJar() throws IOException {
        Files.writeString(jar, "this is no jar");
        assertRefused("it is no whole jar");
    }

    @Test
    void sectionsOfFoldersAreNotMissed() throws Exception {
        Manifest manifest =
                new Manifest(new ByteArrayInputStream(Signer.read(jar, JarEdit.MANIFEST)));
        Attributes sealed = new Attributes();
        sealed.putValue("Sealed", "true");
        manifest.getEntries().put("org/acme/", sealed);
        var bytes = new java.io.ByteArrayOutputStream();
        manifest.write(bytes);
        edit().with(JarEdit.MANIFEST, bytes.toByteArray()).write(jar);
        vendor.sign(jar);
        assertEquals(Optional.empty(), refusal());
    }
}
