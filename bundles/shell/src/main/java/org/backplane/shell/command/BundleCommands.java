package org.backplane.shell.command;

import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.backplane.shell.command.Choices.Choice;
import org.backplane.shell.command.Choices.Typing;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.InvalidSyntaxException;

/**
 * Installing, starting, stopping and updating bundles. Felix has commands of the same names, still
 * there as {@code felix:start}; those print an exception's name and call it a success.
 */
public final class BundleCommands {
    private static final String TRANSIENT = "--transient";
    private static final String BUNDLE = "BUNDLE";

    /** Property of the launcher's service that says why a bundle is refused. */
    private static final String TRUST = "org.backplane.trust";

    private static final String JAR_OR_URL = "JAR|URL";

    private final BundleContext context;

    public BundleCommands(BundleContext context) {
        this.context = context;
    }

    public List<Command> all() {
        return List.of(
                Command.named("shell:install")
                        .does("installs a bundle; start it by the number that is printed")
                        .word(JAR_OR_URL, Paths.files(".jar"))
                        .example("shell:install /home/me/my-disk/target/my-disk-1.1.0.jar")
                        .runs(this::install),
                Command.named("shell:start")
                        .does("starts bundles")
                        .flag(TRANSIENT, "until the framework is started anew")
                        .word(BUNDLE, this::bundles)
                        .any("MORE", this::bundles)
                        .example("shell:start 12")
                        .runs(this::start),
                Command.named("shell:stop")
                        .does("stops bundles; the machine itself is stopped by vm:stop")
                        .flag(TRANSIENT, "until the framework is started anew")
                        .word(BUNDLE, this::bundles)
                        .any("MORE", this::bundles)
                        .example("shell:stop org.backplane.web")
                        .runs(this::stop),
                Command.named("shell:update")
                        .does("replaces a bundle's code in place, from where it came or from a jar")
                        .remark("For a device's code, vm:swap is the gentler way.")
                        .word(BUNDLE, this::bundles)
                        .optional(JAR_OR_URL, Paths.files(".jar"))
                        .example("shell:update 12 /home/me/my-disk/target/my-disk-1.1.0.jar")
                        .runs(this::update),
                Command.named("shell:uninstall")
                        .does("removes bundles")
                        .word(BUNDLE, this::bundles)
                        .any("MORE", this::bundles)
                        .example("shell:uninstall 21")
                        .runs(this::uninstall));
    }

    private List<Choice> bundles(Typing typing) {
        return Arrays.stream(context.getBundles())
                .filter(bundle -> bundle.getBundleId() != 0)
                .flatMap(
                        bundle ->
                                Stream.of(
                                        Choice.of(
                                                Long.toString(bundle.getBundleId()),
                                                bundle.getSymbolicName()),
                                        Choice.of(bundle.getSymbolicName(), "")))
                .toList();
    }

    private Object install(Call call) throws ShellException {
        String location = location(call, 0);
        try {
            Bundle bundle = context.installBundle(location);
            Optional<String> refusal = refusal(bundle);
            if (refusal.isPresent()) {
                bundle.uninstall();
                throw new ShellException(refusal.get());
            }
            return new Answer("Bundle ID: " + bundle.getBundleId(), Described.of(bundle));
        } catch (BundleException e) {
            throw failure("'%s' cannot be installed".formatted(location), e);
        }
    }

    private Object start(Call call) throws ShellException {
        int options =
                Bundle.START_ACTIVATION_POLICY
                        | (call.arguments().has(TRANSIENT) ? Bundle.START_TRANSIENT : 0);
        return each(
                call,
                "started",
                bundle -> {
                    // A fragment that is refused says only that it is a fragment.
                    requireAdmitted(bundle);
                    bundle.start(options);
                });
    }

    private Object stop(Call call) throws ShellException {
        int options = call.arguments().has(TRANSIENT) ? Bundle.STOP_TRANSIENT : 0;
        return each(call, "stopped", bundle -> bundle.stop(options));
    }

    private Object uninstall(Call call) throws ShellException {
        return each(call, "uninstalled", Bundle::uninstall);
    }

    private Object update(Call call) throws ShellException {
        Bundle bundle = bundle(call.arguments().word(0));
        Optional<String> given = call.arguments().optional(1);
        try {
            if (given.isPresent()) {
                String location = location(call, 1);
                try (var jar = URI.create(location).toURL().openStream()) {
                    bundle.update(jar);
                }
            } else {
                bundle.update();
            }
            requireAdmitted(bundle);
            return new Answer("", Described.of(bundle));
        } catch (BundleException | IOException e) {
            throw failure(named(bundle) + " cannot be updated", e);
        }
    }

    private interface Deed {
        void on(Bundle bundle) throws BundleException, ShellException;
    }

    private void requireAdmitted(Bundle bundle) throws ShellException {
        Optional<String> refusal = refusal(bundle);
        if (refusal.isPresent()) {
            throw new ShellException(refusal.get());
        }
    }

    /** Why the launcher, if it was told whom to trust, lets no class of a bundle load. */
    @SuppressWarnings("unchecked")
    private Optional<String> refusal(Bundle bundle) {
        try {
            for (var trust : context.getServiceReferences(Function.class, "(" + TRUST + "=true)")) {
                Function<Bundle, Optional<String>> reasons = context.getService(trust);
                Optional<String> refusal = reasons.apply(bundle);
                context.ungetService(trust);
                return refusal;
            }
            return Optional.empty();
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException("the filter is a constant", e);
        }
    }

    /** All are looked up before the first is touched. */
    private Object each(Call call, String done, Deed deed) throws ShellException {
        List<Bundle> bundles = new ArrayList<>();
        for (String word : call.arguments().words()) {
            bundles.add(bundle(word));
        }
        for (Bundle bundle : bundles) {
            try {
                deed.on(bundle);
            } catch (BundleException e) {
                throw failure("%s cannot be %s".formatted(named(bundle), done), e);
            }
        }
        return new Answer("", Map.of(done, bundles.stream().map(Described::of).toList()));
    }

    /** A bundle for programs. */
    private record Described(long id, String symbolicName, String version) {
        static Described of(Bundle bundle) {
            return new Described(
                    bundle.getBundleId(), bundle.getSymbolicName(), bundle.getVersion().toString());
        }
    }

    private Bundle bundle(String word) throws ShellException {
        if (word.matches("\\d{1,18}")) {
            Bundle bundle = context.getBundle(Long.parseLong(word));
            if (bundle == null) {
                throw new ShellException("There is no bundle %s; lb lists them.".formatted(word));
            }
            return bundle;
        }
        List<Bundle> named =
                Arrays.stream(context.getBundles())
                        .filter(bundle -> word.equals(bundle.getSymbolicName()))
                        .toList();
        if (named.size() == 1) {
            return named.get(0);
        }
        throw new ShellException(
                named.isEmpty()
                        ? "There is no bundle '%s'; lb lists them.".formatted(word)
                        : "There are %d bundles '%s'; give a number: %s."
                                .formatted(
                                        named.size(),
                                        word,
                                        named.stream()
                                                .map(b -> Long.toString(b.getBundleId()))
                                                .toList()));
    }

    /** A URL as it is, a path as one. */
    private static String location(Call call, int place) throws ShellException {
        String word = call.arguments().word(place);
        if (word.matches("[a-z][a-z0-9+.-]+:.*")) {
            try {
                return new URI(word).toURL().toString();
            } catch (URISyntaxException | MalformedURLException | IllegalArgumentException e) {
                throw new ShellException("'%s' is no URL: %s.".formatted(word, e.getMessage()), e);
            }
        }
        try {
            Path path = call.arguments().path(place, call.folder());
            if (!Files.isRegularFile(path)) {
                throw new ShellException("There is no file '%s'.".formatted(path));
            }
            return path.toUri().toString();
        } catch (InvalidPathException e) {
            throw new ShellException("'%s' is no path: %s.".formatted(word, e.getMessage()), e);
        }
    }

    private static String named(Bundle bundle) {
        return "Bundle %d (%s %s)"
                .formatted(bundle.getBundleId(), bundle.getSymbolicName(), bundle.getVersion());
    }

    private static ShellException failure(String what, Exception e) {
        Throwable deepest = e;
        while (deepest.getCause() != null && deepest instanceof BundleException) {
            deepest = deepest.getCause();
        }
        return new ShellException("%s: %s".formatted(what, Sentence.of(deepest)), e);
    }
}
