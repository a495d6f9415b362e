package org.backplane.shell.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.apache.felix.service.command.Converter;
import org.backplane.machine.MachineException;
import org.backplane.shell.RecordedMachine;
import org.junit.jupiter.api.Test;

class ReportFormatTest {
    private final RecordedMachine machine = new RecordedMachine();
    private final ReportFormat format = new ReportFormat();

    private String inDetail(Object value) {
        return format.format(value, Converter.INSPECT, null).toString();
    }

    @Test
    void slotsAreATable() {
        assertEquals(
                """
                SLOT    KIND        STATE    PCI      BUNDLE                                      SOURCE
                disk0   virtio-blk  running  00:01.0  org.backplane.device.virtio.blk 1.0.0 [12]  --disk /tmp/a.img
                sound0  virtio-snd  waiting  -        -                                           -                  no bundle offers 'virtio-snd'""",
                inDetail(machine.slots()));
    }

    @Test
    void mapShowsRegionsAndHolesByAddress() {
        assertEquals(
                """
                memory
                  0x80000000-0x9fffffff  RAM  512 MiB
                mmio32 (mmio) 0x40000000-0x40003fff 16 KiB
                  0x40000000-0x40000fff  free        4 KiB
                  0x40001000-0x40001fff  disk0 BAR0  4 KiB  decoding  reads 3  writes 4
                  0x40002000-0x40003fff  free        8 KiB
                io (io) 0x0-0xffff 64 KiB
                  0x0-0xffff  free  64 KiB
                ports
                  port 1  mem32  0x40003000-0x40003fff  4 KiB""",
                inDetail(machine.map()));
    }

    @Test
    void functionsShowTheirBars() {
        assertEquals(
                """
                00:10.0 1b36:000c class 060400 rev 00  -
                    command 0007 (io,memory,master)  status 0010
                    port 1: disk0, power on, link up, bus 01-02
                    mem32 0x40003000-0x40003fff 4 KiB
                01:00.0 1af4:1042 class 018000 rev 01  disk0
                    command 0406 (memory,master,intx-off)  status 0010  msix on, 2 vectors
                    BAR0 mem32 0x40001000 4 KiB decoding
                    BAR4 mem64,pref unplaced 1 MiB off""",
                inDetail(machine.functions()));
    }

    @Test
    void inspectionShowsEverything() throws MachineException {
        assertEquals(
                """
                slot           disk0
                kind           virtio-blk
                state          running
                source         --disk /tmp/a.img
                bundle         org.backplane.device.virtio.blk 1.0.0 [12]
                pci            00:01.0
                setting image  /tmp/a.img
                features       0x130000000
                regions
                  0x40001000-0x40001fff  disk0 BAR0  4 KiB  decoding  reads 3  writes 4
                leases
                  region
                  vector 0""",
                inDetail(machine.inspect("disk0")));
    }

    @Test
    void historyShowsWhatTookHowLong() {
        List<String> lines = inDetail(machine.history("disk0")).lines().toList();
        assertEquals(3, lines.size());
        assertTrue(lines.get(1).endsWith("create  12.0 ms  1.0.0"), lines.get(1));
        assertTrue(lines.get(2).endsWith("start   -"), lines.get(2));
    }

    @Test
    void machineShowsItsParts() {
        assertEquals(
                """
                name          demo
                state         running
                board         riscv
                engine        hart
                processors    2
                memory        512 MiB
                guest time    12.345 s
                instructions  7
                boots         1""",
                inDetail(machine.report()));
    }

    @Test
    void insideOfAnotherValueASlotIsItsName() {
        assertEquals("disk0", format.format(RecordedMachine.DISK, Converter.LINE, null));
    }

    @Test
    void leavesOtherValuesToGogo() {
        assertNull(format.format("text", Converter.INSPECT, null));
        assertNull(format.format(List.of(), Converter.INSPECT, null));
        assertNull(format.format(List.of(1, RecordedMachine.DISK), Converter.INSPECT, null));
    }
}
