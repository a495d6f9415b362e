package org.backplane.launcher.dev;

import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The builds that a project makes, as they come. It waits for events of the host's file system;
 * with every event it looks what is there now, so that it does not matter which of them it was. One
 * thread takes builds; any may close.
 */
public final class Builds implements AutoCloseable {
    private final BuildOutput output;
    private final Path copies;
    private final WatchService events;

    /** Of each jar that is there the digest that it had when it was last whole. */
    private final Map<Path, String> digests = new HashMap<>();

    private Set<WatchKey> watched = Set.of();

    /**
     * Begins to watch.
     *
     * @param copies an own, empty folder for copies of the jars
     */
    public Builds(BuildOutput output, Path copies) throws IOException {
        this.output = output;
        this.copies = copies;
        events = output.project().getFileSystem().newWatchService();
        try {
            watch();
        } catch (IOException e) {
            events.close();
            throw e;
        }
    }

    /** Watches the folders there are; true if there is one that was not watched before. */
    private boolean watch() throws IOException {
        Set<WatchKey> now = new HashSet<>();
        for (Path folder : output.folders()) {
            try {
                now.add(
                        folder.register(
                                events,
                                StandardWatchEventKinds.ENTRY_CREATE,
                                StandardWatchEventKinds.ENTRY_MODIFY,
                                StandardWatchEventKinds.ENTRY_DELETE));
            } catch (NoSuchFileException | NotDirectoryException e) {
                if (folder.equals(output.project())) {
                    throw new IOException(
                            "the folder " + folder + " is gone; there is nothing to watch", e);
                }
                // The one above tells when it comes.
                break;
            }
        }
        boolean more = !watched.containsAll(now);
        watched = now;
        return more;
    }

    /**
     * The builds that are there and were not taken yet. A build counts once, whatever it is called
     * and however often it is written.
     *
     * @return the oldest first; their copies are the caller's to delete
     */
    public List<Build> present() throws IOException {
        List<Path> jars = output.jars();
        digests.keySet().retainAll(jars);
        return look(jars);
    }

    /**
     * Waits for the next builds.
     *
     * @return at least one, the oldest first; their copies are the caller's to delete
     * @throws ClosedWatchServiceException this was closed
     * @throws IOException with a sentence, if the project's folder is gone
     */
    public List<Build> next() throws IOException, InterruptedException {
        while (true) {
            Set<Path> changed = new HashSet<>();
            boolean all = false;
            for (WatchKey key = events.take(); key != null; key = events.poll()) {
                for (WatchEvent<?> event : key.pollEvents()) {
                    all |= event.kind() == StandardWatchEventKinds.OVERFLOW;
                    if (event.context() instanceof Path name) {
                        changed.add(((Path) key.watchable()).resolve(name));
                    }
                }
                key.reset();
            }
            all |= watch();
            List<Build> fresh =
                    all
                            ? present()
                            : look(
                                    changed.stream()
                                            .filter(
                                                    file ->
                                                            output.folder()
                                                                    .equals(file.getParent()))
                                            .filter(BuildOutput::isCandidate)
                                            .toList());
            if (!fresh.isEmpty()) {
                return fresh;
            }
        }
    }

    private List<Build> look(Collection<Path> jars) throws IOException {
        List<Build> found = new ArrayList<>();
        for (Path jar : jars) {
            if (!Files.exists(jar)) {
                digests.remove(jar);
            }
            Build.read(jar, copies).ifPresent(found::add);
        }
        found.sort(Comparator.comparing(Build::saved));
        List<Build> fresh = new ArrayList<>();
        for (Build build : found) {
            if (isNew(build)) {
                fresh.add(build);
            } else {
                build.discard();
            }
        }
        return fresh;
    }

    private boolean isNew(Build build) {
        boolean known = digests.containsValue(build.digest());
        digests.put(build.jar(), build.digest());
        return !known;
    }

    /** Ends the watch, and a wait for builds with it. */
    @Override
    public void close() throws IOException {
        events.close();
    }
}
