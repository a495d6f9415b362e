package org.backplane.launcher.script;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A folder with scripts of the project and stand-ins for the programs they call. */
record ScriptFolder(Path path) {
    /** What a script printed, both streams in one, and its exit status. */
    record Result(int status, String output) {}

    /** The project's top folder; tests run in that of their module. */
    static Path project() {
        return Path.of("..").toAbsolutePath().normalize();
    }

    /** Copies a script of the project. */
    Path copy(String script, String to) throws IOException {
        Path target = path.resolve(to);
        Files.createDirectories(target.getParent());
        Files.copy(
                project().resolve(script),
                target,
                StandardCopyOption.COPY_ATTRIBUTES,
                StandardCopyOption.REPLACE_EXISTING);
        return target;
    }

    Path program(String name, String body) throws IOException {
        Path file = write(name, "#!/bin/bash\n" + body + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        return file;
    }

    Path write(String name, String contents) throws IOException {
        Path file = path.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, contents);
    }

    Result run(Path in, Map<String, String> environment, String... command)
            throws IOException, InterruptedException {
        // Who is begun in a shell's background ignores SIGINT, who is begun by nohup SIGHUP, and so
        // does all that they begin.
        List<String> line = new ArrayList<>(List.of("env", "--default-signal=INT,HUP"));
        line.addAll(List.of(command));
        ProcessBuilder builder = new ProcessBuilder(line);
        builder.directory(in.toFile());
        builder.redirectErrorStream(true);
        builder.redirectInput(Path.of("/dev/null").toFile());
        builder.environment().remove("JAVA_HOME");
        builder.environment().put("HOME", path.resolve("home").toString());
        builder.environment().put("BACKPLANE_CLASS_ARCHIVE", "off");
        builder.environment().putAll(environment);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), output);
    }
}
