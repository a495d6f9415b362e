package org.backplane.machine.board;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.backplane.bus.IoHandler;
import org.junit.jupiter.api.Test;

class ResetControlTest {
    private final List<String> calls = new ArrayList<>();
    private final ResetControl ports =
            new ResetControl(
                    new IoHandler() {
                        @Override
                        public long read(long offset, int width) {
                            calls.add("read %d %d".formatted(offset, width));
                            return 0x55;
                        }

                        @Override
                        public void write(long offset, int width, long value) {
                            calls.add("write %d %d %x".formatted(offset, width, value));
                        }
                    },
                    () -> calls.add("reset"));

    /** Linux, native_machine_emergency_restart: reads, sets SYS_RST, then RST_CPU with it. */
    @Test
    void resetsOnceAsAKernelAsksForIt() {
        long code = 0x0e;
        long before = ports.read(1, 1) & ~code;
        ports.write(1, 1, before | 2);
        assertEquals(List.of(), calls);
        ports.write(1, 1, before | code);
        assertEquals(List.of("reset"), calls);
        assertEquals(0, ports.read(1, 1));
    }

    @Test
    void everythingElseIsConfiguration() {
        ports.write(0, 4, 0x8000_0004L);
        ports.write(1, 2, 0x0404);
        ports.write(0, 1, 4);
        ports.write(2, 1, 4);
        ports.write(5, 1, 4);
        assertEquals(0x55, ports.read(4, 4));
        assertEquals(0x55, ports.read(1, 2));
        assertEquals(
                List.of(
                        "write 0 4 80000004",
                        "write 1 2 404",
                        "write 0 1 4",
                        "write 2 1 4",
                        "write 5 1 4",
                        "read 4 4",
                        "read 1 2"),
                calls);
    }
}
