package org.backplane.launcher.option;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
                                        + "org.backplane.devices;kind=no,org.backplane.device;other=no")
                        .names());
    }

    @Test
    void collectsTheBundlesOfFolders() throws IOException {
        bundle(folder.resolve("a.jar"), "org.backplane.device;kind=one");
        bundle(folder.resolve("b.jar"), "org.backplane.device;kind=two");
        bundle(folder.resolve("c.txt"), "org.backplane.device;kind=three");
        assertEquals(
                Set.of("one", "two"),
                DeviceKinds.in(List.of(folder, folder.resolve("absent"))).names());
    }

    @Test
    void passesOverAJarThatIsNotWhole() throws IOException {
        bundle(folder.resolve("a.jar"), "org.backplane.device;kind=one");
        Files.writeString(folder.resolve("half.jar"), "PK");
        assertEquals(Set.of("one"), DeviceKinds.in(List.of(folder)).names());
    }

    private static List<String> wrong(DeviceKinds kinds, Map<String, String> settings) {
        return kinds.mistakes("x", settings).stream().map(Setting.Mistake::name).toList();
    }

    @Test
    void readsWhatABundleSaysOfSettings() {
        DeviceKinds kinds =
                DeviceKinds.declared(
                        "org.backplane.device; filter:=\"(;kind=no)\"; settings : List<String> ="
                                + " \"path!=file, size=1..2,mode=a|b,new=shape(3),bare\" ;kind=x,"
                                + "org.backplane.device;kind=y");
        assertEquals(Set.of("x", "y"), kinds.names());
        assertEquals(List.of("path"), wrong(kinds, Map.of("size", "2", "mode", "b")));
        assertEquals(
                List.of("other", "path", "size", "mode"),
                wrong(
                        kinds,
                        Map.of("other", "", "path", "", "size", "3", "mode", "a|b", "new", "?")));
        assertEquals(List.of(), wrong(kinds, Map.of("path", "p", "new", "", "bare", "1")));
        assertEquals(List.of(), kinds.mistakes("y", Map.of("other", "")));
    }

    @Test
    void knowsThatAKindHasNoSettings() {
        DeviceKinds kinds = DeviceKinds.declared("org.backplane.device;kind=x;settings=\"\"");
        assertEquals(List.of("any"), wrong(kinds, Map.of("any", "1")));
    }

    @Test
    void takesSettingsThatAreRightForOneOfTheBundlesOfAKind() {
        String old = "org.backplane.device;kind=x;settings:List<String>=\"a=flag,b=flag\"";
        DeviceKinds both =
                DeviceKinds.declared(old + ",org.backplane.device;kind=x;settings=c=flag");
        assertEquals(List.of(), wrong(both, Map.of("a", "on")));
        assertEquals(List.of(), wrong(both, Map.of("c", "on")));
        assertEquals(List.of("c"), wrong(both, Map.of("a", "on", "b", "on", "c", "on")));
        assertEquals(
                List.of(),
                wrong(DeviceKinds.declared(old + ",org.backplane.device;kind=x"), Map.of("d", "")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            nullValues = "-",
            value = {
                "flag on,off,true,false ON,yes,1,''",
                "1..16 1,16,007 0,17,-1,+1,1.5,x,'',99999999999999999999",
                "-2..2 -2,0,2 -3,3,--1",
                "text(3) a,abc,~!x abcd,'',é",
                "address 0,0x10,0XfF,7fffffffffffffff '',0x,-1,+1,x,0x-1,8000000000000000,１",
                "file a,/a/b ''",
                "a|b a,b '',c,A",
                "console stdio,none '',tty,file=,unix=,file=/no/such/x,unix=/no/such/x"
            })
    void takesTheValuesOfAType(String type, String right, String wrong) {
        for (String value : right.split(",")) {
            assertEquals(List.of(), SettingType.of(type).remedies(value), value);
        }
        for (String value : wrong.split(",")) {
            assertEquals(1, SettingType.of(type).remedies(value.replace("''", "")).size(), value);
        }
    }
}
