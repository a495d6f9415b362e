package org.backplane.launcher.dev;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Where a build leaves its jars.
 *
 * @param project a folder that is there
 * @param folder the output folder, the project's own or one below; builds delete and make it
 */
public record BuildOutput(Path project, Path folder) {
    /** What builds put beside a bundle and is none. */
    private static final Pattern BESIDE =
            Pattern.compile("original-.*|.*-(?:sources|javadoc|tests|test-sources)\\.jar");

    /** The output of a Maven or a Gradle project; any other folder holds the jar itself. */
    public static BuildOutput of(Path project) throws IOException {
        if (Files.isRegularFile(project.resolve("pom.xml"))) {
            return new BuildOutput(project, project.resolve("target"));
        }
        try (DirectoryStream<Path> scripts =
                Files.newDirectoryStream(project, "*.{gradle,gradle.kts}")) {
            return new BuildOutput(
                    project,
                    scripts.iterator().hasNext()
                            ? project.resolve("build").resolve("libs")
                            : project);
        }
    }

    /** The project's folder, the output folder and what is between, the outermost first. */
    List<Path> folders() {
        List<Path> folders = new ArrayList<>();
        for (Path each = folder; !each.equals(project); each = each.getParent()) {
            folders.add(0, each);
        }
        folders.add(0, project);
        return folders;
    }

    /** Whether a file of that name may be the bundle. */
    static boolean isCandidate(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(".jar") && !BESIDE.matcher(name).matches();
    }

    /** The jars that may be the bundle, by name; none while the folder is not there. */
    List<Path> jars() throws IOException {
        List<Path> jars = new ArrayList<>();
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(folder, BuildOutput::isCandidate)) {
            files.forEach(jars::add);
        } catch (NoSuchFileException | NotDirectoryException e) {
            return List.of();
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        jars.sort(null);
        return jars;
    }
}
