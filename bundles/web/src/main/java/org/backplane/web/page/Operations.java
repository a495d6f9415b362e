package org.backplane.web.page;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.backplane.machine.Machine;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotReport;
import org.backplane.machine.SwapReport;

/**
 * What the page's buttons do. Each returns a sentence on what was done, or throws with one on why
 * it was not.
 */
final class Operations {
    /** Of a device bundle; far above any, and below what fills a run folder. */
    static final long MOST_OF_A_JAR = 64L << 20;

    private static final String SOURCE = "the web page";

    private final Path folder;

    /**
     * @param folder where uploads are written to, and removed from once the machine has its copy
     */
    Operations(Path folder) {
        this.folder = folder;
    }

    String plug(Machine machine, HttpServletRequest request) throws MachineException {
        String name = required(request, "name");
        SlotReport plugged =
                machine.plug(
                        name,
                        required(request, "kind"),
                        settings(request.getParameter("settings")),
                        SOURCE);
        return "%s is plugged: %s.".formatted(name, state(plugged));
    }

    String unplug(Machine machine, HttpServletRequest request) throws MachineException {
        String slot = required(request, "slot");
        machine.unplug(slot, isSet(request, "force"));
        return "%s is unplugged.".formatted(slot);
    }

    String swap(Machine machine, HttpServletRequest request) throws MachineException {
        return swapped(
                machine.swap(
                        required(request, "slot"),
                        required(request, "version"),
                        isSet(request, "force")));
    }

    /** The request's body is a jar; it goes the way that {@code vm:swap} takes. */
    String upload(Machine machine, HttpServletRequest request)
            throws MachineException, IOException {
        String slot = required(request, "slot");
        Path jar = Files.createTempFile(folder, "upload-", ".jar");
        try {
            try (InputStream in = request.getInputStream();
                    var out = Files.newOutputStream(jar)) {
                copy(in, out);
            }
            return swapped(machine.swap(slot, jar.toString(), isSet(request, "force")));
        } finally {
            Files.deleteIfExists(jar);
        }
    }

    private static void copy(InputStream in, java.io.OutputStream out)
            throws MachineException, IOException {
        byte[] buffer = new byte[1 << 16];
        long total = 0;
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
            total += read;
            if (total > MOST_OF_A_JAR) {
                throw new MachineException(
                        "The jar is larger than %d MB: use vm:swap with its path."
                                .formatted(MOST_OF_A_JAR >> 20));
            }
            out.write(buffer, 0, read);
        }
        if (total == 0) {
            throw new MachineException("No jar came: choose a file.");
        }
    }

    String accept(Machine machine, HttpServletRequest request) throws MachineException {
        String slot = required(request, "slot");
        machine.accept(slot);
        return "The new code of %s is accepted.".formatted(slot);
    }

    String link(Machine machine, HttpServletRequest request) throws MachineException {
        String slot = required(request, "slot");
        required(request, "up");
        boolean up = isSet(request, "up");
        machine.link(slot, up);
        return "The link of %s is %s.".formatted(slot, up ? "up" : "down");
    }

    String pause(Machine machine) throws MachineException {
        machine.pause();
        return "The machine is paused.";
    }

    String resume(Machine machine) throws MachineException {
        machine.resume();
        return "The machine runs.";
    }

    private static String swapped(SwapReport swapped) {
        return "%s runs %s %s; the guest was held for %.1f ms."
                .formatted(
                        swapped.slot().name(),
                        swapped.slot().bundle(),
                        swapped.slot().version(),
                        swapped.pause().toNanos() / 1e6);
    }

    private static String state(SlotReport slot) {
        String state = slot.state().name().toLowerCase(java.util.Locale.ROOT);
        return slot.detail().isEmpty() ? state : state + ", " + slot.detail();
    }

    /** Lines {@code key=value}; a word alone is a flag. */
    static Map<String, String> settings(String text) throws MachineException {
        Map<String, String> settings = new LinkedHashMap<>();
        for (String line : (text == null ? "" : text).split("\\R")) {
            String stripped = line.strip();
            if (stripped.isEmpty()) {
                continue;
            }
            int equals = stripped.indexOf('=');
            String key = equals < 0 ? stripped : stripped.substring(0, equals).strip();
            String value = equals < 0 ? "true" : stripped.substring(equals + 1).strip();
            if (key.isEmpty()) {
                throw new MachineException(
                        "The setting '%s' has no name: write key=value, one a line."
                                .formatted(stripped));
            }
            if (settings.put(key, value) != null) {
                throw new MachineException(
                        "The setting '%s' is there twice: leave one.".formatted(key));
            }
        }
        return settings;
    }

    private static String required(HttpServletRequest request, String name)
            throws MachineException {
        String value = request.getParameter(name);
        if (value == null || value.isBlank()) {
            throw new MachineException("The field '%s' is empty: fill it in.".formatted(name));
        }
        return value.strip();
    }

    private static boolean isSet(HttpServletRequest request, String name) throws MachineException {
        String value = request.getParameter(name);
        if (value == null || value.equals("false")) {
            return false;
        }
        if (!value.equals("true")) {
            throw new MachineException(
                    "The field '%s' is true or false, not '%s'.".formatted(name, value));
        }
        return true;
    }
}
