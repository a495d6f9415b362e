package org.backplane.web.access;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/**
 * The root of the server, which the address with the token leads to, and the page that asks for the
 * token. Thread-safe.
 */
public final class LoginServlet extends HttpServlet {
    public static final String PATH = "/login";
    private static final long serialVersionUID = 1;
    private static final String PARAMETER = "token";

    private final transient Door door;
    private final String target;
    private final String page;

    /**
     * @param target path that a log-in leads to
     */
    public LoginServlet(Door door, String target) throws IOException {
        this.door = door;
        this.target = target;
        try (InputStream in = LoginServlet.class.getResourceAsStream("login.html")) {
            page = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
            throws IOException {
        String given = request.getParameter(PARAMETER);
        if (given != null) {
            enter(request, response, given);
        } else if (door.look(request) == Door.Verdict.IN) {
            response.sendRedirect(target);
        } else if (request.getRequestURI().equals(PATH)) {
            ask(response, HttpServletResponse.SC_OK, "");
        } else {
            response.sendRedirect(PATH);
        }
    }

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response)
            throws IOException {
        String given = request.getParameter(PARAMETER);
        enter(request, response, given == null ? "" : given.strip());
    }

    private void enter(HttpServletRequest request, HttpServletResponse response, String given)
            throws IOException {
        switch (door.tryToken(request, given)) {
            case IN -> {
                door.letStay(request, response);
                // Away from the address that has the token in it.
                response.sendRedirect(target);
            }
            case HELD_BACK -> ask(response, 429, "Too many wrong tokens: wait a little.");
            default ->
                    ask(
                            response,
                            HttpServletResponse.SC_UNAUTHORIZED,
                            "This is not the token of this machine.");
        }
    }

    private void ask(HttpServletResponse response, int status, String wrong) throws IOException {
        response.setStatus(status);
        response.setContentType("text/html;charset=UTF-8");
        response.setHeader("Cache-Control", "no-store");
        response.setHeader(
                "Content-Security-Policy",
                "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'");
        response.getWriter().write(page.replace("${wrong}", wrong));
    }
}
