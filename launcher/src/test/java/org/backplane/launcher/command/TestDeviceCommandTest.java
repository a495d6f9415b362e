package org.backplane.launcher.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.backplane.launcher.ExitStatus;
import org.backplane.launcher.option.Problems;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** What {@code test-device} refuses before it starts anything. */
class TestDeviceCommandTest {
    @TempDir Path folder;

    private Path jar;

    @BeforeEach
    void aJarOfTwoKinds() throws IOException {
        jar = folder.resolve("a.jar");
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes()
                .putValue(
                        "Provide-Capability",
                        "org.backplane.device;kind=a;settings:List<String>=\"limit=1..9,path!=file\","
                                + "org.backplane.device;kind=b;settings:List<String>=\"on=flag\"");
        new JarOutputStream(Files.newOutputStream(jar), manifest).close();
    }

    private List<String> refusals(String... words) throws IOException {
        TestDeviceCommand command = new TestDeviceCommand();
        new CommandLine(command).parseArgs(words);
        Problems problems = new Problems();
        assertEquals(ExitStatus.BAD_INPUT, command.run(problems));
        return problems.sentences();
    }

    @Test
    void judgesValuesByTheManifest() throws IOException {
        assertEquals(
                List.of(
                        "--set limit=0: 'limit=0' is wrong: give a number from 1 to 9",
                        "--set on=maybe: 'on=maybe' is wrong: give on or off"),
                refusals(jar.toString(), "--set=limit=0", "--set=path=/x", "--set=on=maybe"));
    }

    @Test
    void asksForWhatAKindNeeds() throws IOException {
        assertEquals(
                List.of("test-device " + jar + ": a needs path=FILE; give it with --set"),
                refusals(jar.toString(), "--set=limit=1"));
    }

    @Test
    void refusesASettingOfNoKind() throws IOException {
        assertEquals(
                List.of("--set foo=1: no kind of " + jar + " has a setting 'foo'"),
                refusals(jar.toString(), "--set=path=/x", "--set=foo=1"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "PK", "root:x:0:0:root:/root:/bin/bash\n"})
    void refusesAFileThatIsNoJar(String text) throws IOException {
        Files.writeString(jar, text);
        List<String> refusals = refusals(jar.toString());
        assertEquals(1, refusals.size(), refusals::toString);
        assertEquals(
                "test-device " + jar + ": this is no jar",
                refusals.get(0).replaceFirst("(?s)jar: [^:]*$", "jar"));
    }
}
