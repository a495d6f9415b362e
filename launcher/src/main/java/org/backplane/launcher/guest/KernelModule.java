package org.backplane.launcher.guest;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tukaani.xz.XZInputStream;

/**
 * A kernel module, uncompressed and without its signature: checking one costs a processor that is
 * interpreted ten times what loading the module does.
 *
 * @param name as {@code lsmod} shows it
 * @param contents the ELF file
 * @param depends names of the modules that must be loaded before
 */
record KernelModule(String name, byte[] contents, List<String> depends) {
    private static final byte[] SIGNATURE_MARK =
            "~Module signature appended~\n".getBytes(StandardCharsets.US_ASCII);

    /** struct module_signature (Linux, include/linux/module_signature.h), before the mark. */
    private static final int SIGNATURE_TRAILER = 12;

    private static final String COMPRESSED = ".xz";
    private static final String SUFFIX = ".ko";

    /** Reads {@code NAME.ko} or {@code NAME.ko.xz}. */
    static KernelModule read(Path file) throws IOException {
        String fileName = file.getFileName().toString();
        byte[] contents = Files.readAllBytes(file);
        if (fileName.endsWith(COMPRESSED)) {
            try (InputStream in = new XZInputStream(new ByteArrayInputStream(contents))) {
                contents = in.readAllBytes();
            }
            fileName = fileName.substring(0, fileName.length() - COMPRESSED.length());
        }
        if (!fileName.endsWith(SUFFIX)) {
            throw new IOException(
                    file
                            + " is compressed in a way that is not known here; expected .ko or .ko.xz");
        }
        byte[] stripped = withoutSignature(contents);
        return new KernelModule(
                plainName(fileName.substring(0, fileName.length() - SUFFIX.length())),
                stripped,
                depends(fileName, stripped));
    }

    /** Dash and underscore are the same in names of modules; lsmod shows underscores. */
    static String plainName(String name) {
        return name.replace('-', '_');
    }

    static byte[] withoutSignature(byte[] module) throws IOException {
        int mark = module.length - SIGNATURE_MARK.length;
        if (mark < SIGNATURE_TRAILER
                || !Arrays.equals(
                        module, mark, module.length, SIGNATURE_MARK, 0, SIGNATURE_MARK.length)) {
            return module;
        }
        int length = ByteBuffer.wrap(module).getInt(mark - 4);
        int end = mark - SIGNATURE_TRAILER - length;
        if (length < 0 || end < 0) {
            throw new IOException(
                    "a module's signature of " + length + " bytes is longer than the module");
        }
        return Arrays.copyOf(module, end);
    }

    /** {@code depends=a,b} of .modinfo, and what {@code softdep=pre: c} wants. */
    private static List<String> depends(String fileName, byte[] module) throws IOException {
        ByteBuffer information = new ElfFile(fileName, module).section(".modinfo");
        String text = StandardCharsets.UTF_8.decode(information).toString();
        List<String> names = new ArrayList<>();
        for (String field : text.split("\0")) {
            if (field.startsWith("depends=")) {
                addNames(names, field.substring("depends=".length()).split(","));
            } else if (field.startsWith("softdep=pre:")) {
                String pre = field.substring("softdep=pre:".length()).split("post:")[0];
                addNames(names, pre.strip().split("\\s+"));
            }
        }
        return List.copyOf(names);
    }

    private static void addNames(List<String> names, String[] found) {
        for (String name : found) {
            if (!name.isBlank()) {
                names.add(plainName(name));
            }
        }
    }
}
