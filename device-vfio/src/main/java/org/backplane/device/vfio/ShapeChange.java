package org.backplane.device.vfio;

import java.util.Optional;
import org.backplane.pci.PciShape;
import org.backplane.pci.Type0Header;

/** In what a device differs from the one that was there before, for a message. */
final class ShapeChange {
    private ShapeChange() {}

    /** The first difference that says most; the two are not equal. */
    static String clause(PciShape before, PciShape now) {
        if (before.vendorId() != now.vendorId() || before.deviceId() != now.deviceId()) {
            return "it is %04x:%04x and not the %04x:%04x that was plugged"
                    .formatted(
                            now.vendorId(), now.deviceId(), before.vendorId(), before.deviceId());
        }
        for (int index = 0; index < Type0Header.BASE_ADDRESS_REGISTERS; index++) {
            if (!before.bar(index).equals(now.bar(index))) {
                return "its BAR %d was %s and is %s"
                        .formatted(index, bar(before.bar(index)), bar(now.bar(index)));
            }
        }
        int vectors = before.msix().map(PciShape.Msix::vectors).orElse(0);
        int vectorsNow = now.msix().map(PciShape.Msix::vectors).orElse(0);
        if (vectors != vectorsNow) {
            return "it had %d MSI-X vectors and has %d".formatted(vectors, vectorsNow);
        }
        return "its header, interrupts or capabilities are not those of the device that was plugged";
    }

    private static String bar(Optional<PciShape.Bar> bar) {
        return bar.map(
                        each ->
                                "0x%x bytes of %s%s"
                                        .formatted(
                                                each.size(),
                                                each.prefetchable() ? "prefetchable " : "",
                                                each.kind()))
                .orElse("absent");
    }
}
