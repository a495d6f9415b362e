package org.backplane.launcher.option;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The forms are those that the machine's own test has. */
class PinSettingTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "none",
                "org.acme.disk",
                "org.acme.disk@1",
                "org.acme.disk@1.2",
                "org.acme.disk@1.2.3",
                "org.acme.disk@1.2.3.b7",
                "org.acme.disk@[1.2,2)",
                "org.acme.disk@(1.2,2]",
                "disk-2_a@[1,1]"
            })
    void takesAPin(String text) {
        assertEquals(Optional.empty(), PinSetting.remedy(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "true@",
                "@1.2",
                "org.acme.disk@",
                "org..acme",
                "org.acme.disk:1.2",
                "org.acme disk",
                "org.acme.disk@1.x",
                "org.acme.disk@[1.2",
                "org.acme.disk@[2,1]",
                "org.acme.disk@(1,1)",
                "org.acme.disk@1.2.3.4.5",
                "org.acme.disk@9999999999"
            })
    void refusesWhatIsNone(String text) {
        String remedy = PinSetting.remedy(text).orElseThrow();
        assertTrue(remedy.startsWith("'pin=" + text + "' is wrong: "), remedy);
    }
}
