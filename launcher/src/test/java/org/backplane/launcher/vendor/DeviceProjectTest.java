package org.backplane.launcher.vendor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceProjectTest {
    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"rng", "acme-rng", "a1-b2-c3"})
    void takesNamesThatAPackageCanHave(String kind) {
        assertEquals(Optional.empty(), KindName.remedy(kind));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "Acme", "acme_rng", "acme-", "-rng", "acme-9p", "acme--rng", "a.b", "é"})
    void refusesNamesThatAreNotWords(String kind) {
        assertTrue(KindName.remedy(kind).orElse("").startsWith("give words of small letters"));
    }

    @Test
    void refusesWordsOfJava() {
        assertEquals(
                Optional.of("'new' is a word of Java, and the package is named after the kind"),
                KindName.remedy("acme-new"));
    }

    @ParameterizedTest
    @EnumSource
    void leavesNoPlaceInATemplateUnfilled(DeviceType type) throws Exception {
        new DeviceProject(new KindName("acme-rng"), type, "file:///kit/", "1.2.3").write(folder);
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.filter(Files::isRegularFile).toList();
        }
        assertTrue(files.size() >= 13, files::toString);
        for (Path file : files) {
            assertFalse(Files.readString(file).matches("(?s).*@[A-Z]+@.*"), file::toString);
        }
        String pom = Files.readString(folder.resolve("pom.xml"));
        assertTrue(pom.contains("<backplane.version>1.2.3</backplane.version>"), pom);
        assertTrue(pom.contains("<backplane.repository>file:///kit/</backplane.repository>"), pom);
        assertTrue(Files.exists(folder.resolve("src/main/java/acme/rng/AcmeRng.java")));
        assertTrue(
                Files.exists(folder.resolve("src/test/resources/acme/rng/acme-rng-v1.properties")));
    }

    private static DeviceProject project(String kind, DeviceType type) {
        return new DeviceProject(new KindName(kind), type, "file:///kit/", "1.2.3");
    }

    @ParameterizedTest
    @CsvSource({
        "VIRTIO, java, 'its package java would be one of Java, which prohibits it'",
        "PCI, java-card, 'its package java.card would be one of Java, which prohibits it'",
        "PCI, javax-crypto, the JDK has the package javax.crypto",
        "PCI, org-osgi-x, its package org.osgi.x would be among those of org.osgi",
        "PCI, org-backplane, its package org.backplane would be among those of org.backplane",
        "VIRTIO, string, its class String would be taken for another String that the project uses",
        "PCI, process, its class Process would hide java.lang.Process",
        "PCI, thread-group, its class ThreadGroup would hide java.lang.ThreadGroup",
        "VIRTIO, saved, its class SavedState would be taken for another SavedState that the project uses",
        "VIRTIO, activator, its class Activator would be taken for another Activator that the project uses",
        "VIRTIO, silence, its class Silence would be taken for another Silence that the project uses",
        "PCI, test, its class Test would be taken for another Test that the project uses",
        "PCI, list, its class List would be taken for another List that the project uses",
        "PCI, pci-device, its class PciDevice would be taken for another PciDevice that the project uses"
    })
    void refusesNamesThatAreTaken(DeviceType type, String kind, String sentence) throws Exception {
        assertEquals(Optional.of(sentence), project(kind, type).refusal());
    }

    @ParameterizedTest
    @EnumSource
    void refusesEveryClassThatATemplateImports(DeviceType type) throws Exception {
        project("acme-rng", type).write(folder);
        int imports = 0;
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path file : all.filter(each -> each.toString().endsWith(".java")).toList()) {
                for (String line : Files.readAllLines(file)) {
                    if (line.startsWith("import ") && !line.startsWith("import static")) {
                        String name = line.substring(line.lastIndexOf('.') + 1, line.length() - 1);
                        String kind =
                                name.replaceAll("(?<!^)([A-Z])", "-$1").toLowerCase(Locale.ROOT);
                        assertTrue(project(kind, type).refusal().isPresent(), kind);
                        imports++;
                    }
                }
            }
        }
        assertTrue(imports > 20, "imports: " + imports);
    }

    /** As a vendor's Maven does, warnings being errors. */
    @ParameterizedTest
    @CsvSource({
        "VIRTIO, rng",
        "VIRTIO, pci",
        "VIRTIO, settings",
        "VIRTIO, state",
        "VIRTIO, factory",
        "VIRTIO, org",
        "VIRTIO, javax-acme",
        "VIRTIO, no-bars",
        "VIRTIO, nobody",
        "PCI, card",
        "PCI, virtio",
        "PCI, registers",
        "PCI, silence",
        "PCI, a",
        "PCI, acme-test",
        "PCI, contract",
        "PCI, slot",
        "PCI, org-junitx"
    })
    void whatItDoesNotRefuseCompiles(DeviceType type, String kind) throws Exception {
        assertEquals(Optional.empty(), project(kind, type).refusal());
        project(kind, type).write(folder);
        List<String> words =
                new ArrayList<>(
                        List.of(
                                "-d",
                                folder.resolve("classes").toString(),
                                "-cp",
                                System.getProperty("java.class.path"),
                                "-proc:none",
                                "-Werror",
                                "-Xlint:all,-processing,-classfile,-path"));
        try (Stream<Path> all = Files.walk(folder)) {
            all.map(Path::toString).filter(each -> each.endsWith(".java")).forEach(words::add);
        }
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        int status =
                ToolProvider.getSystemJavaCompiler()
                        .run(null, said, said, words.toArray(String[]::new));
        assertEquals(0, status, said::toString);
    }
}
