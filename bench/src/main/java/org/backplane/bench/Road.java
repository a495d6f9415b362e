package org.backplane.bench;

import java.io.IOException;
import java.nio.file.Path;

/** A way in which new code gets into a slot. */
interface Road {
    /**
     * Sets the change going; may return before the slot is filled by the new code.
     *
     * @param build the jar, which may be moved away
     * @throws BenchException if the machine refuses
     */
    void change(Path build) throws BenchException, IOException, InterruptedException;
}
