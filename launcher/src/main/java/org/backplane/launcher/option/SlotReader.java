package org.backplane.launcher.option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;

/** Reads {@code --disk} and {@code --device} into slots. */
final class SlotReader {
    static final String DISK_KIND = "virtio-blk";

    /** What the machine has always: docs/launcher.md. */
    static final List<String> BOARD_NAMES = List.of("uart0", "rtc0", "power0");

    private static final Set<String> DISK_WORDS = Set.of("ro", "name", "serial");

    /** virtio 1.2, 5.2.6: the answer to VIRTIO_BLK_T_GET_ID has 20 bytes. */
    private static final int MAX_SERIAL = 20;

    private final SortedSet<String> kinds;
    private final Problems problems;
    private final Map<String, String> sourceOfName = new LinkedHashMap<>();
    private final List<Image> images = new ArrayList<>();

    private record Image(Path path, boolean readOnly, String source) {}

    private record Draft(
            Optional<String> name, String kind, Map<String, String> settings, String source) {}

    SlotReader(SortedSet<String> kinds, Problems problems) {
        this.kinds = kinds;
        this.problems = problems;
        BOARD_NAMES.forEach(name -> sourceOfName.put(name, "the board"));
    }

    /** The slots in the order disks, devices. What is wrong was added to the problems. */
    List<SlotPlan> read(List<String> disks, List<String> devices) {
        List<Draft> drafts = new ArrayList<>();
        disks.forEach(text -> drafts.add(disk(text)));
        devices.forEach(text -> drafts.add(device(text)));
        drafts.forEach(this::claimGivenName);
        List<SlotPlan> slots = new ArrayList<>();
        for (Draft draft : drafts) {
            String name = draft.name().orElseGet(() -> freeName(draft));
            slots.add(new SlotPlan(name, draft.kind(), draft.settings(), draft.source()));
        }
        return slots;
    }

    private Draft disk(String text) {
        String source = "--disk " + text;
        Words words = Words.of(text);
        refuseTwice("--disk", text, words);
        for (String word : words.settings().keySet()) {
            if (!DISK_WORDS.contains(word)) {
                problems.add(
                        "--disk",
                        text,
                        "'" + word + "' is unknown; after the path come ro, name=N or serial=S");
            }
        }
        Map<String, String> settings = new LinkedHashMap<>();
        boolean readOnly = readOnly("--disk", text, words.settings().get("ro"));
        PlanReader.path("--disk", text, words.head(), problems)
                .ifPresent(
                        path -> {
                            settings.put("path", path.toString());
                            checkImage(new Image(path, readOnly, source), "--disk", text);
                        });
        settings.put("ro", Boolean.toString(readOnly));
        String serial = words.settings().get("serial");
        if (serial != null) {
            settings.put("serial", serial);
            if (serial.isEmpty()
                    || serial.length() > MAX_SERIAL
                    || serial.chars().anyMatch(c -> c <= ' ' || c > '~')) {
                problems.add(
                        "--disk", text, "a serial has 1 to 20 plain characters without spaces");
            }
        }
        if (!kinds.contains(DISK_KIND)) {
            unknownKind("--disk", text, DISK_KIND);
        }
        return new Draft(name("--disk", text, words), DISK_KIND, settings, source);
    }

    private boolean readOnly(String option, String text, String value) {
        if (value == null || value.equals("false") || value.equals("off")) {
            return false;
        }
        if (!value.equals("true") && !value.equals("on")) {
            problems.add(option, text, "ro takes no value; write ,ro");
        }
        return true;
    }

    private void checkImage(Image image, String option, String text) {
        try {
            DiskFile.check(image.path(), image.readOnly());
            for (Image other : images) {
                if (Files.isSameFile(other.path(), image.path())
                        && !(other.readOnly() && image.readOnly())) {
                    problems.add(
                            option,
                            text,
                            "this is the image of "
                                    + other.source()
                                    + " too; give another, or ,ro to both");
                }
            }
            images.add(image);
        } catch (IOException e) {
            problems.add(option, text, e.getMessage());
        }
    }

    private Draft device(String text) {
        Words words = Words.of(text);
        refuseTwice("--device", text, words);
        String kind = words.head();
        if (!kinds.contains(kind)) {
            unknownKind("--device", text, kind);
        } else if (kind.equals(DISK_KIND)) {
            checkDisk(text, words.settings());
        }
        Map<String, String> settings = new LinkedHashMap<>(words.settings());
        settings.remove("name");
        for (String key : settings.keySet()) {
            if (key.isEmpty() || SlotPlan.RESERVED.contains(key)) {
                problems.add("--device", text, "'" + key + "' cannot be a setting of a device");
            }
        }
        return new Draft(name("--device", text, words), kind, settings, "--device " + text);
    }

    /** A disk that is spelled as a device is held to the same as one of {@code --disk}. */
    private void checkDisk(String text, Map<String, String> settings) {
        boolean readOnly = readOnly("--device", text, settings.get("ro"));
        if (!settings.containsKey("path")) {
            problems.add("--device", text, "a disk needs path=FILE, an image or a block device");
            return;
        }
        PlanReader.path("--device", text, settings.get("path"), problems)
                .ifPresent(
                        path ->
                                checkImage(
                                        new Image(path, readOnly, "--device " + text),
                                        "--device",
                                        text));
    }

    private void unknownKind(String option, String text, String kind) {
        problems.add(
                option,
                text,
                "there is no kind '"
                        + kind
                        + "'; the kinds are: "
                        + (kinds.isEmpty() ? "none" : String.join(", ", kinds)));
    }

    private void refuseTwice(String option, String text, Words words) {
        for (String key : words.twice()) {
            problems.add(option, text, "'" + key + "' is given twice; give it once");
        }
    }

    private Optional<String> name(String option, String text, Words words) {
        Optional<String> name = Optional.ofNullable(words.settings().get("name"));
        if (name.isPresent() && !MachineName.isGood(name.get())) {
            problems.add(option, text, MachineName.RULE);
        }
        return name;
    }

    private void claimGivenName(Draft draft) {
        if (draft.name().isEmpty()) {
            return;
        }
        String other = sourceOfName.putIfAbsent(draft.name().get(), draft.source());
        if (other != null) {
            problems.add(
                    draft.source()
                            + ": the name '"
                            + draft.name().get()
                            + "' is taken by "
                            + other
                            + "; give another with name=");
        }
    }

    private String freeName(Draft draft) {
        String stem = draft.kind().equals(DISK_KIND) ? "disk" : draft.kind();
        int number = 0;
        while (sourceOfName.putIfAbsent(stem + number, draft.source()) != null) {
            number++;
        }
        return stem + number;
    }
}
