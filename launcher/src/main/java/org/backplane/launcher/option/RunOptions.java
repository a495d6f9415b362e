package org.backplane.launcher.option;

import java.util.List;
import java.util.Optional;

/** The options of {@code run} as written; empty where not given. */
public record RunOptions(
        Optional<String> kernel,
        Optional<String> initrd,
        Optional<String> append,
        Optional<String> memory,
        Optional<String> cpus,
        List<String> disks,
        List<String> nets,
        List<String> devices,
        List<String> vfios,
        Optional<String> console,
        Optional<String> name,
        Optional<String> bundles,
        Optional<String> config,
        Optional<String> restore,
        Optional<String> trust,
        Optional<String> web,
        Optional<String> ssh,
        Optional<String> vacancy,
        Optional<String> probation,
        EngineOptions engine,
        WindowOptions windows) {}
