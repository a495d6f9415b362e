package org.backplane.shell.command;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.shell.command.Choices.Choice;
import org.backplane.shell.command.Choices.Typing;

/** Files and folders of the host, for completion: those of the folder that is typed so far. */
final class Paths {
    /** More would help nobody. */
    private static final int MOST = 200;

    private Paths() {}

    static Choices folders() {
        return typing -> entries(typing, ":");
    }

    /** Folders too, because the file may be in one. */
    static Choices files(String suffix) {
        return typing -> entries(typing, suffix);
    }

    private static List<Choice> entries(Typing typing, String suffix) {
        String word = typing.word();
        String typed = word.substring(0, word.lastIndexOf('/') + 1);
        Optional<Path> folder = folder(typed, typing.folder());
        if (folder.isEmpty()) {
            return List.of();
        }
        List<Choice> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder.get())) {
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                boolean inside = Files.isDirectory(entry);
                if (found.size() < MOST
                        && (inside || name.endsWith(suffix))
                        && name.startsWith(word.substring(typed.length()))
                        && (!name.startsWith(".") || word.endsWith("."))) {
                    found.add(new Choice(typed + name + (inside ? "/" : ""), "", !inside));
                }
            }
        } catch (IOException unreadable) {
            // Nothing to suggest there; the command will say why.
            return List.of();
        }
        return found;
    }

    private static Optional<Path> folder(String typed, Optional<Path> from) {
        try {
            Path path = Path.of(typed);
            return path.isAbsolute() ? Optional.of(path) : from.map(folder -> folder.resolve(path));
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }
}
