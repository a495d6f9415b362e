package org.backplane.launcher.option;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeviceKindsTest {
    @TempDir Path folder;

    /** A bundle that offers kinds; nothing else is in it. */
    static void bundle(Path jar, String header) throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().putValue("Provide-Capability", header);
        try (OutputStream out = Files.newOutputStream(jar)) {
            new JarOutputStream(out, manifest).close();
        }
    }

    @Test
    void readsEveryClauseOfTheNamespace() {
        assertEquals(
                Set.of("virtio-blk", "rtc", "a,b"),
                DeviceKinds.declared(
                        "osgi.service;objectClass:List<String>=\"a,org.backplane.device;kind=no\","
                                + "org.backplane.device;kind=\"virtio-blk\","
                                + " org.backplane.device ; kind:String=rtc ;x=1,"
                                + "org.backplane.device;kind=\"a,b\","
                                + "org.backplane.devices;kind=no,org.backplane.device;other=no"));
    }

    @Test
    void collectsTheBundlesOfFolders() throws IOException {
        bundle(folder.resolve("a.jar"), "org.backplane.device;kind=one");
        bundle(folder.resolve("b.jar"), "org.backplane.device;kind=two");
        bundle(folder.resolve("c.txt"), "org.backplane.device;kind=three");
        assertEquals(
                Set.of("one", "two"), DeviceKinds.in(List.of(folder, folder.resolve("absent"))));
    }

    @Test
    void passesOverAJarThatIsNotWhole() throws IOException {
        bundle(folder.resolve("a.jar"), "org.backplane.device;kind=one");
        Files.writeString(folder.resolve("half.jar"), "PK");
        assertEquals(Set.of("one"), DeviceKinds.in(List.of(folder)));
    }
}
