package org.backplane.launcher.trust;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.HexFormat;

/**
 * Signs as tools other than jarsigner may: the entries and not the manifest's headers, which the
 * JAR File Specification leaves to the signer.
 */
final class CarelessSigner {
    private static final int INTEGER = 0x02;
    private static final int OCTETS = 0x04;
    private static final int SEQUENCE = 0x30;
    private static final int SET = 0x31;
    private static final int TAGGED_0 = 0xa0;

    /** Object identifiers of RFC 5652 and RFC 5754, encoded. */
    private static final byte[] SIGNED_DATA = HexFormat.of().parseHex("06092a864886f70d010702");

    private static final byte[] DATA = HexFormat.of().parseHex("06092a864886f70d010701");
    private static final byte[] SHA256 = HexFormat.of().parseHex("0609608648016503040201");
    private static final byte[] ECDSA_SHA256 = HexFormat.of().parseHex("06082a8648ce3d040302");

    private CarelessSigner() {}

    /**
     * Signs a jar in its place.
     *
     * @param signer with an EC key, named vendor
     */
    static void sign(Signer signer, Path jar) throws Exception {
        signer.sign(jar);
        String file = "META-INF/VENDOR.SF";
        JarEdit edit =
                JarEdit.of(jar)
                        .change(
                                file,
                                text ->
                                        text.replaceAll(
                                                "SHA-\\d+-Digest-Manifest[^\\n]*\\n( [^\\n]*\\n)*",
                                                ""));
        edit.write(jar);
        edit.with("META-INF/VENDOR.EC", block(signer, Signer.read(jar, file))).write(jar);
    }

    /** RFC 5652, SignedData without signed attributes and with the content elsewhere. */
    private static byte[] block(Signer signer, byte[] content) throws GeneralSecurityException {
        X509Certificate certificate = (X509Certificate) signer.key().getCertificate();
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(signer.key().getPrivateKey());
        signature.update(content);
        byte[] one = der(INTEGER, new byte[] {1});
        byte[] digestAlgorithm = der(SEQUENCE, SHA256);
        byte[] signerInfo =
                der(
                        SEQUENCE,
                        one,
                        der(
                                SEQUENCE,
                                certificate.getIssuerX500Principal().getEncoded(),
                                der(INTEGER, certificate.getSerialNumber().toByteArray())),
                        digestAlgorithm,
                        der(SEQUENCE, ECDSA_SHA256),
                        der(OCTETS, signature.sign()));
        byte[] signedData =
                der(
                        SEQUENCE,
                        one,
                        der(SET, digestAlgorithm),
                        der(SEQUENCE, DATA),
                        der(TAGGED_0, certificate.getEncoded()),
                        der(SET, signerInfo));
        return der(SEQUENCE, SIGNED_DATA, der(TAGGED_0, signedData));
    }

    private static byte[] der(int tag, byte[]... parts) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            body.writeBytes(part);
        }
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.write(tag);
        if (body.size() < 0x80) {
            whole.write(body.size());
        } else {
            whole.write(0x82);
            whole.write(body.size() >> 8);
            whole.write(body.size());
        }
        whole.writeBytes(body.toByteArray());
        return whole.toByteArray();
    }
}
