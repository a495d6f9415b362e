package org.backplane.web.access;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.backplane.web.Exchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequestRulesTest {
    private final RequestRules rules = new RequestRules("vmhost.example");

    /** The status that a request gets that would be answered with 200. */
    private int status(Exchange exchange) throws Exception {
        boolean[] passed = new boolean[1];
        rules.doFilter(
                exchange.request(), exchange.response(), (request, response) -> passed[0] = true);
        assertEquals(exchange.status == 200, passed[0]);
        return exchange.status;
    }

    private static Exchange to(String host) {
        return new Exchange().with("Host", host);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1:8080",
                "localhost:8080",
                "LOCALHOST",
                "[::1]:8080",
                "192.168.0.7",
                "VMhost.example:80"
            })
    void takesAddressesAndItsOwnNames(String host) throws Exception {
        assertEquals(200, status(to(host)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "evil.example:8080",
                "127.0.0.1.evil.example",
                "localhost.evil.example",
                "vmhost.example.evil",
                "",
                ":8080",
                "[::1",
                "localhost:8080:1",
                "[x]",
                "localhost:evil",
                "127.0.0.1@evil.example"
            })
    void refusesANameThatWasMadeToLeadHere(String host) throws Exception {
        assertEquals(421, status(to(host)));
    }

    @Test
    void refusesWhoNamesNoHost() throws Exception {
        assertEquals(421, status(new Exchange()));
    }

    private static Exchange post() {
        return to("127.0.0.1:8080").with("Cookie", "backplane-8080=x").posting();
    }

    @Test
    void takesWhatItsOwnPagesSend() throws Exception {
        assertEquals(200, status(post().with("Origin", "http://127.0.0.1:8080")));
        assertEquals(200, status(post().with("Referer", "http://127.0.0.1:8080/system/console/x")));
        assertEquals(200, status(post().with("Sec-Fetch-Site", "same-origin")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Origin: http://evil.example",
                "Origin: null",
                "Origin: http://127.0.0.1:9090",
                "Origin: https://127.0.0.1:8080",
                "Origin: http://127.0.0.1:8080@evil.example",
                "Origin: %%",
                "Referer: http://evil.example/127.0.0.1:8080",
                "Sec-Fetch-Site: cross-site",
                "Sec-Fetch-Site: same-site",
                "Sec-Fetch-Site: none"
            })
    void refusesWhatAnotherPageSends(String header) throws Exception {
        String[] parts = header.split(": ", 2);
        assertEquals(403, status(post().with(parts[0], parts[1])));
    }

    @Test
    void ownOriginDoesNotHelpARequestThatIsCrossSite() throws Exception {
        assertEquals(
                403,
                status(
                        post().with("Origin", "http://127.0.0.1:8080")
                                .with("Sec-Fetch-Site", "cross-site")));
    }

    @Test
    void changeThatSaysNotWhereItComesFromNeedsTheTokenItself() throws Exception {
        assertEquals(403, status(post()));
        assertEquals(200, status(post().with("Authorization", "Bearer x")));
    }

    @Test
    void everyAnswerKeepsItselfOutOfFramesAndGuesses() throws Exception {
        Exchange exchange = to("127.0.0.1");
        status(exchange);
        assertEquals("DENY", exchange.answered.get("X-Frame-Options"));
        assertEquals("nosniff", exchange.answered.get("X-Content-Type-Options"));
    }

    @Test
    void refusesEverythingOnceClosed() throws Exception {
        rules.close();
        assertEquals(503, status(to("127.0.0.1").with("Authorization", "Bearer x")));
    }
}
