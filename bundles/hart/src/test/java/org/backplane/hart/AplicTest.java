package org.backplane.hart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.backplane.hypervisor.Vm;

class AplicTest {
    private static final int DOMAINCFG = 0;
    private static final int SETIP = 0x1c00;
    private static final int SETIPNUM = 0x1cdc;
    private static final int IN_CLRIP = 0x1d00;
    private static final int CLRIPNUM = 0x1ddc;
    private static final int SETIE = 0x1e00;
    private static final int SETIENUM = 0x1edc;
    private static final int CLRIE = 0x1f00;
    private static final int CLRIENUM = 0x1fdc;
    private static final int SETIPNUM_LE = 0x2000;
    private static final int SETIPNUM_BE = 0x2004;
    private static final int GENMSI = 0x3000;

    private static final int DETACHED = 1;
    private static final int EDGE1 = 4;
    private static final int EDGE0 = 5;
    private static final int LEVEL1 = 6;
    private static final int LEVEL0 = 7;

    private static final int SOURCES = 40;
    private static final int HARTS = 4;

    private final List<String> messages = new ArrayList<>();
    private final Aplic aplic = aplic(messages);

    private static Aplic aplic(List<String> messages) {
        return new Aplic(SOURCES, HARTS, (hart, identity) -> messages.add(hart + ":" + identity));
    }

    private static int sourcecfg(int source) {
        return 4 * source;
    }

    private static int target(int source) {
        return 0x3000 + 4 * source;
    }

    private void write(int offset, int value) {
        aplic.write(offset, 4, value);
    }

    private int read(int offset) {
        return aplic.read(offset, 4);
    }

    /** Forwarded to hart 2 as identity 100 + source. */
    private void open(int source, int mode) {
        write(sourcecfg(source), mode);
        write(target(source), 2 << 18 | 100 + source);
        write(SETIENUM, source);
        write(DOMAINCFG, 1 << 8);
    }

    private List<String> sent() {
        List<String> copy = List.copyOf(messages);
        messages.clear();
        return copy;
    }

    @Example
    void deliversByMessageAndNothingElse() {
        assertEquals(0x80000004, read(DOMAINCFG));
        write(DOMAINCFG, -1);
        assertEquals(0x80000104, read(DOMAINCFG));
        write(DOMAINCFG, 0);
        assertEquals(0x80000004, read(DOMAINCFG));
    }

    @Example
    void holdsTheModesThatAreDefined() {
        for (int mode = 0; mode < 8; mode++) {
            write(sourcecfg(3), mode);
            assertEquals(mode == 2 || mode == 3 ? 0 : mode, read(sourcecfg(3)));
        }
    }

    @Example
    void delegationWithoutChildrenMakesASourceInactive() {
        open(3, LEVEL1);
        write(sourcecfg(3), 1 << 10 | LEVEL1);
        assertEquals(0, read(sourcecfg(3)));
        assertEquals(0, read(target(3)));
        assertEquals(0, read(SETIE));
    }

    @Example
    void inactiveSourcesHaveNoState() {
        write(target(3), -1);
        write(SETIENUM, 3);
        write(SETIPNUM, 3);
        assertEquals(0, read(target(3)));
        assertEquals(0, read(SETIE));
        assertEquals(0, read(SETIP));
    }

    @Example
    void targetHasNoGuestIndex() {
        write(sourcecfg(3), DETACHED);
        write(target(3), -1);
        assertEquals(0xfffc07ff, read(target(3)));
    }

    @Example
    void registersOfSourcesNotThereReadZero() {
        write(sourcecfg(SOURCES + 1), LEVEL1);
        write(sourcecfg(1023), LEVEL1);
        write(target(SOURCES + 1), -1);
        write(SETIE + 4, -1);
        write(SETIPNUM, SOURCES + 1);
        write(SETIENUM, -1);
        assertEquals(0, read(sourcecfg(SOURCES + 1)));
        assertEquals(0, read(sourcecfg(1023)));
        assertEquals(0, read(target(SOURCES + 1)));
        assertEquals(0, read(SETIE + 4));
    }

    @Example
    void machineLevelAddressesAndDeliveryControlsReadZero() {
        for (int offset : new int[] {0x1bc0, 0x1bc4, 0x1bc8, 0x1bcc, 0x4000, 0x4018, 0x401c}) {
            write(offset, -1);
            assertEquals(0, read(offset));
        }
    }

    @Example
    void ignoresAllButAlignedWords() {
        aplic.write(sourcecfg(3), 8, LEVEL1);
        aplic.write(sourcecfg(3), 1, LEVEL1);
        aplic.write(sourcecfg(3) + 2, 4, LEVEL1);
        assertEquals(0, read(sourcecfg(3)));
        assertEquals(0, aplic.read(DOMAINCFG, 1));
        assertEquals(0, aplic.read(DOMAINCFG, 8));
    }

    @Example
    void risingLevelIsSentOnceUntilTheEndOfItsHandling() {
        open(3, LEVEL1);
        aplic.setLine(3, true);
        assertEquals(List.of("2:103"), sent());
        aplic.setLine(3, true);
        assertEquals(List.of(), sent());
        write(SETIPNUM_LE, 3);
        assertEquals(List.of("2:103"), sent());
        aplic.setLine(3, false);
        write(SETIPNUM_LE, 3);
        assertEquals(List.of(), sent());
        aplic.setLine(3, true);
        assertEquals(List.of("2:103"), sent());
    }

    @Example
    void fallenLevelIsNoLongerPending() {
        write(sourcecfg(3), LEVEL1);
        aplic.setLine(3, true);
        assertEquals(1 << 3, read(SETIP));
        aplic.setLine(3, false);
        assertEquals(0, read(SETIP));
    }

    @Example
    void invertedLevelIsAssertedWhenLow() {
        open(3, LEVEL0);
        assertEquals(List.of("2:103"), sent());
        assertEquals(1 << 3, read(IN_CLRIP));
        aplic.setLine(3, true);
        assertEquals(0, read(IN_CLRIP));
        aplic.setLine(3, false);
        assertEquals(List.of("2:103"), sent());
    }

    @Example
    void lineAlreadyHighIsSeenWhenItsModeIsSet() {
        aplic.setLine(3, true);
        open(3, LEVEL1);
        assertEquals(List.of("2:103"), sent());
        write(sourcecfg(3), LEVEL1);
        assertEquals(List.of(), sent());
    }

    @Example
    void edgesAreRememberedWhateverTheLineDoesNext() {
        write(sourcecfg(3), EDGE1);
        aplic.setLine(3, true);
        aplic.setLine(3, false);
        assertEquals(1 << 3, read(SETIP));
        open(3, EDGE1);
        assertEquals(List.of("2:103"), sent());
        assertEquals(0, read(SETIP));
        open(4, EDGE0);
        aplic.setLine(4, true);
        assertEquals(List.of(), sent());
        aplic.setLine(4, false);
        assertEquals(List.of("2:104"), sent());
    }

    @Example
    void detachedSourceIgnoresItsWireAndObeysSoftware() {
        open(3, DETACHED);
        aplic.setLine(3, true);
        assertEquals(0, read(IN_CLRIP));
        assertEquals(List.of(), sent());
        write(SETIPNUM_BE, Integer.reverseBytes(3));
        write(SETIPNUM, 3);
        write(SETIP, 1 << 3);
        assertEquals(List.of("2:103", "2:103", "2:103"), sent());
    }

    @Example
    void nothingLeavesUntilSourceAndDomainAreEnabled() {
        write(sourcecfg(33), EDGE1);
        write(target(33), 1 << 18 | 7);
        aplic.setLine(33, true);
        write(SETIE + 4, 1 << 1);
        assertEquals(1 << 1, read(SETIE + 4));
        assertEquals(1 << 1, read(SETIP + 4));
        assertEquals(List.of(), sent());
        write(DOMAINCFG, 1 << 8);
        assertEquals(List.of("1:7"), sent());
        write(CLRIENUM, 33);
        assertEquals(0, read(SETIE + 4));
        write(SETIPNUM, 33);
        assertEquals(List.of(), sent());
        write(SETIENUM, 33);
        assertEquals(List.of("1:7"), sent());
        write(CLRIE + 4, 1 << 1);
        assertEquals(0, read(SETIE + 4));
        assertEquals(0, read(CLRIE + 4));
    }

    @Example
    void softwareClearsWhatIsPending() {
        write(sourcecfg(3), EDGE1);
        write(sourcecfg(4), EDGE1);
        write(SETIP, 3 << 3);
        write(IN_CLRIP, 1 << 3);
        assertEquals(1 << 4, read(SETIP));
        write(CLRIPNUM, 4);
        assertEquals(0, read(SETIP));
    }

    @Example
    void generatesAMessageWhateverIsEnabled() {
        write(GENMSI, 3 << 18 | 1 << 12 | 9);
        assertEquals(List.of("3:9"), sent());
        assertEquals(3 << 18 | 9, read(GENMSI));
    }

    @Example
    void dropsMessagesToHartsNotThere() {
        write(GENMSI, HARTS << 18 | 9);
        write(GENMSI, -1);
        assertEquals(List.of(), sent());
    }

    @Example
    void listenerThatLowersTheLineEndsTheInterrupt() {
        open(3, LEVEL1);
        Vm.Lease lease =
                aplic.onResample(
                        3,
                        () -> {
                            messages.add("resample");
                            aplic.setLine(3, false);
                        });
        aplic.setLine(3, true);
        write(SETIPNUM_LE, 3);
        assertEquals(List.of("2:103", "resample"), sent());
        lease.close();
        aplic.setLine(3, true);
        write(SETIPNUM_LE, 3);
        assertEquals(List.of("2:103", "2:103"), sent());
    }

    @Example
    void listenerHearsOfItsLevelSourceOnly() {
        open(3, LEVEL1);
        open(4, LEVEL1);
        open(5, EDGE1);
        aplic.onResample(3, () -> messages.add("resample 3"));
        aplic.onResample(5, () -> messages.add("resample 5"));
        write(SETIPNUM_LE, 4);
        assertEquals(List.of(), sent());
        write(SETIPNUM_LE, 5);
        assertEquals(List.of("2:105"), sent());
        write(SETIP, 1 << 3);
        assertEquals(List.of("resample 3"), sent());
    }

    @Example
    void listenersOfOneSourceAreIndependent() {
        open(3, LEVEL1);
        Vm.Lease first = aplic.onResample(3, () -> messages.add("first"));
        aplic.onResample(3, () -> messages.add("second"));
        write(SETIPNUM_LE, 3);
        assertEquals(List.of("first", "second"), sent());
        first.close();
        first.close();
        write(SETIPNUM_LE, 3);
        assertEquals(List.of("second"), sent());
    }

    @Example
    void resetKeepsWiresAndListeners() {
        open(3, LEVEL1);
        aplic.onResample(3, () -> messages.add("resample"));
        aplic.setLine(3, true);
        write(GENMSI, 9);
        messages.clear();
        aplic.reset();
        assertEquals(0x80000004, read(DOMAINCFG));
        assertEquals(0, read(sourcecfg(3)));
        assertEquals(0, read(target(3)));
        assertEquals(0, read(SETIE));
        assertEquals(0, read(GENMSI));
        open(3, LEVEL1);
        assertEquals(List.of("2:103"), sent());
        write(SETIPNUM_LE, 3);
        assertEquals(List.of("resample", "2:103"), sent());
    }

    @Example
    void refusesSourcesItCannotHave() {
        assertThrows(IllegalArgumentException.class, () -> new Aplic(0, 1, (h, i) -> {}));
        assertThrows(IllegalArgumentException.class, () -> new Aplic(1024, 1, (h, i) -> {}));
        assertThrows(IllegalArgumentException.class, () -> aplic.onResample(0, () -> {}));
        assertThrows(IllegalArgumentException.class, () -> aplic.onResample(41, () -> {}));
        aplic.setLine(0, true);
        aplic.setLine(SOURCES + 1, true);
    }

    /**
     * For every mode: what was sent and is pending after each step, against the sentences of AIA
     * section 4.7 written as a model of one source.
     */
    @Property
    void pendingBitFollowsTheRulesOfItsMode(
            @ForAll("modes") int mode, @ForAll("steps") List<Integer> steps) {
        List<String> out = new ArrayList<>();
        Aplic checked = aplic(out);
        checked.write(sourcecfg(7), 4, mode);
        checked.write(target(7), 4, 1 << 18 | 5);
        boolean level = mode >= LEVEL1;
        boolean wired = mode >= EDGE1;
        boolean inverted = wired && (mode & 1) != 0;
        boolean wire = false;
        boolean pending = level && inverted;
        boolean source = false;
        boolean domain = false;
        int expectedSent = 0;
        for (int step : steps) {
            boolean before = wired && wire != inverted;
            switch (step) {
                case 0:
                    wire = !wire;
                    checked.setLine(7, wire);
                    break;
                case 1:
                    checked.write(SETIPNUM, 4, 7);
                    pending |= !level || before;
                    break;
                case 2:
                    checked.write(CLRIPNUM, 4, 7);
                    pending = false;
                    break;
                case 3:
                    source = !source;
                    checked.write(source ? SETIENUM : CLRIENUM, 4, 7);
                    break;
                default:
                    domain = !domain;
                    checked.write(DOMAINCFG, 4, domain ? 1 << 8 : 0);
                    break;
            }
            boolean input = wired && wire != inverted;
            pending |= input && !before;
            pending &= !level || input;
            if (pending && source && domain) {
                pending = false;
                expectedSent++;
            }
            assertEquals(pending ? 1 << 7 : 0, checked.read(SETIP, 4));
            assertEquals(input ? 1 << 7 : 0, checked.read(IN_CLRIP, 4));
            assertEquals(expectedSent, out.size());
        }
    }

    @Provide
    Arbitrary<Integer> modes() {
        return Arbitraries.of(DETACHED, EDGE1, EDGE0, LEVEL1, LEVEL0);
    }

    @Provide
    Arbitrary<List<Integer>> steps() {
        return Arbitraries.integers().between(0, 4).list().ofMaxSize(40);
    }
}
