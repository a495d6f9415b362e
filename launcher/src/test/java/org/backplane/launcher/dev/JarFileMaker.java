package org.backplane.launcher.dev;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Random;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;

/** Jars as builds leave them. */
final class JarFileMaker {
    private JarFileMaker() {}

    /** A device bundle of a kind; equal versions are equal builds. */
    static byte[] device(String kind, int version) throws IOException {
        return jar("org.backplane.device;kind=\"" + kind + "\"", version);
    }

    static byte[] library(int version) throws IOException {
        return jar("osgi.service", version);
    }

    private static byte[] jar(String capability, int version) throws IOException {
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        attributes.putValue("Bundle-SymbolicName", "org.acme.card");
        attributes.putValue("Provide-Capability", capability);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JarOutputStream jar = new JarOutputStream(bytes, manifest)) {
            byte[] code = new byte[20_000];
            new Random(version).nextBytes(code);
            ZipEntry entry = new ZipEntry("org/acme/Card.class");
            entry.setTime(0);
            jar.putNextEntry(entry);
            jar.write(code);
        }
        return bytes.toByteArray();
    }
}
