package org.backplane.launcher.folder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogFileTest {
    private static final int MOST = 2000;

    @TempDir Path folder;

    private Path path() {
        return folder.resolve("vm.log");
    }

    private Path aside() {
        return folder.resolve("vm.log.1");
    }

    private void log(int from, int to) throws IOException {
        BoundedFile file = new BoundedFile(path(), aside(), MOST);
        file.setFormatter(new SimpleFormatter());
        for (int i = from; i < to; i++) {
            file.publish(new LogRecord(Level.INFO, "message %d.".formatted(i)));
        }
        file.close();
    }

    private static List<String> messages(Path file) throws IOException {
        return Files.readAllLines(file).stream()
                .filter(line -> line.contains("message "))
                .map(line -> line.replaceAll(".*message (\\d+)\\..*", "$1"))
                .toList();
    }

    @Test
    void twoBoundedFilesHoldTheLatestMessagesWithoutAGap() throws Exception {
        log(0, 500);
        assertTrue(Files.size(path()) <= MOST, () -> "long: " + path());
        assertTrue(Files.size(aside()) < MOST + 200, () -> "long: " + aside());
        List<String> kept = new ArrayList<>(messages(aside()));
        kept.addAll(messages(path()));
        assertTrue(kept.size() > 10, kept::toString);
        for (int i = 0; i < kept.size(); i++) {
            assertEquals(Integer.toString(500 - kept.size() + i), kept.get(i));
        }
    }

    @Test
    void theNextMachineOfTheNameAppends() throws Exception {
        log(0, 2);
        log(2, 4);
        assertEquals(List.of("0", "1", "2", "3"), messages(path()));
    }
}
