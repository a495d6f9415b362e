package org.backplane.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.backplane.device.state.SavedState;
import org.junit.jupiter.api.Test;

class GoldenStateTest {
    private static final String RESOURCE = "nested-v3.properties";

    private static SavedState nested() {
        return SavedState.of("nested", 3)
                .number("least", Long.MIN_VALUE)
                .number("a-b", 1)
                .bytes("octets", new byte[] {0, (byte) 0xff})
                .bytes("none", new byte[0])
                .child(
                        "inner",
                        SavedState.of("inner", 1)
                                .number("dotted.name", 7)
                                .child("innermost", SavedState.of("innermost", 2).build())
                                .build())
                .build();
    }

    @Test
    void readsWhatIsWritten() {
        SavedState read = GoldenState.read(GoldenStateTest.class, RESOURCE);
        assertEquals(GoldenState.write(read), GoldenState.write(nested()));
        assertEquals(nested(), read);
        GoldenState.requireSame(GoldenStateTest.class, RESOURCE, nested());
    }

    @Test
    void failsForAnyChangeWithTheFileOfTheNextVersion() {
        SavedState changed = DamagedState.copy(nested()).number("least", 1).build();
        String message =
                assertThrows(
                                AssertionError.class,
                                () ->
                                        GoldenState.requireSame(
                                                GoldenStateTest.class, RESOURCE, changed))
                        .getMessage();
        assertTrue(message.contains(GoldenState.write(changed)), message);
    }

    @Test
    void damageReachesEveryPlaceAndIsNeverTheSame() {
        SavedState whole = nested();
        List<DamagedState> damaged = DamagedState.of(whole);
        damaged.forEach(each -> assertNotEquals(whole, each.state(), each.what()));
        for (String place :
                List.of(
                        "schema",
                        "version=4",
                        "number.least=0",
                        "bytes.octets with 0 bytes",
                        "bytes.octets with 1 bytes",
                        "inner missing",
                        "child.inner.version=2",
                        "child.inner.number.dotted.name=6",
                        "child.inner.innermost missing",
                        "child.inner.child.innermost.schema")) {
            assertTrue(damaged.stream().anyMatch(each -> each.what().equals(place)), place);
        }
        assertFalse(DamagedState.without(whole, "inner").children().containsKey("inner"));
    }
}
