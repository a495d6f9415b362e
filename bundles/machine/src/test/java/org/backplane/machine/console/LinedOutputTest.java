package org.backplane.machine.console;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LinedOutputTest {
    private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
    private final LinedOutput output = new LinedOutput(shown);

    @ParameterizedTest
    @CsvSource({"'',''", "login:,login:|", "done|,done|", "done|#,done|#|", "|,|"})
    void endsOnlyALineThatWasBegun(String written, String left) throws IOException {
        output.write(bytes(written), 0, bytes(written).length);
        output.endLine();
        output.endLine();
        assertEquals(text(left), shown.toString(StandardCharsets.US_ASCII));
    }

    @ParameterizedTest
    @CsvSource({"'',''", "ab,ab|", "ab|,ab|"})
    void octetByOctetToo(String written, String left) throws IOException {
        for (byte octet : bytes(written)) {
            output.write(octet);
        }
        output.endLine();
        assertEquals(text(left), shown.toString(StandardCharsets.US_ASCII));
    }

    /** CSV has no line ends: a bar stands for one. */
    private static String text(String written) {
        return written.replace("|", "\r\n");
    }

    private static byte[] bytes(String written) {
        return text(written).getBytes(StandardCharsets.US_ASCII);
    }
}
