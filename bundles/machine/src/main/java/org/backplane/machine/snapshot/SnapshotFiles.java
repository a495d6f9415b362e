package org.backplane.machine.snapshot;

/** The files in a snapshot's folder: docs/snapshot.md. */
final class SnapshotFiles {
    static final String MANIFEST = "manifest";
    static final String STATE = "state";
    static final String MEMORY = "memory";

    private SnapshotFiles() {}
}
