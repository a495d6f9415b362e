package org.backplane.chipset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.util.List;
import java.util.Map;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SaveSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DebugExitTest {
    private Chip exit;

    @BeforeEach
    void plug() throws DeviceException {
        exit = Chip.started(new DebugExitFactory());
    }

    @ParameterizedTest
    @CsvSource({"0,1", "1,3", "16,33", "127,255", "128,1", "0xffffffff,255"})
    void endsTheMachineWithTwiceTheValuePlusOne(String value, int status) {
        exit.write(0, 4, Long.decode(value));
        assertEquals(List.of(status), exit.slot.exitStatuses());
    }

    @ParameterizedTest
    @CsvSource({"0,1", "0,2", "0,4", "1,1", "2,2", "3,1"})
    void everyPortAndWidthWillDo(int offset, int width) {
        exit.write(offset, width, 2);
        assertEquals(List.of(5), exit.slot.exitStatuses());
    }

    @Test
    void liesWhereTestProgramsExpectIt() {
        assertEquals(0xf4, exit.base());
        assertEquals(Space.IO, exit.slot.regions().get(0).window().space());
        assertEquals(4, exit.slot.regions().get(0).range().size());
    }

    @Test
    void liesElsewhereIfAskedTo() throws DeviceException {
        assertEquals(0x501, Chip.created(new DebugExitFactory(), Map.of("base", "0x501")).base());
    }

    @Test
    void readingEndsNothing() {
        assertEquals(0, exit.read(0, 4));
        assertEquals(List.of(), exit.slot.exitStatuses());
    }

    @Test
    void isNotInTheFirmwaresTablesAndRemembersNothing() {
        assertEquals(List.of(), exit.slot.nodes());
        assertInstanceOf(SaveSupport.Stateless.class, exit.device().saveSupport());
    }
}
