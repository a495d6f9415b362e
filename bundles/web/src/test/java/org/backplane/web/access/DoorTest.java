package org.backplane.web.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicLong;
import org.backplane.web.Exchange;
import org.backplane.web.access.Door.Verdict;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DoorTest {
    @TempDir Path folder;
    private final AtomicLong now = new AtomicLong();
    private Token token;
    private Door door;

    @BeforeEach
    void makeToken() throws IOException {
        token = Token.of(folder.resolve("web.token"));
        door = door(Instant.EPOCH);
    }

    private Door door(Instant at) {
        return new Door(token, Clock.fixed(at, ZoneOffset.UTC), now::get);
    }

    private static String basic(String user, String password) {
        return "Basic "
                + Base64.getEncoder()
                        .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
    }

    private Verdict look(Exchange exchange) {
        return door.look(exchange.request());
    }

    @Test
    void tokenHas256BitsAndItsFileIsItsOwners() throws IOException {
        assertEquals(43, token.text().length());
        assertEquals(
                "rw-------",
                PosixFilePermissions.toString(
                        Files.getPosixFilePermissions(folder.resolve("web.token"))));
        assertEquals(token.text(), Token.of(folder.resolve("web.token")).text());
        assertNotEquals(token.text(), Token.of(folder.resolve("other.token")).text());
    }

    @Test
    void tokenFileThatOthersReadIsRefused() throws IOException {
        Path file = folder.resolve("web.token");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        assertTrue(
                assertThrows(IOException.class, () -> Token.of(file))
                        .getMessage()
                        .contains("mode 0600"));
    }

    @Test
    void letsInWhoShowsTheToken() {
        assertEquals(
                Verdict.IN, look(new Exchange().with("Authorization", "Bearer " + token.text())));
        assertEquals(
                Verdict.IN, look(new Exchange().with("Authorization", basic("x", token.text()))));
    }

    @Test
    void knowsNobodyWithoutATokenAndNoDefaultPassword() {
        assertEquals(Verdict.STRANGER, look(new Exchange()));
        assertEquals(
                Verdict.WRONG, look(new Exchange().with("Authorization", basic("admin", "admin"))));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"Bearer", "Bearer ", "Basic", "Basic !!", "Basic YQ==", "Digest x", "", " "})
    void refusesCredentialsOfAnyOtherForm(String header) {
        assertEquals(Verdict.WRONG, look(new Exchange().with("Authorization", header)));
    }

    @Test
    void holdsBackWhoGuessesAndNobodyElse() {
        for (int i = 0; i < Attempts.BURST; i++) {
            assertEquals(
                    Verdict.WRONG, look(new Exchange().with("Authorization", "Bearer guess" + i)));
        }
        Exchange right = new Exchange().with("Authorization", "Bearer " + token.text());
        assertEquals(Verdict.HELD_BACK, look(right));
        right.from = "10.0.0.7";
        assertEquals(Verdict.IN, look(right));
        right.from = "127.0.0.1";
        now.addAndGet(Attempts.REFILL.toNanos());
        assertEquals(Verdict.IN, look(right));
        assertEquals(Verdict.WRONG, look(new Exchange().with("Authorization", "Bearer more")));
        assertEquals(Verdict.HELD_BACK, look(right));
    }

    private Exchange login(String given) throws Exception {
        Exchange exchange = new Exchange().posting();
        exchange.parameters.put("token", given);
        new LoginServlet(door, "/page").doPost(exchange.request(), exchange.response());
        return exchange;
    }

    @Test
    void logInGivesACookieThatIsNotTheTokenAndEnds() throws Exception {
        Exchange in = login(token.text());
        assertEquals("/page", in.redirect);
        String cookie = in.answered.get("Set-Cookie");
        assertTrue(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), cookie);
        assertFalse(cookie.contains(token.text()));
        assertEquals(Verdict.IN, look(new Exchange().withCookieOf(in)));
        door = door(Instant.EPOCH.plus(Door.STAY).minus(Duration.ofSeconds(1)));
        assertEquals(Verdict.IN, look(new Exchange().withCookieOf(in)));
        door = door(Instant.EPOCH.plus(Door.STAY));
        assertEquals(Verdict.STRANGER, look(new Exchange().withCookieOf(in)));
    }

    @Test
    void cookieThatWasChangedOrIsAnotherMachinesIsNone() throws Exception {
        Exchange in = login(token.text());
        Exchange later = new Exchange().withCookieOf(in);
        later.headers.computeIfPresent("Cookie", (k, v) -> v.replaceFirst("=", "=9"));
        assertEquals(Verdict.STRANGER, look(later));
        for (String forged : new String[] {"", ".", "1.", ".x", "99999999999999999999.x", "a.b"}) {
            assertEquals(
                    Verdict.STRANGER,
                    look(new Exchange().with("Cookie", "backplane-8080=" + forged)));
        }
        token = Token.of(folder.resolve("other.token"));
        door = door(Instant.EPOCH);
        assertEquals(Verdict.STRANGER, look(new Exchange().withCookieOf(in)));
    }

    @Test
    void addressWithTheTokenLogsInAndLeadsAwayFromItself() throws Exception {
        Exchange exchange = new Exchange();
        exchange.parameters.put("token", token.text());
        new LoginServlet(door, "/page").doGet(exchange.request(), exchange.response());
        assertEquals("/page", exchange.redirect);
        assertTrue(exchange.answered.containsKey("Set-Cookie"));
    }

    @Test
    void wrongTokenAtTheLogInIsAskedForAgain() throws Exception {
        Exchange exchange = login("admin");
        assertEquals(401, exchange.status);
        assertNull(exchange.answered.get("Set-Cookie"));
        assertTrue(exchange.body.toString().contains("not the token of this machine"));
    }

    @Test
    void consoleSendsABrowserToTheLogInAndRefusesOthers() {
        var security = new ConsoleSecurity(door);
        Exchange browser = new Exchange().with("Accept", "text/html,*/*");
        assertNull(security.authenticate(browser.request(), browser.response()));
        assertEquals("/login", browser.redirect);
        Exchange script = new Exchange();
        assertNull(security.authenticate(script.request(), script.response()));
        assertEquals(401, script.status);
        Exchange admin = new Exchange().with("Authorization", basic("admin", "admin"));
        assertNull(security.authenticate(admin.request(), admin.response()));
        assertEquals(401, admin.status);
        Exchange in = new Exchange().with("Authorization", "Bearer " + token.text());
        Object user = security.authenticate(in.request(), in.response());
        assertTrue(security.authorize(user, "any"));
        assertFalse(security.authorize(null, "any"));
    }
}
