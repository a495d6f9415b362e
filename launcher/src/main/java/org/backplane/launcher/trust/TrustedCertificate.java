package org.backplane.launcher.trust;

import java.nio.file.Path;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.Optional;

/** A certificate that an operator put into the folder of {@code --trust}. */
record TrustedCertificate(Path file, X509Certificate certificate) {
    /** Why nothing is admitted by it at a time; empty within its validity. */
    Optional<String> invalid(Instant now) {
        try {
            certificate.checkValidity(Date.from(now));
            return Optional.empty();
        } catch (CertificateExpiredException e) {
            return Optional.of("expired on " + certificate.getNotAfter().toInstant());
        } catch (CertificateNotYetValidException e) {
            return Optional.of("is not valid before " + certificate.getNotBefore().toInstant());
        }
    }
}
