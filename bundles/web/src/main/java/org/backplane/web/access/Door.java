package org.backplane.web.access;

import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Who comes in: who shows the token, as a bearer, as the password of HTTP's basic scheme, or at the
 * log-in page, which gives a cookie for it. The cookie is not the token: it is an end of its time
 * with a code over it, so that nothing is kept here and a browser stays logged in while this bundle
 * is replaced. Thread-safe.
 */
public final class Door {
    static final Duration STAY = Duration.ofHours(12);
    private static final String COOKIE = "backplane-";
    private static final String PURPOSE = "session";

    /** Of one request. */
    public enum Verdict {
        IN,
        /** It shows nothing, or a cookie whose time is over. */
        STRANGER,
        WRONG,
        /** Too many wrong tokens came from its address: this one was not looked at. */
        HELD_BACK
    }

    private final Token token;
    private final Clock clock;
    private final Attempts attempts;

    public Door(Token token) {
        this(token, Clock.systemUTC(), System::nanoTime);
    }

    /**
     * @param clock for the end of cookies
     * @param nanoTime for attempts, in nanoseconds
     */
    Door(Token token, Clock clock, LongSupplier nanoTime) {
        this.token = token;
        this.clock = clock;
        attempts = new Attempts(nanoTime);
    }

    /** What a request shows. */
    public Verdict look(HttpServletRequest request) {
        Optional<String> shown = credentials(request);
        if (shown.isPresent()) {
            return tryToken(request, shown.get());
        }
        return hasCookie(request) ? Verdict.IN : Verdict.STRANGER;
    }

    /** A token that somebody gives at the log-in page. */
    Verdict tryToken(HttpServletRequest request, String given) {
        String address = request.getRemoteAddr();
        if (!attempts.mayTry(address)) {
            return Verdict.HELD_BACK;
        }
        if (token.matches(given)) {
            return Verdict.IN;
        }
        attempts.failed(address);
        return Verdict.WRONG;
    }

    private static Optional<String> credentials(HttpServletRequest request) {
        String header = request.getHeader("Authorization");
        if (header == null) {
            return Optional.empty();
        }
        int space = header.indexOf(' ');
        String scheme = (space < 0 ? header : header.substring(0, space)).toLowerCase(Locale.ROOT);
        String rest = space < 0 ? "" : header.substring(space + 1).strip();
        return switch (scheme) {
            case "bearer" -> Optional.of(rest);
            case "basic" -> Optional.of(password(rest));
            default -> Optional.of("");
        };
    }

    /** Of any user. */
    private static String password(String basic) {
        try {
            String both = new String(Base64.getDecoder().decode(basic), StandardCharsets.UTF_8);
            return both.substring(both.indexOf(':') + 1);
        } catch (IllegalArgumentException e) {
            return "";
        }
    }

    /** Whether the request's right to be here is its cookie, which a browser sends by itself. */
    static boolean comesWithCookie(HttpServletRequest request) {
        return request.getHeader("Authorization") == null;
    }

    /** Cookies know no ports: each machine of a host has one of its own. */
    private static String cookieName(HttpServletRequest request) {
        return COOKIE + request.getLocalPort();
    }

    private boolean hasCookie(HttpServletRequest request) {
        Cookie[] cookies = request.getCookies();
        return cookies != null
                && Arrays.stream(cookies)
                        .filter(cookie -> cookie.getName().equals(cookieName(request)))
                        .anyMatch(cookie -> holds(cookie.getValue()));
    }

    private boolean holds(String cookie) {
        int dot = cookie.indexOf('.');
        if (dot < 1 || dot > 19 || !cookie.substring(0, dot).matches("[0-9]+")) {
            return false;
        }
        String end = cookie.substring(0, dot);
        byte[] shown = cookie.substring(dot + 1).getBytes(StandardCharsets.US_ASCII);
        byte[] right = code(end).getBytes(StandardCharsets.US_ASCII);
        return java.security.MessageDigest.isEqual(shown, right)
                && clock.instant().getEpochSecond() < Long.parseLong(end);
    }

    private String code(String end) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(token.seal(PURPOSE, end));
    }

    void letStay(HttpServletRequest request, HttpServletResponse response) {
        String end = Long.toString(clock.instant().plus(STAY).getEpochSecond());
        setCookie(request, response, end + "." + code(end), STAY);
    }

    void forget(HttpServletRequest request, HttpServletResponse response) {
        setCookie(request, response, "", Duration.ZERO);
    }

    private static void setCookie(
            HttpServletRequest request, HttpServletResponse response, String value, Duration age) {
        response.addHeader(
                "Set-Cookie",
                "%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d"
                        .formatted(cookieName(request), value, age.toSeconds()));
    }

    /** Answers a request that did not come in, where there is nobody to log in. */
    public static void refuse(Verdict verdict, HttpServletResponse response)
            throws java.io.IOException {
        if (verdict == Verdict.HELD_BACK) {
            response.setHeader("Retry-After", Long.toString(Attempts.REFILL.toSeconds()));
            say(response, 429, "Too many wrong tokens: wait a little.");
            return;
        }
        response.setHeader("WWW-Authenticate", "Bearer realm=\"backplane\"");
        say(
                response,
                HttpServletResponse.SC_UNAUTHORIZED,
                verdict == Verdict.WRONG
                        ? "This is not the token of this machine."
                        : "The token of this machine is needed: web.token in its run folder.");
    }

    static void say(HttpServletResponse response, int status, String sentence)
            throws java.io.IOException {
        response.setStatus(status);
        response.setContentType("text/plain;charset=UTF-8");
        response.getWriter().println(sentence);
    }
}
