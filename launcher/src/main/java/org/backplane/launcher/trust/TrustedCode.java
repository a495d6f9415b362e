package org.backplane.launcher.trust;

import java.util.List;
import java.util.Map;

/**
 * What an operator admits.
 *
 * @param certificates whose owners' signatures admit a jar; nothing that they issued does
 * @param digests of whole jars: SHA-256 in lower-case hexadecimal digits, and the name beside it
 */
record TrustedCode(List<TrustedCertificate> certificates, Map<String, String> digests) {
    TrustedCode {
        certificates = List.copyOf(certificates);
        digests = Map.copyOf(digests);
    }
}
