package org.backplane.web.page;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.felix.webconsole.servlet.AbstractServlet;
import org.backplane.machine.Machine;
import org.backplane.machine.MachineException;
import org.osgi.framework.BundleContext;

/**
 * The machine's page of the Web Console: the page itself, the files it is made of, its state as
 * JSON, and what its buttons do. The console has looked at who asks before anything comes here.
 * Thread-safe.
 */
public final class BackplanePage extends AbstractServlet {
    /** Its place below the console's root. */
    public static final String LABEL = "backplane";

    public static final String TITLE = "Backplane";

    private static final long serialVersionUID = 1;
    private static final Logger LOG = System.getLogger(BackplanePage.class.getName());

    /**
     * A header that the page's own script sets. A page of somebody else cannot, without asking
     * first, which this server does not answer.
     */
    private static final String MARK = "X-Backplane";

    private static final Map<String, String> FILES =
            Map.of(
                    "page.css", "text/css",
                    "page.js", "text/javascript",
                    "map.js", "text/javascript");

    private final transient Supplier<Optional<Machine>> machine;
    private final transient DeviceBundles bundles;
    private final transient Operations operations;

    /**
     * @param machine there is none while it is being built, and after its end
     * @param folder for uploads on their way
     */
    public BackplanePage(Supplier<Optional<Machine>> machine, BundleContext context, Path folder) {
        this.machine = machine;
        bundles = new DeviceBundles(context);
        operations = new Operations(folder);
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
            throws IOException {
        String part = part(request);
        response.setHeader("Cache-Control", "no-store");
        response.setHeader(
                "Content-Security-Policy",
                "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'");
        if (part.isEmpty()) {
            send(response, "page.html", "text/html");
        } else if (FILES.containsKey(part)) {
            send(response, part, FILES.get(part));
        } else {
            answer(response, () -> read(part, request));
        }
    }

    private static String part(HttpServletRequest request) {
        String path = request.getPathInfo() == null ? "" : request.getPathInfo();
        int at = path.indexOf('/', 1);
        return at < 0 ? "" : path.substring(at + 1);
    }

    private static void send(HttpServletResponse response, String file, String type)
            throws IOException {
        response.setContentType(type + ";charset=UTF-8");
        try (InputStream in = BackplanePage.class.getResourceAsStream(file)) {
            in.transferTo(response.getOutputStream());
        }
    }

    /** What an answer is made of. */
    private interface Answer {
        String make() throws Unknown, MachineException, IOException;
    }

    private static final class Unknown extends Exception {
        private static final long serialVersionUID = 1;

        Unknown(String part) {
            super("There is no '%s' here.".formatted(part));
        }
    }

    private static void answer(HttpServletResponse response, Answer answer) throws IOException {
        String json;
        try {
            json = answer.make();
        } catch (Unknown e) {
            response.setStatus(HttpServletResponse.SC_NOT_FOUND);
            json = StateJson.error(e.getMessage());
        } catch (MachineException e) {
            response.setStatus(HttpServletResponse.SC_CONFLICT);
            json = StateJson.error(e.getMessage());
        }
        response.setContentType("application/json;charset=UTF-8");
        response.getWriter().write(json);
    }

    private Machine machine() throws MachineException {
        return machine.get()
                .orElseThrow(() -> new MachineException("The machine is not there any more."));
    }

    private String read(String part, HttpServletRequest request) throws Unknown, MachineException {
        return switch (part) {
            case "state" -> StateJson.of(machine(), bundles.versions());
            case "history" -> {
                String slot = request.getParameter("slot");
                yield StateJson.of(machine().history(slot == null ? "" : slot));
            }
            default -> throw new Unknown(part);
        };
    }

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response)
            throws IOException {
        if (request.getHeader(MARK) == null) {
            response.setStatus(HttpServletResponse.SC_FORBIDDEN);
            response.setContentType("application/json;charset=UTF-8");
            response.getWriter()
                    .write(StateJson.error("The request lacks the header %s.".formatted(MARK)));
            return;
        }
        String part = part(request);
        answer(
                response,
                () -> {
                    if (part.equals("upload") && isForm(request)) {
                        throw new MachineException(
                                "A form came where a jar should: send it with the header Content-Type: application/java-archive.");
                    }
                    return StateJson.sentence(operate(part, request));
                });
    }

    /** Of a form the server reads the body itself, and what is no form it then cannot read. */
    private static boolean isForm(HttpServletRequest request) {
        String type = request.getContentType();
        return type != null
                && (type.startsWith("application/x-www-form-urlencoded")
                        || type.startsWith("multipart/"));
    }

    private String operate(String part, HttpServletRequest request)
            throws Unknown, MachineException, IOException {
        Machine now = machine();
        String done =
                switch (part) {
                    case "plug" -> operations.plug(now, request);
                    case "unplug" -> operations.unplug(now, request);
                    case "swap" -> operations.swap(now, request);
                    case "upload" -> operations.upload(now, request);
                    case "accept" -> operations.accept(now, request);
                    case "link" -> operations.link(now, request);
                    case "pause" -> operations.pause(now);
                    case "resume" -> operations.resume(now);
                    default -> throw new Unknown(part);
                };
        LOG.log(Level.INFO, () -> "%s: %s".formatted(request.getRemoteAddr(), done));
        return done;
    }
}
