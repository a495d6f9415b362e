package org.backplane.device.context;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FirmwareNodeTest {
    @ParameterizedTest
    @ValueSource(strings = {"", "PNP0501", "ACPI0007", "80860F28"})
    void takesIdentifiersThatFirmwareCanGive(String id) {
        assertEquals(id, node(id).hardwareId());
    }

    @ParameterizedTest
    @ValueSource(strings = {"ns16550a", "PNP501", "pnp0501", "PNP050100", "PNP050G", " "})
    void refusesIdentifiersThatFirmwareCannotGive(String id) {
        var refused = assertThrows(IllegalArgumentException.class, () -> node(id));
        assertTrue(refused.getMessage().contains("'" + id + "'"), refused.getMessage());
    }

    private static FirmwareNode node(String id) {
        return new FirmwareNode("x", List.of("vendor,x"), Map.of(), List.of(), id);
    }
}
