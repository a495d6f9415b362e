package org.backplane.device.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.backplane.linux.EventFd;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A device in a process that ends, and comes back. */
class PresenceTest {
    private static final long SECOND = 1_000_000_000;

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
                List.of("gone: 0000:01:00.0: its registers read as all ones until it is back"),
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

    @Test
    void anotherDeviceAtTheSamePlaceIsNotLetIn() {
        leave();
        host.set(0x02, 2, 0x9999);
        host.there = true;
        plugged.slot.advanceTo(10 * SECOND);
        assertEquals(0xffff_ffffL, plugged.read(0, 0x14, 4));
        assertEquals(
                "not the same: 0000:01:00.0: it is 1b36:9999 with other BARs or capabilities than the 1b36:0010 that was plugged; give that back, or unplug it",
                plugged.slot.told().get(1));
        assertEquals(2, plugged.slot.told().size());
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
