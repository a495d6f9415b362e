package org.backplane.launcher.vendor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
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
}
