package org.backplane.launcher.trust;

import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.backplane.launcher.guest.Digest;

/**
 * Says which jars are admitted: those of the distribution as it was built, those that the folder of
 * {@code --trust} lists by digest or whose signer's certificate it holds, and what has the contents
 * of a jar that was admitted by its digest. Safe for all threads.
 */
public final class JarJudge {
    private final TrustFolder folder;
    private final Map<String, String> distribution;
    private final InstantSource clock;
    private final Set<String> admittedContents = new HashSet<>();

    /**
     * @param distribution digests of the distribution's jars and their names
     */
    JarJudge(TrustFolder folder, Map<String, String> distribution, InstantSource clock) {
        this.folder = folder;
        this.distribution = Map.copyOf(distribution);
        this.clock = clock;
    }

    /**
     * Why a jar is not admitted, as a clause with the jar's digest; empty if it is. Reads all of
     * the jar.
     */
    Optional<String> refusal(Path jar) {
        try {
            String digest = Digest.of(jar);
            List<String> mistakes = new ArrayList<>();
            // The distribution runs on whatever has become of the folder.
            if (distribution.containsKey(digest)) {
                return admitContents(jar);
            }
            Optional<TrustedCode> trusted = folder.read(mistakes::add);
            if (trusted.isEmpty()) {
                return Optional.of(
                        "nothing is admitted now, for of --trust %s: %s"
                                .formatted(folder.path(), String.join("; ", mistakes)));
            }
            if (trusted.get().digests().containsKey(digest)) {
                return admitContents(jar);
            }
            if (hasAdmittedContents(jar)) {
                return Optional.empty();
            }
            return SignedJar.refusal(jar, trusted.get().certificates(), clock.instant())
                    .map(
                            reason ->
                                    "%s; --trust %s admits what a certificate there signed, or its file '%s' lists (this jar has %s)"
                                            .formatted(
                                                    reason,
                                                    folder.path(),
                                                    TrustFolder.DIGESTS,
                                                    digest));
        } catch (IOException e) {
            return Optional.of("its jar cannot be read: " + e.getMessage());
        }
    }

    private Optional<String> admitContents(Path jar) throws IOException {
        Optional<String> contents = JarContents.digest(jar);
        synchronized (admittedContents) {
            contents.ifPresent(admittedContents::add);
        }
        return Optional.empty();
    }

    private boolean hasAdmittedContents(Path jar) throws IOException {
        Optional<String> contents = JarContents.digest(jar);
        synchronized (admittedContents) {
            return contents.filter(admittedContents::contains).isPresent();
        }
    }
}
