package org.backplane.launcher.folder;

import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UnsupportedEncodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.logging.ErrorManager;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.StreamHandler;

/**
 * Appends records to a file, which is put aside when it is long, in the place of the one put aside
 * before. Thread-safe.
 */
final class BoundedFile extends StreamHandler {
    private final Path path;
    private final Path aside;
    private final long most;
    private long written;

    /**
     * @param most bytes of the file, but for the record that goes beyond
     */
    BoundedFile(Path path, Path aside, long most) throws IOException {
        this.path = path;
        this.aside = aside;
        this.most = most;
        try {
            setEncoding("UTF-8");
        } catch (UnsupportedEncodingException e) {
            throw new IOException(e);
        }
        setLevel(Level.ALL);
        open();
    }

    private void open() throws IOException {
        if (Files.exists(path) && Files.size(path) > most) {
            Files.move(path, aside, StandardCopyOption.REPLACE_EXISTING);
        }
        written = Files.exists(path) ? Files.size(path) : 0;
        var file = new BufferedOutputStream(new FileOutputStream(path.toFile(), true));
        setOutputStream(new Counted(file));
    }

    @Override
    public synchronized void publish(LogRecord message) {
        super.publish(message);
        flush();
        if (written > most) {
            try {
                // Closes the stream that it replaces.
                open();
            } catch (IOException e) {
                written = 0;
                reportError(
                        "'%s' cannot be put aside; it goes on".formatted(path),
                        e,
                        ErrorManager.OPEN_FAILURE);
            }
        }
    }

    /** Under the handler's lock, as all of its writing is. */
    private final class Counted extends OutputStream {
        private final OutputStream file;

        Counted(OutputStream file) {
            this.file = file;
        }

        @Override
        public void write(int octet) throws IOException {
            file.write(octet);
            written++;
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            file.write(bytes, offset, length);
            written += length;
        }

        @Override
        public void flush() throws IOException {
            file.flush();
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
