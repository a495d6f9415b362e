package org.backplane.launcher.trust;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.jar.Attributes;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/** The entries of a jar, changed at will; nobody signs anything anew. */
final class JarEdit {
    static final String MANIFEST = "META-INF/MANIFEST.MF";

    private final Map<String, byte[]> entries = new LinkedHashMap<>();

    /** A bundle's manifest and nothing else. */
    static JarEdit bundle(String name, String version, String... headers) throws IOException {
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        attributes.putValue("Bundle-ManifestVersion", "2");
        attributes.putValue("Bundle-SymbolicName", name);
        attributes.putValue("Bundle-Version", version);
        for (String header : headers) {
            attributes.putValue(header.split(": ", 2)[0], header.split(": ", 2)[1]);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        manifest.write(bytes);
        JarEdit jar = new JarEdit();
        jar.entries.put(MANIFEST, bytes.toByteArray());
        return jar;
    }

    static JarEdit of(Path jar) throws IOException {
        JarEdit edit = new JarEdit();
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            for (ZipEntry entry : Collections.list(zip.entries())) {
                try (InputStream in = zip.getInputStream(entry)) {
                    edit.entries.put(entry.getName(), in.readAllBytes());
                }
            }
        }
        return edit;
    }

    JarEdit with(String name, byte[] content) {
        entries.put(name, content);
        return this;
    }

    JarEdit with(String name, String content) {
        return with(name, content.getBytes(StandardCharsets.UTF_8));
    }

    /** A class of the test's class path. */
    JarEdit with(Class<?> type) throws IOException {
        return at("", type);
    }

    JarEdit at(String folder, Class<?> type) throws IOException {
        String path = type.getName().replace('.', '/') + ".class";
        try (InputStream in = type.getClassLoader().getResourceAsStream(path)) {
            return with(folder + path, in.readAllBytes());
        }
    }

    JarEdit without(String name) {
        if (entries.remove(name) == null) {
            throw new AssertionError("no entry " + name + " in " + entries.keySet());
        }
        return this;
    }

    JarEdit change(String name, UnaryOperator<String> edit) {
        String before = new String(entries.get(name), StandardCharsets.ISO_8859_1);
        String after = edit.apply(before);
        if (after.equals(before)) {
            throw new AssertionError("nothing to change in " + name);
        }
        return with(name, after.getBytes(StandardCharsets.ISO_8859_1));
    }

    byte[] bytes() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream out = new ZipOutputStream(bytes)) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                out.putNextEntry(new ZipEntry(entry.getKey()));
                out.write(entry.getValue());
            }
        }
        return bytes.toByteArray();
    }

    Path write(Path file) throws IOException {
        return Files.write(file, bytes());
    }
}
