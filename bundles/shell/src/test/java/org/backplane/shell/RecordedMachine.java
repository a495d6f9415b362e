package org.backplane.shell;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Space;
import org.backplane.machine.AddressMap;
import org.backplane.machine.FunctionReport;
import org.backplane.machine.HistoryEntry;
import org.backplane.machine.Machine;
import org.backplane.machine.MachineCounters;
import org.backplane.machine.MachineException;
import org.backplane.machine.MachineReport;
import org.backplane.machine.SlotCounters;
import org.backplane.machine.SlotInspection;
import org.backplane.machine.SlotReport;
import org.backplane.machine.SlotState;
import org.backplane.machine.SwapReport;
import org.backplane.machine.UnplugReport;
import org.backplane.machine.VcpuCounters;

/** A machine with one disk that notes down what it is asked for. */
public class RecordedMachine implements Machine {
    public static final SlotReport DISK =
            new SlotReport(
                    "disk0",
                    "virtio-blk",
                    SlotState.RUNNING,
                    "--disk /tmp/a.img",
                    Map.of("image", "/tmp/a.img"),
                    "org.backplane.device.virtio.blk",
                    "1.0.0",
                    12,
                    "00:01.0",
                    "");
    public static final SlotReport SOUND =
            new SlotReport(
                    "sound0",
                    "virtio-snd",
                    SlotState.WAITING,
                    "",
                    Map.of(),
                    "",
                    "",
                    -1,
                    "",
                    "no bundle offers 'virtio-snd'");

    /** What becomes of a power button that is pressed. */
    public enum Guest {
        NOT_ASKED,
        ENDS,
        IGNORES
    }

    public final List<String> asked = new ArrayList<>();

    public Guest guest = Guest.NOT_ASKED;

    /** Of disk0; it has none if null. */
    public String link;

    @Override
    public MachineReport report() {
        return new MachineReport(
                "demo", "running", "hart", "riscv", 2, 512L << 20, Duration.ofMillis(12_345), 7, 1);
    }

    @Override
    public List<SlotReport> slots() {
        return List.of(DISK, SOUND);
    }

    @Override
    public SlotInspection inspect(String slot) throws MachineException {
        if (!slot.equals(DISK.name())) {
            throw new MachineException("There is no slot '%s'; there is: disk0.".formatted(slot));
        }
        Map<String, String> facts = new TreeMap<>(Map.of("features", "0x130000000"));
        if (link != null) {
            facts.put("link", link);
        }
        return new SlotInspection(
                DISK, facts, map().windows().get(0).regions(), List.of("region", "vector 0"));
    }

    @Override
    public List<HistoryEntry> history(String slot) {
        return List.of(
                new HistoryEntry(Instant.EPOCH, "create", Duration.ofMillis(12), "1.0.0"),
                new HistoryEntry(Instant.EPOCH, "start", Duration.ZERO, ""));
    }

    @Override
    public MachineCounters counters() {
        return new MachineCounters(
                1_000_000_000L,
                List.of(new SlotCounters("disk0", 10, 20, 30, 40, 50, 600, 7000, 8)),
                List.of(new VcpuCounters(0, 4, 20), new VcpuCounters(1, 3, 10)));
    }

    @Override
    public AddressMap map() {
        return new AddressMap(
                List.of(new AddressMap.Memory("RAM", new AddressRange(0x8000_0000L, 512L << 20))),
                List.of(
                        new AddressMap.Window(
                                "mmio32",
                                Space.MMIO,
                                new AddressRange(0x4000_0000L, 0x4000),
                                List.of(
                                        new AddressMap.Region(
                                                "disk0 BAR0",
                                                new AddressRange(0x4000_1000L, 0x1000),
                                                true,
                                                3,
                                                4)),
                                List.of(
                                        new AddressRange(0x4000_0000L, 0x1000),
                                        new AddressRange(0x4000_2000L, 0x2000))),
                        new AddressMap.Window(
                                "io",
                                Space.IO,
                                new AddressRange(0, 0x1_0000),
                                List.of(),
                                List.of(new AddressRange(0, 0x1_0000)))),
                List.of(
                        new AddressMap.PortWindow(
                                1, Space.MMIO, "mem32", new AddressRange(0x4000_3000L, 0x1000))));
    }

    @Override
    public List<FunctionReport> functions() {
        return List.of(
                new FunctionReport(
                        "00:10.0",
                        "",
                        0x1b36,
                        0x000c,
                        0x060400,
                        0,
                        0x7,
                        0x10,
                        0,
                        false,
                        List.of(),
                        new FunctionReport.Port(
                                1,
                                1,
                                2,
                                null,
                                new AddressRange(0x4000_3000L, 0x1000),
                                null,
                                "disk0",
                                true,
                                true)),
                new FunctionReport(
                        "01:00.0",
                        "disk0",
                        0x1af4,
                        0x1042,
                        0x018000,
                        1,
                        0x406,
                        0x10,
                        2,
                        true,
                        List.of(
                                new FunctionReport.Bar(0, "mem32", 0x4000_1000L, 0x1000, true),
                                new FunctionReport.Bar(4, "mem64,pref", -1, 1 << 20, false))));
    }

    @Override
    public List<String> kinds() {
        return List.of("virtio-blk");
    }

    @Override
    public SlotReport plug(String name, String kind, Map<String, String> settings, String source) {
        asked.add("plug %s %s %s (%s)".formatted(name, kind, settings, source));
        return DISK;
    }

    @Override
    public SlotReport pin(String slot, String pin) {
        asked.add("pin %s %s".formatted(slot, pin));
        return new SlotReport(
                DISK.name(),
                DISK.kind(),
                DISK.state(),
                DISK.source(),
                Map.of("pin", pin),
                DISK.bundle(),
                DISK.version(),
                DISK.bundleId(),
                DISK.address(),
                "outside of its pin");
    }

    @Override
    public void save(String slot) {
        asked.add("save " + slot);
    }

    @Override
    public UnplugReport unplug(String slot, Duration bound, boolean force) {
        asked.add("unplug %s %s %s".formatted(slot, bound.toSeconds(), force));
        return new UnplugReport(slot, "unplugged", Duration.ZERO);
    }

    @Override
    public SwapReport swap(String slot, String version, boolean force) {
        asked.add("swap %s %s %s".formatted(slot, version, force));
        return new SwapReport(DISK, Duration.ofNanos(1_200_000), 3, 52);
    }

    @Override
    public SlotReport replug(String slot, String version, boolean force) {
        asked.add("replug %s %s %s".formatted(slot, version, force));
        return DISK;
    }

    @Override
    public void link(String slot, boolean up) {
        link = up ? "up" : "down";
        asked.add("link " + slot + " " + link);
    }

    @Override
    public void accept(String slot) {
        asked.add("accept " + slot);
    }

    @Override
    public void pause() {
        asked.add("pause");
    }

    @Override
    public void resume() {
        asked.add("resume");
    }

    @Override
    public void stop() {
        asked.add("stop");
    }

    @Override
    public boolean powerButton() {
        if (guest == Guest.NOT_ASKED) {
            return false;
        }
        asked.add("power button");
        return true;
    }

    @Override
    public boolean awaitEnd(Duration bound) {
        asked.add("await end " + bound.toSeconds());
        return guest == Guest.ENDS;
    }

    @Override
    public void snapshot(java.nio.file.Path folder) {
        asked.add("snapshot " + folder);
    }

    @Override
    public void reset() {
        asked.add("reset");
    }

    @Override
    public List<String> stillLoaded() {
        return List.of("org.backplane.device.virtio.blk 0.9.0 (bundle 11)");
    }
}
