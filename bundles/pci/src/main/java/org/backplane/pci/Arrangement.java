package org.backplane.pci;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.backplane.bus.Bus;

/**
 * How registers and claims of all functions of a host bridge change, and how handlers hear of it.
 * Thread-safe.
 *
 * <p>Placement has no lock of its own. Registers and claims change inside of {@link Bus#change}, so
 * the bus's lock serves; handlers hear of it afterwards, under no lock.
 */
final class Arrangement {
    private final Logger log = System.getLogger(Arrangement.class.getName());
    private final Bus bus;
    private final Supplier<List<PciFunction>> functions;

    /** Functions of which handlers were told something, or may be; guarded by the bus's lock. */
    private final List<PciFunction> announced = new ArrayList<>();

    private final Courier announcer = new Courier(this::announce);

    /**
     * @param functions those that are plugged, who comes first first
     */
    Arrangement(Bus bus, Supplier<List<PciFunction>> functions) {
        this.bus = bus;
        this.functions = functions;
    }

    /** A function was made. */
    void add(PciFunction function) {
        bus.change(() -> announced.add(function));
    }

    /**
     * Changes registers and claims in one step; then BARs that waited for the addresses given up
     * get them, then handlers hear of it.
     */
    <X extends Exception> void change(Bus.Change<X> action) throws X {
        try {
            bus.change(
                    () -> {
                        action.run();
                        placeWaiting();
                    });
        } finally {
            announcer.send();
        }
    }

    /** By device number and BAR: who comes first gets what several wait for. */
    private void placeWaiting() {
        boolean progress = true;
        while (progress) {
            progress = false;
            for (PciFunction function : functions.get()) {
                for (BaseAddressRegister register : function.registers()) {
                    if (register.waiting()) {
                        register.settle();
                        progress |= !register.waiting();
                    }
                }
            }
        }
    }

    private record Announcement(PciFunction function, BaseAddressRegister register, long base) {}

    /**
     * Tells the handlers where their BARs decode, if that is news. All that is stale is withdrawn
     * before anything is announced, both from one picture of the claims: what the handlers have
     * mapped at any time is as disjoint as the claims are.
     */
    private void announce() {
        List<Announcement> news = new ArrayList<>();
        bus.change(
                () -> {
                    announced.forEach(function -> addNews(function, news));
                    announced.removeIf(PciFunction::closed);
                });
        for (Announcement each : news) {
            if (each.register().announced() != BaseAddressRegister.NOWHERE) {
                tell(each, BaseAddressRegister.NOWHERE);
            }
        }
        for (Announcement each : news) {
            if (each.base() != BaseAddressRegister.NOWHERE) {
                tell(each, each.base());
            }
        }
    }

    private static void addNews(PciFunction function, List<Announcement> news) {
        for (BaseAddressRegister register : function.registers()) {
            long base = register.decodingAt();
            if (base != register.announced()) {
                news.add(new Announcement(function, register, base));
            }
        }
    }

    private void tell(Announcement what, long base) {
        int bar = what.register().bar().index();
        what.register().announced(base);
        try {
            what.function().moved(bar, base);
        } catch (RuntimeException e) {
            log.log(
                    Level.ERROR,
                    "%s failed as BAR %d moved to 0x%x"
                            .formatted(what.function().slot(), bar, base),
                    e);
        }
    }
}
