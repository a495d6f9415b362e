package org.backplane.web.access;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URI;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.osgi.service.servlet.whiteboard.Preprocessor;

/**
 * What holds for every request, whoever answers it, before anybody else sees it.
 *
 * <ul>
 *   <li>Its Host is an address, {@code localhost}, or the name given to {@code --web}: a page of
 *       somebody else whose name was made to lead here (DNS rebinding) says its own name.
 *   <li>What changes something and comes by a browser comes from a page of this server: its Origin
 *       says so, or Sec-Fetch-Site, or the Referer. Whoever shows the token itself needs no page.
 * </ul>
 *
 * <p>Thread-safe.
 */
public final class RequestRules implements Preprocessor {
    private static final Set<String> SAFE = Set.of("GET", "HEAD", "OPTIONS");
    private static final Pattern IPV4 = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}");
    private static final Pattern IPV6 = Pattern.compile("\\[[0-9a-fA-F:.]+\\]");
    private static final Pattern PORT = Pattern.compile("(:[0-9]{1,5})?");

    private final String name;
    private volatile boolean closed;

    /**
     * @param name as given to {@code --web}
     */
    public RequestRules(String name) {
        this.name = name;
    }

    /** Refuses every request from now on. */
    public void close() {
        closed = true;
    }

    @Override
    public void doFilter(ServletRequest plain, ServletResponse answer, FilterChain chain)
            throws IOException, ServletException {
        var request = (HttpServletRequest) plain;
        var response = (HttpServletResponse) answer;
        response.setHeader("X-Content-Type-Options", "nosniff");
        response.setHeader("X-Frame-Options", "DENY");
        // Not "no-referrer": forms would come without an Origin then.
        response.setHeader("Referrer-Policy", "same-origin");
        if (closed) {
            Door.say(
                    response,
                    HttpServletResponse.SC_SERVICE_UNAVAILABLE,
                    "The page is being replaced or has ended.");
            return;
        }
        String host = request.getHeader("Host");
        if (host == null || !isOurs(host)) {
            Door.say(
                    response,
                    421,
                    "This server is not '%s': use its address."
                            .formatted(host == null ? "" : printable(host)));
            return;
        }
        if (!SAFE.contains(request.getMethod()) && !fromOurPage(request, host)) {
            Door.say(
                    response,
                    HttpServletResponse.SC_FORBIDDEN,
                    "What changes something has to come from a page of this server.");
            return;
        }
        chain.doFilter(request, response);
    }

    private static String printable(String text) {
        return text.replaceAll("[^A-Za-z0-9.:_\\[\\]-]", "?");
    }

    private boolean isOurs(String host) {
        int end = host.startsWith("[") ? host.indexOf(']') + 1 : host.indexOf(':');
        String bare = end <= 0 ? host : host.substring(0, end);
        return PORT.matcher(host.substring(bare.length())).matches()
                && (bare.equalsIgnoreCase("localhost")
                        || bare.equalsIgnoreCase(name)
                        || IPV4.matcher(bare).matches()
                        || IPV6.matcher(bare).matches());
    }

    private static boolean fromOurPage(HttpServletRequest request, String host) {
        String site = request.getHeader("Sec-Fetch-Site");
        if (site != null && !site.equals("same-origin")) {
            return false;
        }
        String origin = request.getHeader("Origin");
        if (origin != null) {
            return isAt(origin, host);
        }
        String referer = request.getHeader("Referer");
        if (referer != null) {
            return isAt(referer, host);
        }
        return site != null || !Door.comesWithCookie(request);
    }

    private static boolean isAt(String address, String host) {
        return authority(address).filter(host::equalsIgnoreCase).isPresent();
    }

    private static Optional<String> authority(String address) {
        try {
            URI uri = URI.create(address);
            return "http".equals(uri.getScheme())
                    ? Optional.ofNullable(uri.getAuthority())
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
