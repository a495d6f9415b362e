package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.backplane.bus.IoHandler;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ConfigMechanism1Test {
    private static final long ENABLE = 0x8000_0000L;
    private static final int DATA = 4;

    private final PortRig ports = new PortRig();
    private final IoHandler io = ports.rig.bridge.configMechanism1();

    @BeforeEach
    void plug() throws Exception {
        ports.installed(ports.second, "disk0", Rig.shape(Rig.memory(1, 0x1000)));
    }

    private void select(int bus, int device, int register) {
        io.write(0, 4, ENABLE | (long) bus << 16 | (long) device << 11 | register);
    }

    @Test
    void reachesWhatEcamReachesByEveryWidth() {
        select(0, 0x10, 0);
        assertEquals(0x000c_1b36L, io.read(DATA, 4));
        assertEquals(0x1b36, io.read(DATA, 2));
        assertEquals(0x000c, io.read(DATA + 2, 2));
        assertEquals(0x1b, io.read(DATA + 1, 1));
        select(3, 0, 0);
        assertEquals(0x8168_10ecL, io.read(DATA, 4));
        select(3, 0, Type0Header.COMMAND);
        io.write(DATA, 2, 6);
        assertEquals(6, ports.read(PortRig.number(3, 0), Type0Header.COMMAND, 2));
        select(3, 0, 0x3c);
        io.write(DATA, 1, 11);
        assertEquals(0x010b, io.read(DATA, 2));
    }

    @Test
    void theLatchIsReadBackWithoutItsReservedBits() {
        io.write(0, 4, 0xffff_ffffL);
        assertEquals(0x80ff_fffcL, io.read(0, 4));
        io.write(0, 4, 0x1234);
        assertEquals(0x1234, io.read(0, 4));
    }

    @Test
    void narrowAccessesOfTheLatchAreNone() {
        select(0, 0x10, 0);
        io.write(0, 1, 0x55);
        io.write(2, 2, 0x55);
        assertEquals(ENABLE | 0x8000, io.read(0, 4));
        assertEquals(0xff, io.read(0, 1));
        assertEquals(0xffff, io.read(2, 2));
    }

    @Test
    void dataIsNobodyWhileTheLatchIsNotEnabled() {
        io.write(0, 4, 0x8000);
        assertEquals(0xffff_ffffL, io.read(DATA, 4));
        select(0, 0x10, 0x18);
        io.write(0, 4, 0x8018);
        io.write(DATA, 4, 0);
        select(0, 0x10, 0x18);
        assertEquals(0x0002_0100, io.read(DATA, 4));
    }

    @Test
    void anAccessAcrossTheEndOrOfAbsentFunctionsReadsAllOnes() {
        select(0, 0x10, 0);
        assertEquals(0xffff_ffffL, io.read(6, 4));
        assertEquals(0xffff, io.read(DATA + 1, 2), "not aligned");
        select(0, 9, 0);
        assertEquals(0xffff, io.read(DATA, 2));
        io.write(0, 4, ENABLE | 1 << 8);
        assertEquals(0xffff_ffffL, io.read(DATA, 4), "a second function");
    }
}
