package org.backplane.chipset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.device.context.FirmwareNode;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Ns16550aTest {
    static final String GOLDEN = "ns16550a-v1.properties";

    private static final int LOOPBACK = UartRegisters.MCR_LOOPBACK;
    private static final int FIFOS_ON = UartRegisters.FCR_ENABLE;
    private static final int TRIGGER_4 = 0x40 | FIFOS_ON;
    private static final int TRIGGER_8 = 0x80 | FIFOS_ON;

    private Chip uart;

    @BeforeEach
    void plug() throws DeviceException {
        uart = Chip.started(new Ns16550aFactory());
    }

    private int read(int register) {
        return (int) uart.read(register, 1);
    }

    private void write(int register, int value) {
        uart.write(register, 1, value);
    }

    private int identification() {
        return read(UartRegisters.IIR) & 0x0f;
    }

    private String drain() {
        StringBuilder text = new StringBuilder();
        while ((read(UartRegisters.LSR) & UartRegisters.LSR_DATA_READY) != 0) {
            text.append((char) read(UartRegisters.DATA));
        }
        return text.toString();
    }

    @Test
    void describesItselfToTheFirmware() {
        assertEquals(
                List.of(
                        new FirmwareNode(
                                "serial",
                                List.of("ns16550a"),
                                Map.of("clock-frequency", 3_686_400, "current-speed", 115_200),
                                List.of(),
                                "PNP0501")),
                uart.slot.nodes());
    }

    @Test
    void sendsWhatIsWrittenToTheConsole() {
        for (char letter : "ok\n".toCharArray()) {
            write(UartRegisters.DATA, letter);
        }
        assertEquals("ok\n", uart.slot.manualConsole().output());
    }

    @Test
    void transmitterIsAlwaysEmpty() {
        write(UartRegisters.DATA, 'a');
        assertEquals(0x60, read(UartRegisters.LSR));
    }

    @Test
    void startsAsAfterAMasterReset() {
        assertEquals(0, read(UartRegisters.IER));
        assertEquals(UartRegisters.IIR_NONE, read(UartRegisters.IIR));
        assertEquals(0, read(UartRegisters.LCR));
        assertEquals(0, read(UartRegisters.MCR));
        assertEquals(0x60, read(UartRegisters.LSR));
        assertEquals(0xb0, read(UartRegisters.MSR));
        assertFalse(uart.line().high());
    }

    @Test
    void divisorLatchHidesDataAndInterruptEnable() {
        write(UartRegisters.IER, 0x05);
        write(UartRegisters.LCR, 0x83);
        write(UartRegisters.DATA, 0x34);
        write(UartRegisters.IER, 0x12);
        assertEquals(0x34, read(UartRegisters.DATA));
        assertEquals(0x12, read(UartRegisters.IER));
        write(UartRegisters.LCR, 0x03);
        assertEquals(0x05, read(UartRegisters.IER));
        assertEquals("", uart.slot.manualConsole().output());
    }

    /** An edge-triggered controller sees only rises: each event that comes later has to be one. */
    @Test
    void lineRisesAgainForEveryEventAfterTheDriverFoundNothingPending() {
        write(UartRegisters.IER, UartRegisters.IER_RECEIVED | UartRegisters.IER_TRANSMITTER_EMPTY);
        serve();
        int rises = uart.line().rises();
        for (int round = 0; round < 50; round++) {
            uart.slot.manualConsole().type("x");
            write(UartRegisters.DATA, 'y');
            serve();
            assertFalse(uart.line().high());
            assertTrue(uart.line().rises() > rises, "no edge in round " + round);
            rises = uart.line().rises();
        }
        assertEquals("y".repeat(50), uart.slot.manualConsole().output());
    }

    /** As a driver's handler does: until nothing is pending. */
    private void serve() {
        while (identification() != UartRegisters.IIR_NONE) {
            read(UartRegisters.LSR);
            read(UartRegisters.DATA);
            read(UartRegisters.MSR);
        }
    }

    @Test
    void scratchRemembersAByte() {
        write(UartRegisters.SCR, 0xa5);
        assertEquals(0xa5, read(UartRegisters.SCR));
    }

    @Test
    void interruptEnableHasFourBits() {
        write(UartRegisters.IER, 0xff);
        assertEquals(0x0f, read(UartRegisters.IER));
    }

    @Test
    void identificationShowsThatTheFifosAreOn() {
        assertEquals(0, read(UartRegisters.IIR) & 0xc0);
        write(UartRegisters.FCR, FIFOS_ON);
        assertEquals(0xc0, read(UartRegisters.IIR) & 0xc0);
        write(UartRegisters.FCR, 0);
        assertEquals(0, read(UartRegisters.IIR) & 0xc0);
    }

    @Test
    void enablingTheTransmitterInterruptRaisesItAndIdentifyingClearsIt() {
        write(UartRegisters.IER, UartRegisters.IER_TRANSMITTER_EMPTY);
        assertTrue(uart.line().high());
        assertEquals(UartRegisters.IIR_TRANSMITTER_EMPTY, identification());
        assertFalse(uart.line().high());
        assertEquals(UartRegisters.IIR_NONE, identification());
    }

    @Test
    void enablingTheTransmitterInterruptAgainRaisesItAgain() {
        write(UartRegisters.IER, UartRegisters.IER_TRANSMITTER_EMPTY);
        identification();
        write(UartRegisters.IER, UartRegisters.IER_TRANSMITTER_EMPTY);
        assertEquals(UartRegisters.IIR_NONE, identification());
        write(UartRegisters.IER, 0);
        write(UartRegisters.IER, UartRegisters.IER_TRANSMITTER_EMPTY);
        assertEquals(UartRegisters.IIR_TRANSMITTER_EMPTY, identification());
    }

    @Test
    void everyByteSentRaisesTheTransmitterInterrupt() {
        write(UartRegisters.IER, UartRegisters.IER_TRANSMITTER_EMPTY);
        identification();
        write(UartRegisters.DATA, 'a');
        assertTrue(uart.line().high());
        assertEquals(UartRegisters.IIR_TRANSMITTER_EMPTY, identification());
    }

    @Test
    void disablingTheTransmitterInterruptLowersTheLine() {
        write(UartRegisters.IER, UartRegisters.IER_TRANSMITTER_EMPTY);
        write(UartRegisters.IER, 0);
        assertFalse(uart.line().high());
    }

    @Test
    void identifyingAReceivedByteDoesNotClearTheTransmitterInterrupt() {
        write(UartRegisters.IER, UartRegisters.IER_TRANSMITTER_EMPTY | UartRegisters.IER_RECEIVED);
        uart.slot.manualConsole().type("x");
        assertEquals(UartRegisters.IIR_RECEIVED, identification());
        read(UartRegisters.DATA);
        assertEquals(UartRegisters.IIR_TRANSMITTER_EMPTY, identification());
    }

    @Test
    void withoutFifosEveryByteIsReceivedByItself() {
        write(UartRegisters.IER, UartRegisters.IER_RECEIVED);
        uart.slot.manualConsole().type("abc");
        assertEquals(2, uart.slot.manualConsole().unread());
        assertEquals(UartRegisters.IIR_RECEIVED, identification());
        assertEquals("abc", drain());
        assertFalse(uart.line().high());
    }

    @ParameterizedTest
    @CsvSource({"0x01,1", "0x41,4", "0x81,8", "0xc1,14"})
    void tellsTheTriggerLevelFromTheTimeOut(String fcr, int level) {
        write(UartRegisters.FCR, Integer.decode(fcr));
        write(UartRegisters.IER, UartRegisters.IER_RECEIVED);
        for (int count = 1; count <= ReceiveFifo.DEPTH; count++) {
            uart.slot.manualConsole().type("x");
            assertEquals(
                    count < level ? UartRegisters.IIR_TIME_OUT : UartRegisters.IIR_RECEIVED,
                    identification());
        }
    }

    @Test
    void noByteBelowTheTriggerLevelIsStuck() {
        write(UartRegisters.FCR, TRIGGER_8);
        write(UartRegisters.IER, UartRegisters.IER_RECEIVED);
        uart.slot.manualConsole().type("123456789");
        for (int left = 9; left > 0; left--) {
            assertTrue(uart.line().high(), left + " bytes left");
            read(UartRegisters.DATA);
        }
        assertFalse(uart.line().high());
    }

    @Test
    void takesBytesFromTheConsoleOnlyWhileThereIsRoom() {
        write(UartRegisters.FCR, FIFOS_ON);
        uart.slot.manualConsole().type("0123456789abcdefghij");
        assertEquals(4, uart.slot.manualConsole().unread());
        assertEquals('0', read(UartRegisters.DATA));
        assertEquals(3, uart.slot.manualConsole().unread());
        assertEquals("123456789abcdefghij", drain());
        assertEquals(0, read(UartRegisters.LSR) & UartRegisters.LSR_OVERRUN);
    }

    @Test
    void clearingTheReceiverDropsItsBytesAndTakesTheNext() {
        write(UartRegisters.FCR, FIFOS_ON);
        uart.slot.manualConsole().type("0123456789abcdefXY");
        write(UartRegisters.FCR, FIFOS_ON | UartRegisters.FCR_CLEAR_RECEIVER);
        assertEquals("XY", drain());
    }

    @Test
    void readsZeroFromAnEmptyReceiver() {
        assertEquals(0, read(UartRegisters.DATA));
    }

    @Test
    void loopbackReceivesWhatIsSentAndSendsNothing() {
        write(UartRegisters.FCR, FIFOS_ON);
        write(UartRegisters.MCR, LOOPBACK);
        write(UartRegisters.DATA, 'l');
        assertEquals("l", drain());
        assertEquals("", uart.slot.manualConsole().output());
    }

    @Test
    void loopbackLeavesTypedBytesInTheConsole() {
        write(UartRegisters.MCR, LOOPBACK);
        uart.slot.manualConsole().type("z");
        assertEquals("", drain());
        write(UartRegisters.MCR, 0);
        assertEquals("z", drain());
    }

    @ParameterizedTest
    @CsvSource({"0x12,0x10", "0x11,0x20", "0x14,0x40", "0x18,0x80", "0x1f,0xf0", "0x10,0x00"})
    void loopbackWiresModemOutputsToInputs(String mcr, String msr) {
        write(UartRegisters.MCR, Integer.decode(mcr));
        assertEquals(Integer.decode(msr), read(UartRegisters.MSR) & 0xf0);
    }

    @Test
    void modemInputsThatChangeInterruptUntilRead() {
        write(UartRegisters.IER, UartRegisters.IER_MODEM_STATUS);
        assertFalse(uart.line().high());
        // CTS, DSR and DCD fall with the cable cut off; there was no ring.
        write(UartRegisters.MCR, LOOPBACK);
        assertTrue(uart.line().high());
        assertEquals(UartRegisters.IIR_MODEM_STATUS, identification());
        assertEquals(0x0b, read(UartRegisters.MSR));
        assertFalse(uart.line().high());
        assertEquals(0x00, read(UartRegisters.MSR));
    }

    @Test
    void onlyTheEndOfARingCounts() {
        write(UartRegisters.MCR, LOOPBACK);
        read(UartRegisters.MSR);
        write(UartRegisters.MCR, LOOPBACK | UartRegisters.MCR_OUT1);
        assertEquals(0x40, read(UartRegisters.MSR));
        write(UartRegisters.MCR, LOOPBACK);
        assertEquals(0x04, read(UartRegisters.MSR));
    }

    @Test
    void overrunOfTheFifoLosesTheNewestByteAndInterruptsFirst() {
        write(UartRegisters.FCR, FIFOS_ON);
        write(UartRegisters.IER, UartRegisters.IER_RECEIVED | UartRegisters.IER_LINE_STATUS);
        write(UartRegisters.MCR, LOOPBACK);
        for (char letter = 'a'; letter <= 'q'; letter++) {
            write(UartRegisters.DATA, letter);
        }
        assertEquals(UartRegisters.IIR_LINE_STATUS, identification());
        assertEquals(0x63, read(UartRegisters.LSR));
        assertEquals(UartRegisters.IIR_RECEIVED, identification());
        assertEquals("abcdefghijklmnop", drain());
    }

    @Test
    void overrunWithoutFifosLosesTheOldestByte() {
        write(UartRegisters.MCR, LOOPBACK);
        write(UartRegisters.DATA, 'a');
        write(UartRegisters.DATA, 'b');
        assertEquals(0x63, read(UartRegisters.LSR));
        assertEquals('b', read(UartRegisters.DATA));
    }

    @Test
    void accessesOfOtherWidthsMeanNothing() {
        uart.write(UartRegisters.DATA, 4, 'a');
        assertEquals("", uart.slot.manualConsole().output());
        uart.slot.manualConsole().type("b");
        uart.read(UartRegisters.DATA, 2);
        assertEquals("b", drain());
    }

    @Test
    void resetForgetsEverythingButWhatIsStillTyped() {
        write(UartRegisters.FCR, TRIGGER_4);
        write(UartRegisters.IER, 0x0f);
        write(UartRegisters.SCR, 1);
        write(UartRegisters.MCR, LOOPBACK);
        uart.slot.manualConsole().type("n");
        uart.device().reset();
        assertFalse(uart.line().high());
        assertEquals(0, read(UartRegisters.IER));
        assertEquals(0, read(UartRegisters.SCR));
        assertEquals(0xb0, read(UartRegisters.MSR));
        assertEquals(UartRegisters.IIR_NONE, read(UartRegisters.IIR));
        assertEquals("n", drain());
    }

    @Test
    void takesNoByteWhileQuiescedAndAllOfThemAfterwards() {
        write(UartRegisters.FCR, FIFOS_ON);
        write(UartRegisters.IER, UartRegisters.IER_RECEIVED);
        uart.device().quiesce();
        uart.slot.manualConsole().type("later");
        assertEquals("", drain());
        assertFalse(uart.line().high());
        uart.device().resume();
        assertTrue(uart.line().high());
        assertEquals("later", drain());
    }

    @Test
    void takesNoByteBeforeItStarts() throws DeviceException {
        Chip created = Chip.created(new Ns16550aFactory(), Map.of());
        created.slot.manualConsole().type("early");
        assertEquals(5, created.slot.manualConsole().unread());
        created.device().start();
        assertEquals(4, created.slot.manualConsole().unread());
    }

    @Test
    void swapKeepsReceivedBytesAndPendingInterrupts() throws DeviceException {
        write(UartRegisters.FCR, TRIGGER_4);
        uart.slot.manualConsole().type("abc");
        write(UartRegisters.IER, UartRegisters.IER_RECEIVED | UartRegisters.IER_TRANSMITTER_EMPTY);
        long base = uart.base();
        uart.swap();
        assertEquals(base, uart.base());
        assertTrue(uart.line().high());
        assertEquals(UartRegisters.IIR_TIME_OUT, identification());
        uart.slot.manualConsole().type("d");
        assertEquals(UartRegisters.IIR_RECEIVED, identification());
        assertEquals("abcd", drain());
        assertEquals(UartRegisters.IIR_TRANSMITTER_EMPTY, identification());
    }

    @Test
    void failedSwapGoesOnWithTheOldDevice() throws DeviceException {
        write(UartRegisters.FCR, FIFOS_ON);
        uart.device().quiesce();
        new Ns16550aFactory().create(uart.slot);
        uart.device().resume();
        uart.slot.manualConsole().type("still here");
        assertEquals(0, uart.slot.manualConsole().unread());
    }

    @Test
    void savesWhatTheFirstReleaseSaved() {
        write(UartRegisters.FCR, TRIGGER_4);
        write(UartRegisters.LCR, 0x83);
        write(UartRegisters.DATA, 0x02);
        write(UartRegisters.IER, 0x01);
        write(UartRegisters.LCR, 0x03);
        write(UartRegisters.SCR, 0x5a);
        uart.slot.manualConsole().type("hi");
        write(UartRegisters.IER, 0x0f);
        write(UartRegisters.MCR, LOOPBACK | UartRegisters.MCR_OUT2 | UartRegisters.MCR_RTS);
        GoldenState.requireSame(Ns16550aTest.class, GOLDEN, uart.save());
    }

    @Test
    void restoresWhatTheFirstReleaseSaved() throws DeviceException {
        SavedState golden = GoldenState.read(Ns16550aTest.class, GOLDEN);
        uart.startFrom(golden);
        assertTrue(uart.line().high());
        assertEquals(0xc0 | UartRegisters.IIR_TIME_OUT, read(UartRegisters.IIR));
        assertEquals("hi", drain());
        assertEquals(UartRegisters.IIR_TRANSMITTER_EMPTY, identification());
        assertEquals(0x92, read(UartRegisters.MSR));
        assertEquals(0x1a, read(UartRegisters.MCR));
        assertEquals(0x5a, read(UartRegisters.SCR));
        write(UartRegisters.LCR, 0x80);
        assertEquals(0x02, read(UartRegisters.DATA));
        assertEquals(0x01, read(UartRegisters.IER));
    }

    @Test
    void ignoresUnknownNamesAndDefaultsMissingOnes() throws DeviceException {
        uart.startFrom(
                SavedState.of("ns16550a", 1).number("ier", 0x0f).number("parity", 3).build());
        assertEquals(0x0f, read(UartRegisters.IER));
        assertEquals("", drain());
    }

    @Test
    void refusesAStateWithMoreBytesThanItsFifoHolds() {
        SavedState damaged =
                SavedState.of("ns16550a", 1)
                        .number("fcr", 1)
                        .bytes("received", new byte[17])
                        .build();
        assertThrows(DeviceException.class, () -> uart.restore(damaged));
        SavedState withoutFifo =
                SavedState.of("ns16550a", 1).bytes("received", new byte[2]).build();
        assertThrows(DeviceException.class, () -> uart.restore(withoutFifo));
    }

    @Test
    void refusesANewerStateAndThatOfAnotherDevice() {
        assertThrows(
                DeviceException.class, () -> uart.restore(SavedState.of("ns16550a", 2).build()));
        assertThrows(
                DeviceException.class,
                () -> uart.restore(SavedState.of("goldfish-rtc", 1).build()));
    }
}
