package org.backplane.web;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Space;
import org.backplane.machine.AddressMap;
import org.backplane.machine.FunctionReport;
import org.backplane.machine.Machine;
import org.backplane.machine.MachineCounters;
import org.backplane.machine.MachineException;
import org.backplane.machine.MachineReport;
import org.backplane.machine.SlotCounters;
import org.backplane.machine.SlotInspection;
import org.backplane.machine.SlotReport;
import org.backplane.machine.SlotState;
import org.backplane.machine.SwapReport;
import org.backplane.machine.VcpuCounters;

/** A machine with a disk and a network that notes down what it is asked to do. */
public final class PlayedMachine implements InvocationHandler {
    private static final SlotReport DISK =
            new SlotReport(
                    "disk0",
                    "virtio-blk",
                    SlotState.RUNNING,
                    "--disk \"a\\b\n\"",
                    Map.of("path", "/tmp/a.img"),
                    "org.backplane.device.virtio.blk",
                    "1.0.0",
                    12,
                    "00:01.0",
                    "");

    public final List<String> asked = new ArrayList<>();

    /** What the jar of a swap held, when it was looked at. */
    public byte[] jar;

    /** Why whatever is asked for is refused; null if it is not. */
    public String refusal;

    public Machine machine() {
        return (Machine)
                Proxy.newProxyInstance(
                        getClass().getClassLoader(), new Class<?>[] {Machine.class}, this);
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
        return switch (method.getName()) {
            case "report" ->
                    new MachineReport(
                            "demo",
                            "running",
                            "hart",
                            "riscv64",
                            2,
                            512L << 20,
                            Duration.ofMillis(2500),
                            7,
                            1);
            case "slots" -> List.of(DISK);
            case "inspect" -> new SlotInspection(DISK, Map.of("link", "up"), List.of(), List.of());
            case "history" -> List.of();
            case "kinds" -> List.of("virtio-blk");
            case "map" ->
                    new AddressMap(
                            List.of(
                                    new AddressMap.Memory(
                                            "RAM", new AddressRange(0x8000_0000L, 512L << 20))),
                            List.of(
                                    new AddressMap.Window(
                                            "pci-mmio64",
                                            Space.MMIO,
                                            new AddressRange(1L << 40, 1L << 40),
                                            List.of(
                                                    new AddressMap.Region(
                                                            "disk0 bar0",
                                                            new AddressRange(1L << 40, 0x4000),
                                                            true,
                                                            3,
                                                            4)),
                                            List.of())));
            case "functions" ->
                    List.of(
                            new FunctionReport(
                                    "00:01.0",
                                    "disk0",
                                    0x1af4,
                                    0x1042,
                                    0x018000,
                                    1,
                                    6,
                                    0x10,
                                    2,
                                    true,
                                    List.of(
                                            new FunctionReport.Bar(
                                                    0, "mem64", -1, 0x4000, false))));
            case "counters" ->
                    new MachineCounters(
                            5_000_000_000L,
                            List.of(new SlotCounters("disk0", 10, 20, 30, 40, 50, 600, 7000, 8)),
                            List.of(new VcpuCounters(0, 4, 20), new VcpuCounters(1, 3, 10)));
            default -> change(method, arguments == null ? new Object[0] : arguments);
        };
    }

    private Object change(Method method, Object[] arguments) throws Exception {
        if (refusal != null) {
            throw new MachineException(refusal);
        }
        String noted = method.getName() + " " + Arrays.toString(arguments);
        if (method.getName().equals("swap") && arguments[1].toString().endsWith(".jar")) {
            jar = Files.readAllBytes(Path.of((String) arguments[1]));
            noted = "swap a jar";
        }
        asked.add(noted);
        return method.getReturnType() == SwapReport.class
                ? new SwapReport(DISK, Duration.ofMillis(3), 0, 0)
                : method.getReturnType() == SlotReport.class ? DISK : null;
    }
}
