package org.backplane.chipset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.util.List;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext.PowerRequest;
import org.backplane.device.context.FirmwareNode;
import org.backplane.device.state.SaveSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PowerSwitchTest {
    private Chip power;

    @BeforeEach
    void plug() throws DeviceException {
        power = Chip.started(new PowerSwitchFactory());
    }

    @ParameterizedTest
    @CsvSource({
        "0x5555,POWER_OFF",
        "0x7777,REBOOT",
        "0x3333,POWER_OFF",
        "0x00053333,POWER_OFF",
    })
    void asksTheMachine(String value, PowerRequest request) {
        power.write(0, 4, Long.decode(value));
        assertEquals(List.of(request), power.slot.powerRequests());
    }

    @ParameterizedTest
    @CsvSource({"0,4", "0x1234,4", "0x5555,2", "0x55,1"})
    void ignoresWhatMeansNothing(String value, int width) {
        power.write(0, width, Long.decode(value));
        assertEquals(List.of(), power.slot.powerRequests());
    }

    /** Linux writes through a regmap, which reads first and leaves out writes of no change. */
    @Test
    void readsZero() {
        power.write(0, 4, 0x1234);
        assertEquals(0, power.read(0, 4));
    }

    @Test
    void remembersNothing() {
        assertInstanceOf(SaveSupport.Stateless.class, power.device().saveSupport());
    }

    @Test
    void describesItselfAndItsFollowersToTheFirmware() {
        FirmwareNode node = power.slot.nodes().get(0);
        assertEquals(List.of("sifive,test1", "sifive,test0", "syscon"), node.compatible());
        assertEquals(
                List.of(
                        new FirmwareNode(
                                "poweroff",
                                List.of("syscon-poweroff"),
                                Map.of("regmap", FirmwareNode.PARENT, "offset", 0, "value", 0x5555),
                                List.of()),
                        new FirmwareNode(
                                "reboot",
                                List.of("syscon-reboot"),
                                Map.of("regmap", FirmwareNode.PARENT, "offset", 0, "value", 0x7777),
                                List.of())),
                node.followers());
    }
}
