package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.inject.Inject;
import org.apache.felix.cm.impl.ConfigurationManager;
import org.backplane.itests.PayloadMachine.Setup;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.CoreOptions;
import org.ops4j.pax.exam.Option;
import org.osgi.framework.BundleContext;

/**
 * kvm-unit-tests' flat files for x86, unmodified, where the folder with them is given. Which of
 * them pass is the kernel's affair; that each is loaded, runs and ends with a status is ours.
 */
@RunWith(WithKvmUnitTests.class)
public final class KvmUnitTestsIT {
    private static final int CPUS = 2;

    /** What the flat files read in place of QEMU's fw_cfg, which is not here. */
    private static final String ENVIRONMENT =
            "NR_CPUS=%d\nMEMSIZE=128\nTEST_DEVICE=0\nBOOTLOADER=0\n".formatted(CPUS);

    @Inject private BundleContext context;

    @Configuration
    public Option[] framework() {
        return CoreOptions.options(
                Framework.base(),
                Framework.onClassPath(ConfigurationManager.class),
                Framework.project(Framework.BOARD),
                Framework.project(List.of("kvm", "machine", "chipset")));
    }

    @Test
    public void flatFilesRunAndEndWithAStatus() throws Exception {
        List<Path> files;
        try (Stream<Path> all = Files.list(WithKvmUnitTests.folder().orElseThrow())) {
            files = all.filter(file -> file.toString().endsWith(".flat")).sorted().toList();
        }
        assertFalse("no .flat file in the folder", files.isEmpty());
        List<String> without = new ArrayList<>();
        for (Path file : files) {
            Setup setup = new Setup(file, "").with("cpus", CPUS).withModule(ENVIRONMENT);
            try (PayloadMachine machine = setup.start(context)) {
                int status = machine.end();
                System.out.printf(
                        "%s %s (status %d): %s%n",
                        status == PayloadMachine.PASSED ? "PASS" : "FAIL",
                        file.getFileName(),
                        status,
                        machine.heard().lines().reduce("", (before, last) -> last));
                if ((status & 1) == 0) {
                    without.add(file + ": " + machine.heard());
                }
            }
        }
        assertEquals(List.of(), without);
    }
}
