package org.backplane.device.vfio;

import static org.backplane.vfio.VfioDevice.MSIX;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.backplane.linux.EventFd;
import org.backplane.vfio.IrqInfo;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A device in a process that ends, and comes back. */
class PresenceTest {
    private static final long SECOND = 1_000_000_000;

    private static final String REMEDY =
            "; start the server of the former device, or unplug the slot and plug it again";

    private final PlayedDevice host = PlayedDevice.nvme();
    private EventFd end;
    private Plugged plugged;

    @BeforeEach
    void plug() throws Exception {
        end = EventFd.open();
        host.readiness = Optional.of(end);
        plugged = new Plugged(host.mapping(0, end));
        plugged.on();
        plugged.config(0x42, 2, 0x8000);
        plugged.program(0x2000, 1, false);
        plugged.write(0, 0x14, 4, 5);
        host.calls();
    }

    @AfterEach
    void unplug() {
        plugged.close();
        end.close();
    }

    private void leave() {
        host.there = false;
        plugged.slot.readable(end);
    }

    @Test
    void readsAllOnesWhileItIsGoneAndTheMachineGoesOn() {
        leave();
        assertEquals(0xffff_ffffL, plugged.read(0, 0x14, 4));
        assertEquals(0xffff, plugged.config(0xe0, 2));
        plugged.write(0, 0x14, 4, 7);
        plugged.program(0x2000, 2, false);
        plugged.config(4, 2, 0);
        assertEquals(List.of(), host.calls());
        assertEquals(
                List.of(
                        "gone: 0000:01:00.0: it stopped playing; its registers read as all ones until it is back"),
                plugged.slot.told());
    }

    @Test
    void whatIsMappedComesAsAccessesWhileItIsGone() {
        assertEquals(1, plugged.mapped.size());
        leave();
        assertEquals(0, plugged.mapped.size());
        host.there = true;
        plugged.slot.advanceTo(plugged.slot.guestTime() + SECOND);
        assertEquals(1, plugged.mapped.size());
    }

    @Test
    void anAccessThatFailsIsEnoughToSeeThatItIsGone() {
        host.there = false;
        assertEquals(0xff, plugged.read(0, 0x14, 1));
        assertEquals(1, plugged.slot.told().size());
    }

    @Test
    void makesItsInterruptsAgainWhenItIsBackAndHasTheGuestLook() {
        leave();
        plugged.slot.advanceTo(3 * SECOND);
        assertEquals(List.of(), host.calls());
        host.there = true;
        plugged.slot.advanceTo(4 * SECOND);
        assertEquals(
                List.of("reconnect", "write 7+4 3", "write 7+4 7", "trigger 2+0 -e"), host.calls());
        plugged.carry();
        assertEquals(1, plugged.messages.count(0x41));
        assertEquals(5, plugged.read(0, 0x14, 4));
        assertEquals(
                "back: 0000:01:00.0: its interrupts and DMA maps are made again",
                plugged.slot.told().get(1));
        assertEquals(List.of(end), List.copyOf(plugged.slot.watched()).subList(0, 1));
    }

    @Test
    void goesAgainAndComesAgain() {
        for (int time = 1; time <= 3; time++) {
            leave();
            assertEquals(0xff, plugged.read(0, 0x14, 1));
            host.there = true;
            plugged.slot.advanceTo(10 * time * SECOND);
            assertEquals(5, plugged.read(0, 0x14, 4));
        }
        assertEquals(6, plugged.slot.told().size());
    }

    /** A second passes; what the host heard. */
    private List<String> aSecondLater() {
        plugged.slot.advanceTo(plugged.slot.guestTime() + SECOND);
        return host.calls();
    }

    /** Another comes, and is there for long: it is looked at, left alone, and told once. */
    private void assertNotLetIn(String why) {
        leave();
        host.there = true;
        for (int time = 0; time < 10; time++) {
            assertEquals(List.of("reconnect", "disconnect"), aSecondLater());
        }
        assertFalse(host.attend());
        assertEquals(0xffff_ffffL, plugged.read(0, 0x14, 4));
        assertEquals(0, plugged.mapped.size());
        assertEquals("not the same: 0000:01:00.0: " + why, plugged.slot.told().get(1));
        assertEquals(2, plugged.slot.told().size());
    }

    @Test
    void anotherDeviceAtTheSamePlaceIsNotLetIn() {
        host.set(0x02, 2, 0x9999);
        assertNotLetIn("it is 1b36:9999 and not the 1b36:0010 that was plugged" + REMEDY);
    }

    @Test
    void theGuestReachesNoDeviceThatHasYetToBeLookedAt() {
        leave();
        host.set(0x02, 2, 0x9999);
        host.there = true;
        Set<Long> read = new TreeSet<>();
        host.onConfigRead =
                () -> {
                    read.add(plugged.read(0, 0x14, 4));
                    // Would be followed to a vector that the other may not have.
                    plugged.program(0x2000, 2, false);
                };
        assertEquals(List.of("reconnect", "disconnect"), aSecondLater());
        assertEquals(Set.of(0xffff_ffffL), read);
    }

    @Test
    void oneWithABarOfAnotherSizeIsNotLetIn() {
        host.bar(0, 0b0100, 0x8000);
        assertNotLetIn(
                "its BAR 0 was 0x4000 bytes of MEMORY_64 and is 0x8000 bytes of MEMORY_64"
                        + REMEDY);
    }

    @Test
    void oneWithAnotherBarIsNotLetIn() {
        host.bar(2, 0, 0x1000);
        assertNotLetIn("its BAR 2 was absent and is 0x1000 bytes of MEMORY_32" + REMEDY);
    }

    @Test
    void oneWithOtherVectorsIsNotLetIn() {
        host.set(0x42, 2, 7).irq(MSIX, new IrqInfo(MSIX, 8, true, false, false, true));
        assertNotLetIn("it had 5 MSI-X vectors and has 8" + REMEDY);
    }

    @Test
    void oneWithFewerVectorsThanItsTableIsNotLetIn() {
        host.irq(MSIX, new IrqInfo(MSIX, 2, true, false, false, true));
        assertNotLetIn(
                "Slot 'nic1': 0000:01:00.0 has an MSI-X table of 5 vectors, of which 2 can be had; give another device, or mend the server of this one.");
    }

    @Test
    void aVectorThatTheHostCannotHaveMakesItNoOtherDevice() throws Exception {
        leave();
        plugged.slot.kept("vector 2", AutoCloseable.class, () -> () -> {});
        plugged.program(0x2000, 2, false);
        host.there = true;
        plugged.slot.advanceTo(10 * SECOND);
        assertEquals(5, plugged.read(0, 0x14, 4));
        assertTrue(host.armed(MSIX, 1));
        assertTrue(
                plugged.slot.told().get(1).startsWith("interrupts: "),
                plugged.slot.told()::toString);
        assertTrue(plugged.slot.told().get(2).startsWith("back: "), plugged.slot.told()::toString);
        assertEquals(3, plugged.slot.told().size());
    }

    @Test
    void theFormerDeviceIsTakenAgainOnceTheOtherHasGone() {
        host.set(0x02, 2, 0x9999);
        leave();
        host.there = true;
        aSecondLater();
        host.there = false;
        aSecondLater();
        assertEquals(2, plugged.slot.told().size());
        host.set(0x02, 2, 0x0010);
        host.there = true;
        aSecondLater();
        assertEquals(5, plugged.read(0, 0x14, 4));
        assertEquals(
                "back: 0000:01:00.0: its interrupts and DMA maps are made again",
                plugged.slot.told().get(2));
    }

    @Test
    void anotherOneYetIsToldToo() {
        host.set(0x02, 2, 0x9999);
        leave();
        host.there = true;
        aSecondLater();
        host.set(0x02, 2, 0x9998);
        aSecondLater();
        assertTrue(plugged.slot.told().get(2).contains("1b36:9998"), plugged.slot.told()::toString);
    }

    @Test
    void aServerThatCannotBeUsedIsToldOnceUntilTheDeviceIsBack() {
        leave();
        host.there = true;
        host.unusable = "it does not greet.";
        for (int time = 0; time < 10; time++) {
            assertEquals(List.of("reconnect"), aSecondLater());
        }
        assertEquals(
                List.of("not usable: 0000:01:00.0: it does not greet."),
                plugged.slot.told().subList(1, plugged.slot.told().size()));
        host.unusable = null;
        aSecondLater();
        assertEquals(5, plugged.read(0, 0x14, 4));
        leave();
        host.there = true;
        host.unusable = "it does not greet.";
        aSecondLater();
        aSecondLater();
        assertEquals(5, plugged.slot.told().size(), plugged.slot.told()::toString);
    }

    @Test
    void oneThatGoesWhileItIsLookedAtIsToldOnce() {
        leave();
        host.there = true;
        host.onConfigRead = () -> host.there = false;
        for (int time = 0; time < 10; time++) {
            host.there = true;
            aSecondLater();
        }
        assertEquals(2, plugged.slot.told().size(), plugged.slot.told()::toString);
        assertTrue(
                plugged.slot.told().get(1).startsWith("not usable: "),
                plugged.slot.told()::toString);
    }

    @Test
    void oneThatRefusesWhatIsDoneAtItsReturnIsLetGo() {
        leave();
        host.there = true;
        host.refusedWrites = 1;
        assertEquals(List.of("reconnect", "disconnect"), aSecondLater());
        assertEquals(
                "not usable: 0000:01:00.0: it does not take the write.",
                plugged.slot.told().get(1));
        aSecondLater();
        assertEquals(5, plugged.read(0, 0x14, 4));
    }

    @Test
    void aResetWhileItIsGoneIsMadeUpForByItsReturn() throws Exception {
        leave();
        plugged.function.reset();
        plugged.device.reset();
        host.there = true;
        plugged.slot.advanceTo(10 * SECOND);
        assertEquals(
                List.of("reconnect", "write 7+4 3", "trigger 0+0 e", "resample 0"), host.calls());
    }
}
