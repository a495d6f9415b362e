package org.backplane.machine.board;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.backplane.bus.AddressRange;
import org.backplane.device.context.FirmwareNode;
import org.backplane.machine.board.FlattenedDeviceTree.Node;

/**
 * What firmware tells a RISC-V kernel of the board (Linux, Documentation/devicetree/bindings:
 * riscv/ cpus.yaml, interrupt-controller/riscv,imsics.yaml and riscv,aplic.yaml,
 * pci/host-generic-pci.yaml).
 */
final class RiscvDeviceTree {
    private static final int FIRST_INTC = 1;
    private static final int IMSIC = 0x100;
    private static final int APLIC = 0x101;
    private static final int FIRST_PLATFORM = 0x200;
    private static final int SUPERVISOR_EXTERNAL = 9;
    private static final int LEVEL_HIGH = 4;
    private static final int PCI_DEVICES = 32;
    private static final int RANGE_IO = 0x0100_0000;
    private static final int RANGE_MEMORY_32 = 0x0200_0000;
    private static final int RANGE_MEMORY_64 = 0x0300_0000;
    private static final String[] ISA_EXTENSIONS = {
        "i", "m", "a", "f", "d", "c", "zicntr", "zicsr", "zifencei", "sstc", "ssaia"
    };
    private static final String ISA = "rv64imafdc_zicntr_zicsr_zifencei_sstc_ssaia";

    /** What the kernel is told under /chosen. */
    record Chosen(String commandLine, AddressRange initrd, byte[] randomSeed) {}

    private final FlattenedDeviceTree tree = new FlattenedDeviceTree();
    private int nextPhandle = FIRST_PLATFORM;

    static byte[] build(
            int harts, RiscvMap map, Chosen chosen, List<PlatformDevice> platformDevices) {
        var it = new RiscvDeviceTree();
        it.write(harts, map, chosen, platformDevices);
        return it.tree.build();
    }

    private void write(
            int harts, RiscvMap map, Chosen chosen, List<PlatformDevice> platformDevices) {
        AddressRange ram = map.ram();
        Node root = tree.root();
        root.cells("#address-cells", 2)
                .cells("#size-cells", 2)
                .text("compatible", "backplane,riscv", "riscv-virtio")
                .text("model", "Backplane RISC-V board");
        root.child("memory@%x".formatted(ram.base()))
                .text("device_type", "memory")
                .longs("reg", ram.base(), ram.size());
        cpus(root, harts);
        Node soc =
                root.child("soc")
                        .cells("#address-cells", 2)
                        .cells("#size-cells", 2)
                        .text("compatible", "simple-bus")
                        .flag("ranges");
        interruptControllers(soc, harts);
        String console = platform(root, soc, platformDevices);
        pci(soc, map);
        chosen(root, map, chosen, console);
    }

    private static void chosen(Node root, RiscvMap map, Chosen chosen, String console) {
        Node node =
                root.child("chosen")
                        .text("bootargs", chosen.commandLine())
                        .bytes("rng-seed", chosen.randomSeed());
        if (map.probeOnly()) {
            node.cells("linux,pci-probe-only", 1);
        }
        if (console != null) {
            node.text("stdout-path", console);
        }
        if (chosen.initrd() != null) {
            node.longs("linux,initrd-start", chosen.initrd().base())
                    .longs("linux,initrd-end", chosen.initrd().end());
        }
    }

    private static void cpus(Node root, int harts) {
        Node cpus =
                root.child("cpus")
                        .cells("#address-cells", 1)
                        .cells("#size-cells", 0)
                        .cells("timebase-frequency", (int) RiscvMap.TIMEBASE_FREQUENCY);
        for (int hart = 0; hart < harts; hart++) {
            cpus.child("cpu@%x".formatted(hart))
                    .text("device_type", "cpu")
                    .cells("reg", hart)
                    .text("status", "okay")
                    .text("compatible", "riscv")
                    .text("riscv,isa", ISA)
                    .text("riscv,isa-base", "rv64i")
                    .text("riscv,isa-extensions", ISA_EXTENSIONS)
                    .text("mmu-type", "riscv,sv39")
                    .child("interrupt-controller")
                    .cells("#interrupt-cells", 1)
                    .flag("interrupt-controller")
                    .text("compatible", "riscv,cpu-intc")
                    .cells("phandle", FIRST_INTC + hart);
        }
    }

    private static void interruptControllers(Node soc, int harts) {
        int[] parents = new int[harts * 2];
        for (int hart = 0; hart < harts; hart++) {
            parents[hart * 2] = FIRST_INTC + hart;
            parents[hart * 2 + 1] = SUPERVISOR_EXTERNAL;
        }
        soc.child("interrupt-controller@%x".formatted(RiscvMap.IMSIC.base()))
                .text("compatible", "riscv,imsics")
                .longs("reg", RiscvMap.IMSIC.base(), harts * RiscvMap.IMSIC_STRIDE)
                .flag("interrupt-controller")
                .cells("#interrupt-cells", 0)
                .flag("msi-controller")
                .cells("#msi-cells", 0)
                .cells("interrupts-extended", parents)
                .cells("riscv,num-ids", RiscvMap.IDENTITIES)
                .cells("phandle", IMSIC);
        soc.child("interrupt-controller@%x".formatted(RiscvMap.APLIC.base()))
                .text("compatible", "riscv,aplic")
                .longs("reg", RiscvMap.APLIC.base(), RiscvMap.APLIC.size())
                .flag("interrupt-controller")
                .cells("#interrupt-cells", 2)
                .cells("msi-parent", IMSIC)
                .cells("riscv,num-sources", RiscvMap.SOURCES)
                .cells("phandle", APLIC);
    }

    private static void pci(Node soc, RiscvMap map) {
        Node pci = soc.child("pci@%x".formatted(map.config().base()));
        boolean cam = map.config().equals(RiscvMap.CAM);
        pci.text("compatible", cam ? "pci-host-cam-generic" : "pci-host-ecam-generic")
                .text("device_type", "pci")
                .longs("reg", map.config().base(), map.config().size())
                .cells("bus-range", 0, 0xff)
                .cells("#address-cells", 3)
                .cells("#size-cells", 2)
                .cells("#interrupt-cells", 1)
                .flag("dma-coherent")
                .cells("linux,pci-domain", 0)
                .cells("msi-parent", IMSIC);
        int[] ranges = new int[(map.mmio64() == null ? 2 : 3) * 7];
        // The ports below the PCI window belong to the platform, so the range starts behind them.
        range(
                ranges,
                0,
                RANGE_IO,
                map.io().base(),
                RiscvMap.IO_APERTURE.base() + map.io().base(),
                map.io().size());
        range(ranges, 7, RANGE_MEMORY_32, map.mmio32());
        if (map.mmio64() != null) {
            range(ranges, 14, RANGE_MEMORY_64, map.mmio64());
        }
        pci.cells("ranges", ranges);

        int[] routes = new int[PCI_DEVICES * RiscvMap.PCI_PINS * 7];
        int at = 0;
        for (int device = 0; device < PCI_DEVICES; device++) {
            for (int pin = 1; pin <= RiscvMap.PCI_PINS; pin++) {
                routes[at] = device << 11;
                routes[at + 3] = pin;
                routes[at + 4] = APLIC;
                routes[at + 5] = RiscvMap.pinSource(device, pin);
                routes[at + 6] = LEVEL_HIGH;
                at += 7;
            }
        }
        pci.cells("interrupt-map", routes).cells("interrupt-map-mask", 0xf800, 0, 0, 7);
    }

    private static void range(int[] cells, int at, int kind, AddressRange range) {
        range(cells, at, kind, range.base(), range.base(), range.size());
    }

    private static void range(
            int[] cells, int at, int kind, long pciAddress, long address, long size) {
        cells[at] = kind;
        cells[at + 1] = (int) (pciAddress >>> 32);
        cells[at + 2] = (int) pciAddress;
        cells[at + 3] = (int) (address >>> 32);
        cells[at + 4] = (int) address;
        cells[at + 5] = (int) (size >>> 32);
        cells[at + 6] = (int) size;
    }

    /** Returns the path of the first serial port, or null. */
    private String platform(Node root, Node soc, List<PlatformDevice> devices) {
        String console = null;
        for (PlatformDevice device : devices) {
            List<AddressRange> regions = device.memoryRegions();
            if (regions.isEmpty()) {
                continue;
            }
            FirmwareNode description = device.node();
            String name = "%s@%x".formatted(description.name(), regions.get(0).base());
            int phandle = nextPhandle++;
            Node node = soc.child(name);
            node.text("compatible", description.compatible().toArray(String[]::new));
            node.longs(
                    "reg",
                    regions.stream()
                            .flatMapToLong(
                                    range ->
                                            java.util.stream.LongStream.of(
                                                    range.base(), range.size()))
                            .toArray());
            if (!device.lines().isEmpty()) {
                int[] interrupts = new int[device.lines().size() * 3];
                for (int i = 0; i < device.lines().size(); i++) {
                    interrupts[i * 3] = APLIC;
                    interrupts[i * 3 + 1] = device.lines().get(i);
                    interrupts[i * 3 + 2] = LEVEL_HIGH;
                }
                node.cells("interrupts-extended", interrupts);
            }
            node.cells("phandle", phandle);
            properties(node, description.properties(), phandle);
            for (FirmwareNode follower : description.followers()) {
                Node following = root.child(follower.name());
                following.text("compatible", follower.compatible().toArray(String[]::new));
                properties(following, follower.properties(), phandle);
            }
            if (console == null && description.name().equals("serial")) {
                console = "/soc/" + name;
            }
        }
        return console;
    }

    private static void properties(Node node, Map<String, Object> properties, int parent) {
        new TreeMap<>(properties)
                .forEach(
                        (name, value) -> {
                            if (value == FirmwareNode.PARENT) {
                                node.cells(name, parent);
                            } else if (value instanceof String text) {
                                node.text(name, text);
                            } else if (value instanceof Integer cell) {
                                node.cells(name, cell);
                            } else if (value instanceof Long cells) {
                                node.longs(name, cells);
                            } else if (Boolean.TRUE.equals(value)) {
                                node.flag(name);
                            } else {
                                throw new IllegalArgumentException(
                                        "property '%s' of '%s' has a value of %s"
                                                .formatted(name, node, value.getClass()));
                            }
                        });
    }
}
