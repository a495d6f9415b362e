package org.backplane.launcher.option;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.OptionalLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SizeTest {
    @ParameterizedTest
    @CsvSource({
        "512M, 536870912",
        "1g, 1073741824",
        "64k, 65536",
        "4096, 4096",
        "2GiB, 2147483648",
        "2MB, 2097152",
        "1T, 1099511627776",
        "0, 0"
    })
    void readsWhatPeopleWrite(String text, long bytes) {
        assertEquals(OptionalLong.of(bytes), Size.parse(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "M", "-1M", "1.5G", "512 M", "0x10", "12X", "9999999999T", "1e3", "٣M"})
    void refusesWhatIsNoSize(String text) {
        assertEquals(OptionalLong.empty(), Size.parse(text));
    }
}
