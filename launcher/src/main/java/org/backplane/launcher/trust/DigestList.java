package org.backplane.launcher.trust;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads a list of digests as {@code sha256sum} writes it: 64 hexadecimal digits, spaces, a name.
 * Lines that are empty or begin with {@code #} are comments.
 */
final class DigestList {
    private static final Pattern LINE = Pattern.compile("(\\p{XDigit}{64})\\s+\\*?(\\S.*)");

    private DigestList() {}

    /**
     * The names by digest.
     *
     * @throws IOException with a clause that names the line
     */
    static Map<String, String> read(Path file) throws IOException {
        Map<String, String> digests = new LinkedHashMap<>();
        List<String> lines;
        try {
            lines = Files.readAllLines(file, StandardCharsets.UTF_8);
        } catch (CharacterCodingException e) {
            throw new IOException("'" + file.getFileName() + "' is no text in UTF-8", e);
        }
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            Matcher matcher = LINE.matcher(line);
            if (!matcher.matches()) {
                throw new IOException(
                        "line %d of '%s' is no SHA-256 with a name, as sha256sum writes it"
                                .formatted(i + 1, file.getFileName()));
            }
            digests.put(matcher.group(1).toLowerCase(Locale.ROOT), matcher.group(2));
        }
        return digests;
    }
}
