package org.backplane.web.access;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.felix.webconsole.spi.SecurityProvider;

/**
 * Guards the Web Console, which is told to serve nothing without it: its own provider takes a
 * password that everybody knows. Thread-safe.
 */
public final class ConsoleSecurity implements SecurityProvider {
    /** What the framework's property {@code felix.webconsole.security.providers} asks for. */
    public static final String ID = "org.backplane.web";

    private static final String OPERATOR = "operator";

    private final Door door;

    public ConsoleSecurity(Door door) {
        this.door = door;
    }

    @Override
    public Object authenticate(HttpServletRequest request, HttpServletResponse response) {
        Door.Verdict verdict = door.look(request);
        if (verdict == Door.Verdict.IN) {
            return OPERATOR;
        }
        try {
            if (verdict == Door.Verdict.STRANGER && asksForAPage(request)) {
                response.sendRedirect(LoginServlet.PATH);
            } else {
                Door.refuse(verdict, response);
            }
            response.flushBuffer();
        } catch (IOException e) {
            // Whoever asked has gone.
            throw new UncheckedIOException(e);
        }
        return null;
    }

    private static boolean asksForAPage(HttpServletRequest request) {
        String accepted = request.getHeader("Accept");
        return request.getMethod().equals("GET")
                && accepted != null
                && accepted.contains("text/html");
    }

    @Override
    public boolean authorize(Object user, String role) {
        return OPERATOR.equals(user);
    }

    @Override
    public void logout(HttpServletRequest request, HttpServletResponse response) {
        door.forget(request, response);
        try {
            response.sendRedirect(LoginServlet.PATH);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
