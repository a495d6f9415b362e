package org.backplane.launcher.option;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.OptionalLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

class SizePropertyTest {
    @Property
    void whatIsFormattedExactlyIsReadBack(
            @ForAll @LongRange(min = 1, max = 1 << 20) long count,
            @ForAll @IntRange(min = 1, max = 4) int unit) {
        long bytes = count << 10 * unit;
        assertEquals(OptionalLong.of(bytes), Size.parse(Size.format(bytes)), Size.format(bytes));
    }
}
