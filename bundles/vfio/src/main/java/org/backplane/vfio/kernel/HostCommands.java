package org.backplane.vfio.kernel;

import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.backplane.vfio.PciHostAddress;
import org.backplane.vfio.VfioException;

/**
 * The commands about the host's devices, in types of the JDK: {@code list}, {@code bind ADDRESS},
 * {@code release ADDRESS}. Gives a line each with {@code usable} ({@code true} or {@code false})
 * and {@code text}; throws an {@link UncheckedIOException} whose cause has the sentence.
 */
public final class HostCommands implements Function<List<String>, List<Map<String, String>>> {
    private final HostPci host;
    private final DriverBinding binding;

    HostCommands(HostPci host, DriverBinding binding) {
        this.host = host;
        this.binding = binding;
    }

    public static HostCommands ofThisHost() {
        return new HostCommands(HostPci.ofThisHost(), DriverBinding.ofThisHost());
    }

    @Override
    public List<Map<String, String>> apply(List<String> words) {
        try {
            return switch (words.get(0)) {
                case "list" ->
                        new HostReport(host)
                                .lines().stream()
                                        .map(line -> line(line.usable(), line.text()))
                                        .toList();
                case "bind" -> List.of(line(true, binding.bind(address(words))));
                case "release" -> List.of(line(true, binding.release(address(words))));
                default -> throw new IllegalArgumentException("there is no command " + words);
            };
        } catch (VfioException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    private static Map<String, String> line(boolean usable, String text) {
        return Map.of("usable", Boolean.toString(usable), "text", text);
    }

    private static PciHostAddress address(List<String> words) throws VfioException {
        String text = words.size() > 1 ? words.get(1) : "";
        return PciHostAddress.parse(text)
                .orElseThrow(
                        () ->
                                new VfioException(
                                        "'%s' is no address of a PCI function; give one such as 0000:01:00.0."
                                                .formatted(text)));
    }
}
