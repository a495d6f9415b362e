package org.backplane.launcher.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.backplane.launcher.option.Problems;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

class CommandLineTest {
    private static List<String> problems(String... words) {
        CommandLine root = new CommandLine(CommandSpec.create());
        root.addSubcommand(new RunCommand());
        root.setAllowOptionsAsOptionParameters(false);
        root.getSubcommands().get("run").getCommandSpec().parser().collectErrors(true);
        Problems problems = new Problems();
        List<String> line = new ArrayList<>(List.of("run"));
        line.addAll(List.of(words));
        CommandLineWords.parse(root, line, problems);
        return problems.sentences();
    }

    @ParameterizedTest
    @CsvSource({"--memroy, --memory", "--kernal, --kernel", "--disc, --disk"})
    void proposesTheOptionThatWasMeant(String written, String meant) {
        List<String> problems = problems(written, "x");
        assertEquals(1, problems.size(), problems::toString);
        assertTrue(problems.get(0).startsWith(written + " is no option"), problems::toString);
        assertTrue(problems.get(0).contains("did you mean " + meant + "?"), problems::toString);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--bogus", "--q", "--foo"})
    void proposesNothingForAWordLikeNone(String written) {
        assertFalse(problems(written).get(0).contains("did you mean"), () -> written);
    }

    @Test
    void proposesTheOptionThatWasBegun() {
        assertTrue(problems("--mem", "1G").get(0).contains("did you mean --memory?"));
    }

    @Test
    void tellsEveryUnknownWordAndGoesOn() {
        List<String> problems = problems("--foo=1", "--cpus", "2", "stray", "--bar");
        assertEquals(3, problems.size(), problems::toString);
        assertTrue(problems.get(0).startsWith("--foo "));
        assertTrue(problems.get(1).contains("'stray'"));
        assertTrue(problems.get(2).startsWith("--bar "));
    }

    @Test
    void missesAValue() {
        assertEquals(List.of("--memory has no value; give --memory SIZE"), problems("--memory"));
    }

    @Test
    void losesNoOptionAfterOneWithoutItsValue() {
        assertEquals(
                List.of(
                        "--memory has no value; give --memory SIZE",
                        "--name has no value; give --name NAME",
                        "--cpus is given twice; give it once"),
                problems("--memory", "--cpus", "1", "--name", "--cpus", "2"));
    }

    @Test
    void refusesASingleOptionTwice() {
        assertEquals(
                List.of("--cpus is given twice; give it once"),
                problems("--cpus", "1", "--cpus", "2"));
    }

    @Test
    void takesRepeatableOptionsTwice() {
        assertEquals(List.of(), problems("--disk", "a", "--disk", "b", "--append", "x=y z"));
    }
}
