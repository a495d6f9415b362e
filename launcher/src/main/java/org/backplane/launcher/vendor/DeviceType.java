package org.backplane.launcher.vendor;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What a new device is. */
public enum DeviceType {
    /** An entropy device, which Linux's virtio_rng drives. */
    VIRTIO("4096", List.of("Settings", "State")),
    /** A function with a few registers. */
    PCI("-1, 3, true", List.of("Settings", "State", "Registers"));

    /** The arguments of the state that the golden file has. */
    private final String golden;

    /** Classes besides device and factory. */
    private final List<String> parts;

    DeviceType(String golden, List<String> parts) {
        this.golden = golden;
        this.parts = parts;
    }

    /** The type of that name, in small letters. */
    public static Optional<DeviceType> named(String name) {
        for (DeviceType type : values()) {
            if (type.word().equals(name)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /** Also the artifact that such a device is built with. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    String golden() {
        return golden;
    }

    /**
     * Templates and where their text goes.
     *
     * @param path of the package: {@code acme/rng}
     * @param type the name of the device's class
     */
    Map<String, String> files(String path, String type, String kind) {
        Map<String, String> files = new TreeMap<>();
        files.put("pom", "pom.xml");
        files.put("maven.config", ".mvn/maven.config");
        files.put("gitignore", ".gitignore");
        String main = "src/main/java/" + path + "/";
        files.put("Activator", main + "Activator.java");
        files.put(word() + "/package-info", main + "package-info.java");
        files.put(word() + "/Device", main + type + ".java");
        files.put(word() + "/Factory", main + type + "Factory.java");
        for (String part : parts) {
            files.put(word() + "/" + part, main + type + part + ".java");
        }
        String test = "src/test/java/" + path + "/";
        files.put("ContractTest", test + type + "ContractTest.java");
        files.put("StateTest", test + type + "StateTest.java");
        files.put(word() + "/DeviceTest", test + type + "Test.java");
        files.put(word() + "/golden", "src/test/resources/" + path + "/" + kind + "-v1.properties");
        return files;
    }
}
