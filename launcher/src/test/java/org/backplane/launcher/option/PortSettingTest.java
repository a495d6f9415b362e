package org.backplane.launcher.option;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PortSettingTest {
    @ParameterizedTest
    @ValueSource(strings = {"1", "8", "255"})
    void acceptsANumber(String text) {
        assertEquals(Optional.empty(), PortSetting.remedy(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "-1", "01", "1000", "first", "1.0"})
    void rejectsWhatIsNoPort(String text) {
        assertEquals(
                Optional.of("'port=" + text + "' is wrong: give a root port's number, from 1 on"),
                PortSetting.remedy(text));
    }
}
