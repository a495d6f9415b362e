package org.backplane.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class SamplesTest {
    @Test
    void percentilesAreValuesThatOccurred() {
        Samples upTo200 =
                Samples.of(LongStream.rangeClosed(1, 200).map(i -> 201 - i).boxed().toList());
        assertEquals(100, upTo200.percentile(50));
        assertEquals(198, upTo200.percentile(99));
        assertEquals(200, upTo200.worst());
    }

    @Test
    void oneValueIsEveryPercentile() {
        Samples one = Samples.of(List.of(7L));
        assertEquals(7, one.percentile(1));
        assertEquals(7, one.percentile(99));
    }

    @Test
    void nothingHasNoPercentile() {
        assertTrue(Samples.of(List.of()).isEmpty());
        assertThrows(IllegalStateException.class, () -> Samples.of(List.of()).percentile(50));
    }
}
