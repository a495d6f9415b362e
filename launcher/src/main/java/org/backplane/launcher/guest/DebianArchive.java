package org.backplane.launcher.guest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Packages of another architecture and release, fetched with the host's own apt and its mirror,
 * proxies and keys, but with index files and configuration apart: nothing of the host changes.
 */
final class DebianArchive {
    private static final String KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
    private static final Path HELPER = Path.of("/usr/lib/apt/apt-helper");

    /** Words of apt's methods and of the C library, in the locale C. */
    private static final Pattern UNREACHABLE =
            Pattern.compile(
                    "(?i)could not resolve|temporary failure resolving|(could not|unable to)"
                            + " connect|cannot initiate the connection|connection (refused|timed"
                            + " out|failed|reset)|no route to host|network is unreachable|50[234] |proxy");

    private static final Pattern PERCENT = Pattern.compile("dlstatus:\\d+:([0-9.]+):.*");

    private final Path folder;
    private final String release;
    private final String architecture;
    private final Progress progress;

    /**
     * @param folder for index files and configuration
     * @param release code name, {@code trixie}
     * @param architecture as dpkg names it
     */
    DebianArchive(Path folder, String release, String architecture, Progress progress) {
        this.folder = folder;
        this.release = release;
        this.architecture = architecture;
        this.progress = progress;
    }

    /** The mirror that the host's apt configuration names for Debian's main archive. */
    static String hostMirror() throws IOException, InterruptedException {
        List<String> lines =
                Programs.lines(
                        "apt-get",
                        "indextargets",
                        "--format",
                        "$(REPO_URI) $(COMPONENT) $(RELEASE) $(ORIGIN)",
                        "Created-By: Packages");
        return chooseMirror(lines);
    }

    /**
     * Chooses from lines of URI, component, release and origin; a field that apt does not know yet,
     * because no index was ever fetched, stays a dollar word.
     */
    static String chooseMirror(List<String> lines) throws IOException {
        for (String line : lines) {
            String[] fields = line.split(" ", 4);
            boolean fits =
                    fields.length == 4
                            && fields[0].contains("://")
                            && !fields[0].startsWith("cdrom:")
                            && fields[1].equals("main")
                            && !fields[2].endsWith("-security")
                            && !fields[2].endsWith("/updates")
                            && (fields[3].equals("Debian") || fields[3].startsWith("$"));
            if (fits) {
                return fields[0];
            }
        }
        throw new IOException(
                "the host's apt configuration names no mirror of Debian; give one with --mirror"
                        + " URI");
    }

    /** Fetches the index from the mirror; its signature is checked by apt. */
    void update(String mirror) throws IOException, InterruptedException {
        configure(mirror);
        progress.begin(
                "fetching the package index of Debian "
                        + release
                        + " for "
                        + architecture
                        + " from "
                        + mirror
                        + " (about 10 MB)",
                0);
        reaching(mirror, this::percent, "apt-get", "-qq", "-oAPT::Status-Fd=1", "update");
        progress.end();
    }

    /** The package that a metapackage stands for: the first it depends on with that prefix. */
    String resolve(String metapackage, String prefix) throws IOException, InterruptedException {
        List<String> lines = new ArrayList<>();
        apt(lines::add, "apt-cache", "show", "--no-all-versions", metapackage);
        for (String line : lines) {
            if (line.startsWith("Depends:")) {
                for (String word : line.substring("Depends:".length()).split("[,|\\s]+")) {
                    if (word.startsWith(prefix)) {
                        return word;
                    }
                }
            }
        }
        throw new IOException(
                "the package " + metapackage + " of " + release + " names no " + prefix + "*");
    }

    /** A package and everything that it depends on. */
    List<String> withDependencies(String name) throws IOException, InterruptedException {
        List<String> names = new ArrayList<>();
        Pattern file = Pattern.compile("'[^']+' ([^ _]+)_\\S+\\.deb .*");
        apt(
                line -> {
                    Matcher matcher = file.matcher(line);
                    if (matcher.matches()) {
                        names.add(matcher.group(1));
                    }
                },
                "apt-get",
                "-qq",
                "--print-uris",
                "--no-install-recommends",
                "install",
                name);
        return names;
    }

    /** Where the packages are, how large, and their digests. */
    List<Package> locate(List<String> names) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("apt-get", "-qq", "--print-uris"));
        command.add("download");
        command.addAll(names);
        List<String> lines = new ArrayList<>();
        apt(lines::add, command.toArray(String[]::new));
        List<Package> packages = new ArrayList<>();
        for (String line : lines) {
            if (line.startsWith("'")) {
                packages.add(Package.parse(line));
            }
        }
        if (packages.size() != names.size()) {
            throw new IOException(
                    "the mirror lacks some of the packages " + String.join(", ", names));
        }
        return packages;
    }

    /**
     * Fetches a package, going on where an earlier attempt stopped, and checks its digest.
     *
     * @param target replaced as a whole, and only by a file with the right digest
     */
    void fetch(Package wanted, Path target) throws IOException, InterruptedException {
        Path part = target.resolveSibling(target.getFileName() + ".part");
        progress.begin("fetching " + wanted.name(), wanted.size());
        List<String> command =
                List.of(
                        HELPER.toString(),
                        "-oAPT::Status-Fd=1",
                        "download-file",
                        wanted.uri(),
                        part.toString(),
                        "SHA256:" + wanted.sha256());
        boolean goesOn = Files.exists(part);
        try {
            reaching(wanted.uri(), this::percent, command.toArray(String[]::new));
        } catch (IOException e) {
            if (!goesOn || (Files.exists(part) && Files.size(part) < wanted.size())) {
                throw e;
            }
            // Whole, but of a wrong digest (then apt puts it aside): what was there before was bad.
            Files.deleteIfExists(part);
            reaching(wanted.uri(), this::percent, command.toArray(String[]::new));
        } finally {
            Files.deleteIfExists(part.resolveSibling(part.getFileName() + ".FAILED"));
        }
        progress.end();
        if (!Digest.of(part).equals(wanted.sha256())) {
            Files.delete(part);
            throw new IOException(
                    "what came for " + wanted.name() + " has a wrong digest; try again");
        }
        Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
    }

    private void percent(String line) {
        Matcher matcher = PERCENT.matcher(line);
        if (matcher.matches()) {
            progress.done(Double.parseDouble(matcher.group(1)));
        }
    }

    /** Runs what needs the network. */
    private void reaching(String uri, Consumer<String> listener, String... command)
            throws IOException, InterruptedException {
        try {
            apt(listener, command);
        } catch (IOException e) {
            Optional<String> reason = whyUnreachable(e.getMessage());
            if (reason.isEmpty()) {
                throw e;
            }
            throw new IOException(
                    "the network is needed, and "
                            + uri
                            + " could not be reached ("
                            + reason.get()
                            + "); try again when it can be, or give another mirror with --mirror",
                    e);
        }
    }

    /** What apt says of the network, if that is what it failed for. */
    static Optional<String> whyUnreachable(String errors) {
        return errors.lines()
                .filter(line -> UNREACHABLE.matcher(line).find())
                .map(line -> line.replaceFirst("^.*?[EW]: (Failed to fetch \\S+)?", "").strip())
                .findFirst();
    }

    private void apt(Consumer<String> listener, String... command)
            throws IOException, InterruptedException {
        List<String> whole = new ArrayList<>(List.of(command));
        whole.add(1, "--config-file=" + folder.resolve("apt.conf"));
        Programs.run(whole, listener);
    }

    /**
     * Writes a configuration that apt reads after the host's: state and sources apart, and none of
     * the host's hooks, which would run as if the host itself were updated.
     */
    private void configure(String mirror) throws IOException {
        Files.createDirectories(folder.resolve("lists/partial"));
        Files.createDirectories(folder.resolve("archives/partial"));
        Files.writeString(folder.resolve("status"), "");
        String key = Files.exists(Path.of(KEYRING)) ? "[signed-by=" + KEYRING + "] " : "";
        Files.writeString(
                folder.resolve("sources.list"), "deb " + key + mirror + " " + release + " main\n");
        Files.writeString(
                folder.resolve("apt.conf"),
                """
                #clear APT::Architectures;
                #clear APT::Update::Pre-Invoke;
                #clear APT::Update::Post-Invoke;
                #clear APT::Update::Post-Invoke-Success;
                #clear DPkg::Post-Invoke;
                APT::Architecture "%2$s";
                APT::Architectures { "%2$s"; };
                APT::Sandbox::User "root";
                Acquire::Languages "none";
                Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
                APT::Update::Error-Mode "any";
                Acquire::Retries "3";
                Debug::NoLocking "true";
                Dir::State::lists "%1$s/lists";
                Dir::State::status "%1$s/status";
                Dir::State::extended_states "%1$s/extended_states";
                Dir::Cache "%1$s";
                Dir::Cache::archives "%1$s/archives";
                Dir::Cache::pkgcache "%1$s/pkgcache.bin";
                Dir::Cache::srcpkgcache "";
                Dir::Etc::sourcelist "%1$s/sources.list";
                Dir::Etc::sourceparts "-";
                Dir::Etc::preferences "-";
                Dir::Etc::preferencesparts "-";
                Dir::Log "%1$s";
                """
                        .formatted(folder, architecture));
    }
}
