package org.backplane.launcher.script;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.backplane.launcher.script.ScriptFolder.Result;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The script over a tree of two modules, whose Maven only writes reports. */
@Timeout(120)
class VerifyScriptTest {
    private static final String REPORT =
            "<?xml version=\"1.0\"?>\n<testsuite xmlns:x=\"y\" version=\"3.0.2\" name=\"N\""
                    + " time=\"1.5\" tests=\"%d\" errors=\"%d\" skipped=\"%d\" failures=\"%d\">\n"
                    + "<testcase name=\"a tests=&quot;9&quot;\"/></testsuite>\n";

    @TempDir Path temporary;

    private ScriptFolder folder;

    @BeforeEach
    void aTreeOfTwoModules() throws IOException {
        folder = new ScriptFolder(temporary);
        folder.copy("verify", "verify");
        folder.write("pom.xml", "<modules>\n  <module>a</module>\n  <module>b/c</module>\n");
        folder.write("a/src/test/java/p/OneTest.java", "class OneTest {\n  @Test\n void x() {}}\n");
        folder.write("b/c/src/test/java/TwoIT.java", "class TwoIT {\n    @Property void x() {}}\n");
        folder.write("reports/one", REPORT.formatted(5, 0, 1, 0));
        folder.write("reports/two", REPORT.formatted(3, 0, 0, 0));
        maven(
                "mkdir -p a/target/surefire-reports b/c/target/failsafe-reports\n"
                        + "cp reports/one a/target/surefire-reports/TEST-p.OneTest.xml\n"
                        + "cp reports/two b/c/target/failsafe-reports/TEST-TwoIT.xml");
        folder.program("tools/qemu-riscv64", "");
        folder.program("tools/gcc", "");
    }

    private void maven(String body) throws IOException {
        folder.program("tools/mvn", body);
    }

    private Result verify(String... options) throws IOException, InterruptedException {
        String[] command = new String[options.length + 1];
        command[0] = temporary.resolve("verify").toString();
        System.arraycopy(options, 0, command, 1, options.length);
        return folder.run(
                Path.of("/"),
                Map.of("PATH", temporary.resolve("tools") + ":" + System.getenv("PATH")),
                command);
    }

    private void rig(String lastLine) throws IOException {
        folder.program("itests/rig/rig", "echo 'ok   10-check 3.2 s'\necho '" + lastLine + "'");
    }

    private static String last(Result result) {
        return result.output().substring(result.output().stripTrailing().lastIndexOf('\n') + 1);
    }

    @Test
    void countsFromTheReports() throws Exception {
        Result result = verify();
        assertEquals("7 passed, 0 failed, 1 skipped\n", last(result), result.output());
        assertEquals(0, result.status());
    }

    @Test
    void failsForFailuresAndErrors() throws Exception {
        folder.write("reports/one", REPORT.formatted(5, 1, 1, 2));
        Result result = verify();
        assertEquals("4 passed, 3 failed, 1 skipped\n", last(result), result.output());
        assertNotEquals(0, result.status());
    }

    @Test
    void failsForAModuleWhoseTestsDidNotRun() throws Exception {
        maven(
                "mkdir -p a/target/surefire-reports\n"
                        + "cp reports/one a/target/surefire-reports/TEST-p.OneTest.xml");
        Result result = verify();
        assertEquals("4 passed, 1 failed, 1 skipped\n", last(result), result.output());
        assertTrue(result.output().contains("b/c: TwoIT holds tests"), result.output());
        assertNotEquals(0, result.status());
    }

    @Test
    void failsForABuildThatBreaksAfterTheTests() throws Exception {
        maven(
                "mkdir -p a/target/surefire-reports b/c/target/failsafe-reports\n"
                        + "cp reports/one a/target/surefire-reports/TEST-p.OneTest.xml\n"
                        + "cp reports/two b/c/target/failsafe-reports/TEST-TwoIT.xml\n"
                        + "echo '[ERROR] not formatted'; exit 1");
        Result result = verify();
        assertEquals("7 passed, 1 failed, 1 skipped\n", last(result), result.output());
        assertTrue(result.output().contains("[ERROR] not formatted"), result.output());
        assertNotEquals(0, result.status());
    }

    @Test
    void doesNotCountReportsOfAnEarlierRun() throws Exception {
        folder.write("a/target/surefire-reports/TEST-Old.xml", REPORT.formatted(100, 0, 0, 0));
        assertEquals("7 passed, 0 failed, 1 skipped\n", last(verify()));
    }

    @Test
    void countsTheCasesOfTheRig() throws Exception {
        rig("20 passed, 0 failed, 2 skipped");
        Result result = verify("--rig");
        assertEquals("20 passed, 0 failed, 2 skipped\n", last(result), result.output());
        assertEquals(0, result.status());
    }

    @Test
    void addsTheRigToTheTree() throws Exception {
        rig("20 passed, 1 failed, 2 skipped");
        Result result = verify("--all");
        assertEquals("27 passed, 1 failed, 3 skipped\n", last(result), result.output());
        assertNotEquals(0, result.status());
    }

    @Test
    void failsForARigThatDoesNotCount() throws Exception {
        rig("rig: there is no distribution to try");
        Result result = verify("--rig");
        assertEquals("0 passed, 1 failed, 0 skipped\n", last(result), result.output());
        assertNotEquals(0, result.status());
    }
}
