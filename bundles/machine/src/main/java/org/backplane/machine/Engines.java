package org.backplane.machine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.backplane.hypervisor.Fitness;
import org.backplane.hypervisor.Fitness.Grade;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.machine.board.KernelFormat;

/**
 * The engines that are installed, and which of them runs a machine. An engine is only asked whether
 * it is fit if the answer can count: asking may load native code.
 */
final class Engines {
    /** The plan's word for whichever fits. */
    static final String AUTO = "auto";

    private final List<Hypervisor> installed;
    private final Consumer<String> told;

    /**
     * @param installed the best ranked first
     * @param told which engine runs the machine and why, one line, once it is decided
     */
    Engines(List<Hypervisor> installed, Consumer<String> told) {
        this.installed = List.copyOf(installed);
        this.told = told;
    }

    /**
     * Decides for a kernel.
     *
     * @param kernel empty if there is none, or its content is to tell what it is: then what any
     *     host runs
     * @param wanted name of an engine, or {@link #AUTO}
     * @throws MachineException none runs it here, or the one that is wanted does not
     */
    Hypervisor choose(Optional<KernelFormat> kernel, String wanted) throws MachineException {
        if (wanted.equals(AUTO)) {
            return fittest(kernel.orElse(KernelFormat.RISCV));
        }
        return kernel.isPresent()
                ? wanted(kernel.get(), wanted)
                : decided(named(wanted), "--engine asks for it");
    }

    /** Decides for a snapshot, which only the engine that it was taken of can restore. */
    Hypervisor ofSnapshot(String name, String wanted) throws MachineException {
        if (!wanted.equals(AUTO) && !wanted.equals(name)) {
            throw new MachineException(
                    "It is of the engine '%s', and --engine asks for '%s': leave --engine out."
                            .formatted(name, wanted));
        }
        return decided(named(name), "the snapshot is of it");
    }

    private Hypervisor wanted(KernelFormat kernel, String name) throws MachineException {
        Hypervisor engine = named(name);
        if (!engine.architecture().equals(kernel.architecture())) {
            throw new MachineException(
                    "The engine '%s' runs kernels for %s, and this one is for %s: leave --engine out, or give another kernel."
                            .formatted(name, engine.architecture(), kernel.architecture()));
        }
        Fitness fitness = engine.fitness();
        if (fitness.grade() == Grade.NONE) {
            throw new MachineException(fitness.reason());
        }
        return decided(
                engine,
                fits(fitness, kernel)
                        ? "--engine asks for it"
                        : "--engine asks for it, but " + clause(fitness));
    }

    private Hypervisor fittest(KernelFormat kernel) throws MachineException {
        List<Candidate> candidates = candidates(kernel.architecture());
        Optional<Candidate> best = best(candidates, kernel);
        if (best.isPresent()) {
            return decided(
                    best.get().engine(),
                    "the kernel is for %s, and %s"
                            .formatted(kernel.architecture(), clause(best.get().fitness())));
        }
        if (candidates.isEmpty()) {
            throw new MachineException(
                    "No engine for %s is installed: a bundle has to offer a Hypervisor of that architecture."
                            .formatted(kernel.architecture()));
        }
        throw new MachineException(
                "No engine runs this kernel for %s on this host: %s"
                        .formatted(
                                kernel.architecture(),
                                candidates.stream()
                                        .map(Engines::refusal)
                                        .collect(Collectors.joining(" "))));
    }

    private record Candidate(Hypervisor engine, Fitness fitness) {}

    private List<Candidate> candidates(String architecture) {
        return installed.stream()
                .filter(engine -> engine.architecture().equals(architecture))
                .map(engine -> new Candidate(engine, engine.fitness()))
                .toList();
    }

    private static Optional<Candidate> best(List<Candidate> candidates, KernelFormat kernel) {
        Optional<Candidate> best = Optional.empty();
        for (Candidate each : candidates) {
            Grade grade = each.fitness().grade();
            if (fits(each.fitness(), kernel)
                    && best.filter(other -> other.fitness().grade().compareTo(grade) >= 0)
                            .isEmpty()) {
                best = Optional.of(each);
            }
        }
        return best;
    }

    /**
     * Every engine, in the words that a launcher shows: {@code name}, {@code architecture}, {@code
     * grade}, {@code reason}, and {@code kernels}, the formats that it would be chosen for now.
     */
    List<Map<String, String>> report() {
        List<Map<String, String>> report = new ArrayList<>();
        for (String architecture :
                new TreeSet<>(installed.stream().map(Hypervisor::architecture).toList())) {
            List<Candidate> candidates = candidates(architecture);
            for (Candidate each : candidates) {
                report.add(
                        Map.of(
                                "name", each.engine().name(),
                                "architecture", architecture,
                                "grade", each.fitness().grade().name(),
                                "reason", each.fitness().reason(),
                                "kernels", kernels(each, candidates, architecture)));
            }
        }
        return report;
    }

    private static String kernels(
            Candidate engine, List<Candidate> candidates, String architecture) {
        return Arrays.stream(KernelFormat.values())
                .filter(format -> format.architecture().equals(architecture))
                .filter(format -> best(candidates, format).equals(Optional.of(engine)))
                .map(KernelFormat::word)
                .collect(Collectors.joining(" "));
    }

    private static String refusal(Candidate candidate) {
        Fitness fitness = candidate.fitness();
        return fitness.grade() == Grade.NONE
                ? fitness.reason()
                : "%s; --engine %s tries all the same."
                        .formatted(clause(fitness), candidate.engine().name());
    }

    private static boolean fits(Fitness fitness, KernelFormat kernel) {
        return fitness.grade().compareTo(kernel.isSystem() ? Grade.FULL : Grade.LIMITED) >= 0;
    }

    private Hypervisor decided(Hypervisor engine, String why) {
        told.accept("engine %s: %s".formatted(engine.name(), why));
        return engine;
    }

    /** A sentence as a part of another. */
    private static String clause(Fitness fitness) {
        return fitness.reason().replaceAll("\\.$", "");
    }

    private Hypervisor named(String name) throws MachineException {
        for (Hypervisor engine : installed) {
            if (engine.name().equals(name)) {
                return engine;
            }
        }
        throw new MachineException(
                installed.isEmpty()
                        ? "No engine is installed: a bundle like 'hart' has to offer a Hypervisor."
                        : "There is no engine '%s': the engines are %s."
                                .formatted(
                                        name,
                                        installed.stream()
                                                .map(Hypervisor::name)
                                                .sorted()
                                                .collect(Collectors.joining(", "))));
    }
}
