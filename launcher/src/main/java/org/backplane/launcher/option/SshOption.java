package org.backplane.launcher.option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Reads {@code --ssh [ADDRESS:]PORT[,keys=FILE]}. */
final class SshOption {
    private static final String OPTION = "--ssh";
    private static final String KEYS = "keys";

    private SshOption() {}

    /**
     * Where logins are offered, and to whom.
     *
     * @param usual the file of keys that is meant if none is given
     */
    static Optional<SshPlan> read(String text, Path usual, Problems problems) {
        int before = problems.count();
        Words words = Words.of(text);
        Set<String> unknown = new TreeSet<>(words.settings().keySet());
        unknown.remove(KEYS);
        for (String key : unknown) {
            problems.add(
                    OPTION, text, "'" + key + "' is no setting of it; there is only keys=FILE");
        }
        if (!words.twice().isEmpty()) {
            problems.add(OPTION, text, "keys is given twice; give one file");
        }
        Optional<ListenAddress> address = ListenOption.read(OPTION, words.head(), problems);
        String given = words.settings().get(KEYS);
        Optional<Path> keys =
                given == null
                        ? Optional.of(usual)
                        : PlanReader.path(given, wrong -> problems.add(OPTION, text, wrong));
        keys.ifPresent(file -> check(file, text, problems));
        return problems.count() == before && address.isPresent() && keys.isPresent()
                ? Optional.of(new SshPlan(address.get(), keys.get()))
                : Optional.empty();
    }

    private static void check(Path file, String text, Problems problems) {
        try {
            if (!Files.isRegularFile(file)) {
                problems.add(
                        OPTION,
                        text,
                        "there is no file of keys %s; write the public keys there that may log in, as in authorized_keys, or give keys=FILE"
                                .formatted(file));
            } else if (!Files.isReadable(file)) {
                problems.add(
                        OPTION,
                        text,
                        "the file of keys %s cannot be read by this user; change its mode or owner"
                                .formatted(file));
            } else if (Files.getPosixFilePermissions(file).stream()
                    .anyMatch(
                            permission ->
                                    permission == PosixFilePermission.GROUP_WRITE
                                            || permission == PosixFilePermission.OTHERS_WRITE)) {
                problems.add(
                        OPTION,
                        text,
                        "the file of keys can be written by other users; take that away: chmod go-w "
                                + file);
            }
        } catch (IOException e) {
            problems.add(OPTION, text, "the file of keys " + file + ": " + e.getMessage());
        }
    }
}
