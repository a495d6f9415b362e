package org.backplane.launcher.option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads {@code --disk}, {@code --net}, {@code --device} and {@code --vfio} into slots, and judges
 * the files of {@code --config}.
 */
final class SlotReader {
    static final String DISK_KIND = "virtio-blk";

    /** What one board or another has always: docs/launcher.md. */
    static final List<String> BOARD_NAMES =
            List.of("uart0", "rtc0", "power0", "keyboard0", "exit0");

    private static final Set<String> DISK_WORDS =
            Set.of("ro", "name", "serial", PinSetting.NAME, PortSetting.NAME);
    private static final String PATH = "path";
    private static final String RO = "ro";
    private static final String NAME = "name";

    private final DeviceKinds kinds;
    private final Networks networks;
    private final HostDevices hostDevices;
    private final Problems problems;
    private final Map<String, String> sourceOfName = new LinkedHashMap<>();
    private final List<Image> images = new ArrayList<>();

    /** Where a slot was asked for: an option as written, or a file. */
    private record Source(String option, String value) {
        @Override
        public String toString() {
            return option + " " + value;
        }
    }

    private record Image(Path path, boolean readOnly, Source source) {}

    private record Draft(
            Optional<String> name, String kind, Map<String, String> settings, Source source) {}

    SlotReader(DeviceKinds kinds, HostLibraries libraries, Problems problems) {
        this.kinds = kinds;
        this.networks = new Networks(libraries);
        this.hostDevices = new HostDevices(libraries.root());
        this.problems = problems;
        BOARD_NAMES.forEach(name -> sourceOfName.put(name, "the board"));
    }

    /**
     * The slots of the command line in the order disks, networks, devices, host devices. What is
     * wrong was added to the problems.
     *
     * @param config folder whose files ask for more slots, which the machine itself makes
     */
    List<SlotPlan> read(
            List<String> disks,
            List<String> nets,
            List<String> devices,
            List<String> vfios,
            Optional<Path> config)
            throws IOException {
        List<Draft> drafts = new ArrayList<>();
        disks.forEach(text -> drafts.add(disk(text)));
        nets.forEach(text -> drafts.add(net(text)));
        devices.forEach(
                text -> drafts.add(device(new Source("--device", text), text, kinds.names())));
        vfios.forEach(text -> drafts.add(vfio(text)));
        drafts.forEach(this::claimGivenName);
        if (config.isPresent()) {
            for (Path file : SlotFile.in(config.get())) {
                file(file).ifPresent(this::claimGivenName);
            }
        }
        List<SlotPlan> slots = new ArrayList<>();
        for (Draft draft : drafts) {
            String name = draft.name().orElseGet(() -> freeName(draft));
            slots.add(
                    new SlotPlan(name, draft.kind(), draft.settings(), draft.source().toString()));
        }
        return slots;
    }

    /** The slot of the one device that is served, as {@code --device} would have it. */
    SlotPlan served(String text) {
        Draft draft = device(new Source("serve", text), text, kinds.served());
        claimGivenName(draft);
        return new SlotPlan(
                draft.name().orElseGet(() -> freeName(draft)),
                draft.kind(),
                draft.settings(),
                draft.source().toString());
    }

    private void tell(Source source, String remedy) {
        problems.add(source.option(), source.value(), remedy);
    }

    private Draft disk(String text) {
        Source source = new Source("--disk", text);
        Words words = Words.of(text);
        refuseTwice(source, words);
        for (String word : words.settings().keySet()) {
            if (!DISK_WORDS.contains(word)) {
                tell(
                        source,
                        "'"
                                + word
                                + "' is unknown; after the path come ro, name=N, serial=S, pin=BUNDLE or port=N");
            }
        }
        Map<String, String> settings = new LinkedHashMap<>();
        Optional<Path> path = PlanReader.path(words.head(), remedy -> tell(source, remedy));
        path.ifPresent(given -> settings.put(PATH, given.toString()));
        String ro = words.settings().getOrDefault(RO, "off");
        if (!SettingType.Flag.isOne(ro)) {
            tell(source, "ro takes no value; write ,ro");
        }
        boolean readOnly = readOnly(ro);
        settings.put(RO, Boolean.toString(readOnly));
        String serial = words.settings().get("serial");
        if (serial != null) {
            settings.put("serial", serial);
        }
        refuseMalformedOwn(source, words.settings());
        kinds.mistakes(DISK_KIND, settings).stream()
                // What is no path was told of.
                .filter(mistake -> !mistake.name().equals(PATH))
                .forEach(mistake -> tell(source, mistake.sentence()));
        path.ifPresent(given -> checkImage(new Image(given, readOnly, source)));
        refuseUnknownKind(source, DISK_KIND);
        for (String own : List.of(PinSetting.NAME, PortSetting.NAME)) {
            if (words.settings().containsKey(own)) {
                settings.put(own, words.settings().get(own));
            }
        }
        return new Draft(name(source, words.settings().get(NAME)), DISK_KIND, settings, source);
    }

    private Draft net(String text) {
        Source source = new Source("--net", text);
        Words words = Words.of(text, NetOption.REPEATABLE);
        refuseTwice(source, words);
        Map<String, String> settings = NetOption.settings(words, remedy -> tell(source, remedy));
        refuseUnknownKind(source, Networks.KIND);
        if (!settings.isEmpty()) {
            judge(source, Networks.KIND, settings);
        }
        return new Draft(name(source, words.settings().get(NAME)), Networks.KIND, settings, source);
    }

    private Draft vfio(String text) {
        Source source = new Source("--vfio", text);
        Words words = Words.of(text);
        refuseTwice(source, words);
        Map<String, String> settings = VfioOption.settings(words, remedy -> tell(source, remedy));
        refuseUnknownKind(source, VfioOption.KIND);
        if (!settings.isEmpty()) {
            judge(source, VfioOption.KIND, settings);
        }
        return new Draft(
                name(source, words.settings().get(NAME)), VfioOption.KIND, settings, source);
    }

    /**
     * @param offered kinds that will do
     */
    private Draft device(Source source, String text, Set<String> offered) {
        Words words = Words.of(text);
        refuseTwice(source, words);
        Map<String, String> settings = new LinkedHashMap<>(words.settings());
        Optional<String> name = name(source, settings.remove(NAME));
        Map<String, String> judged = new LinkedHashMap<>(settings);
        for (String key : settings.keySet()) {
            if (key.isEmpty() || SlotPlan.RESERVED.contains(key)) {
                tell(source, "'" + key + "' cannot be a setting of a device");
                judged.remove(key);
            }
        }
        refuseUnknownKind(source, words.head(), offered);
        judge(source, words.head(), judged);
        return new Draft(name, words.head(), settings, source);
    }

    /** The slot of a file, whose kind may still come; empty if it asks for none. */
    private Optional<Draft> file(Path file) {
        Source source = new Source("--config", file.toString());
        try {
            Map<String, String> settings = SlotFile.read(file);
            String name = settings.remove(NAME);
            String kind = settings.remove("kind");
            if (name == null || kind == null) {
                tell(source, "a slot needs a line 'name=..' and a line 'kind=..'");
                return Optional.empty();
            }
            judge(source, kind, settings);
            return Optional.of(new Draft(name(source, name), kind, settings, source));
        } catch (IOException e) {
            tell(source, e.getMessage());
            return Optional.empty();
        }
    }

    /** A disk or a network, however it is spelled, is held to the same as by its own option. */
    private void judge(Source source, String kind, Map<String, String> given) {
        refuseMalformedOwn(source, given);
        Map<String, String> settings = new LinkedHashMap<>(given);
        settings.remove(PinSetting.NAME);
        settings.remove(PortSetting.NAME);
        List<Setting.Mistake> mistakes = kinds.mistakes(kind, settings);
        mistakes.forEach(mistake -> tell(source, mistake.sentence()));
        if (kind.equals(DISK_KIND)
                && settings.containsKey(PATH)
                && mistakes.stream().noneMatch(mistake -> mistake.name().equals(PATH))) {
            boolean readOnly = readOnly(settings.get(RO));
            PlanReader.path(settings.get(PATH), remedy -> tell(source, remedy))
                    .ifPresent(path -> checkImage(new Image(path, readOnly, source)));
        }
        if (kind.equals(Networks.KIND)) {
            Set<String> wrong = new HashSet<>();
            mistakes.forEach(mistake -> wrong.add(mistake.name()));
            networks.check(settings, wrong, source.toString(), remedy -> tell(source, remedy));
        }
        if (kind.equals(VfioOption.KIND)) {
            hostDevices.check(settings, source.toString(), remedy -> tell(source, remedy));
        }
    }

    /** The settings that are the slot's, not its device's. */
    private void refuseMalformedOwn(Source source, Map<String, String> settings) {
        Optional.ofNullable(settings.get(PinSetting.NAME))
                .flatMap(PinSetting::remedy)
                .ifPresent(remedy -> tell(source, remedy));
        Optional.ofNullable(settings.get(PortSetting.NAME))
                .flatMap(PortSetting::remedy)
                .ifPresent(remedy -> tell(source, remedy));
    }

    /** A value that is neither stands for what the image can bear: it is told of elsewhere. */
    private static boolean readOnly(String value) {
        return value != null && !value.equals("false") && !value.equals("off");
    }

    private void checkImage(Image image) {
        try {
            DiskFile.check(image.path(), image.readOnly());
            for (Image other : images) {
                if (Files.isSameFile(other.path(), image.path())
                        && !(other.readOnly() && image.readOnly())) {
                    tell(
                            image.source(),
                            "this is the image of "
                                    + other.source()
                                    + " too; give another, or ,ro to both");
                }
            }
            images.add(image);
        } catch (IOException e) {
            tell(image.source(), e.getMessage());
        }
    }

    private void refuseUnknownKind(Source source, String kind) {
        refuseUnknownKind(source, kind, kinds.names());
    }

    private void refuseUnknownKind(Source source, String kind, Set<String> offered) {
        if (!offered.contains(kind)) {
            tell(
                    source,
                    (kinds.names().contains(kind)
                                    ? "the kind '"
                                            + kind
                                            + "' is no PCI device, and nothing else can be served"
                                    : "there is no kind '" + kind + "'")
                            + "; the kinds are: "
                            + (offered.isEmpty() ? "none" : String.join(", ", offered)));
        }
    }

    private void refuseTwice(Source source, Words words) {
        for (String key : words.twice()) {
            tell(source, "'" + key + "' is given twice; give it once");
        }
    }

    private Optional<String> name(Source source, String given) {
        if (given != null && !MachineName.isGood(given)) {
            tell(source, MachineName.RULE);
        }
        return Optional.ofNullable(given);
    }

    private void claimGivenName(Draft draft) {
        if (draft.name().isEmpty()) {
            return;
        }
        String other = sourceOfName.putIfAbsent(draft.name().get(), draft.source().toString());
        if (other != null) {
            tell(
                    draft.source(),
                    "the name '"
                            + draft.name().get()
                            + "' is taken by "
                            + other
                            + "; give another with name=");
        }
    }

    private String freeName(Draft draft) {
        String stem =
                switch (draft.kind()) {
                    case DISK_KIND -> "disk";
                    case Networks.KIND -> "net";
                    default -> draft.kind();
                };
        int number = 0;
        while (sourceOfName.putIfAbsent(stem + number, draft.source().toString()) != null) {
            number++;
        }
        return stem + number;
    }
}
