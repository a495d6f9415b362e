package org.backplane.vfio.user;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;

/**
 * What one end of a connection can take, the version data of {@code VFIO_USER_VERSION}: JSON with a
 * NUL behind it.
 *
 * @param mostDescriptors {@code max_msg_fds}: in one message
 * @param mostData {@code max_data_xfer_size}: bytes of data in one message
 * @param mostMaps {@code max_dma_maps}: DMA maps at a time
 * @param pageSizes {@code pgsizes}: of DMA maps, a bit each
 * @param writeMultiple {@code write_multiple}: whether it knows VFIO_USER_REGION_WRITE_MULTI
 * @param named the names that were there; the others have the specification's default
 */
record Capabilities(
        int mostDescriptors,
        int mostData,
        int mostMaps,
        long pageSizes,
        boolean writeMultiple,
        Set<String> named) {
    private static final String CAPABILITIES = "capabilities";
    private static final String MAX_MSG_FDS = "max_msg_fds";
    private static final String MAX_DATA_XFER_SIZE = "max_data_xfer_size";
    private static final String MAX_DMA_MAPS = "max_dma_maps";
    private static final String PGSIZES = "pgsizes";
    private static final String WRITE_MULTIPLE = "write_multiple";

    /** What an end has that names nothing. */
    static final Capabilities DEFAULTS =
            new Capabilities(1, Wire.MOST_DATA, 65535, 4096, false, Set.of());

    /** Most descriptors in one message that QEMU's client accepts to be offered. */
    private static final int MOST_DESCRIPTORS = 16;

    /**
     * Each map can hold a descriptor of this process, of which there may be as few as 1,024 left.
     */
    private static final int MOST_MAPS = 512;

    /** What both ends of this package can take. */
    static final Capabilities OURS =
            new Capabilities(
                    MOST_DESCRIPTORS,
                    Wire.MOST_DATA,
                    MOST_MAPS,
                    4096,
                    true,
                    Set.of(MAX_MSG_FDS, MAX_DATA_XFER_SIZE, MAX_DMA_MAPS, PGSIZES, WRITE_MULTIPLE));

    /** These, without what the other end has not named: a server offers no more than it was. */
    Capabilities namedBy(Capabilities proposed) {
        Set<String> both = new HashSet<>(named);
        both.retainAll(proposed.named);
        return new Capabilities(
                mostDescriptors, mostData, mostMaps, pageSizes, writeMultiple, Set.copyOf(both));
    }

    /** The version data with what is named. */
    ByteBuffer toVersionData() {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            json.beginObject().name(CAPABILITIES).beginObject();
            write(json, MAX_MSG_FDS, mostDescriptors);
            write(json, MAX_DATA_XFER_SIZE, mostData);
            write(json, MAX_DMA_MAPS, mostMaps);
            write(json, PGSIZES, pageSizes);
            if (named.contains(WRITE_MULTIPLE)) {
                json.name(WRITE_MULTIPLE).value(writeMultiple);
            }
            json.endObject().endObject();
        } catch (IOException e) {
            throw new IllegalStateException("a string can be written to", e);
        }
        return StandardCharsets.UTF_8.encode(text + "\0");
    }

    private void write(JsonWriter json, String name, long value) throws IOException {
        if (named.contains(name)) {
            json.name(name).value(value);
        }
    }

    /**
     * Reads version data: none, or an object; names that are not known are passed over.
     *
     * @throws ProtocolException it is no strict JSON, or a value cannot be
     */
    static Capabilities read(ByteBuffer versionData) throws ProtocolException {
        if (!versionData.hasRemaining()) {
            return DEFAULTS;
        }
        int last = versionData.limit() - 1;
        if (versionData.get(last) != 0) {
            throw new ProtocolException("the version data has no NUL at its end");
        }
        try {
            String text =
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(versionData.duplicate().limit(last))
                            .toString();
            JsonReader json = new JsonReader(new StringReader(text));
            json.setStrictness(Strictness.STRICT);
            Capabilities capabilities = readObject(json);
            if (json.peek() != JsonToken.END_DOCUMENT) {
                throw new ProtocolException("the version data goes on behind its object");
            }
            return capabilities;
        } catch (ProtocolException e) {
            throw e;
        } catch (CharacterCodingException e) {
            throw new ProtocolException("the version data is no UTF-8");
        } catch (IOException | IllegalStateException | NumberFormatException e) {
            // What follows the first line is where Gson explains itself.
            String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new ProtocolException("the version data is wrong: " + reason);
        }
    }

    private static Capabilities readObject(JsonReader json) throws IOException {
        Capabilities capabilities = DEFAULTS;
        Set<String> names = new HashSet<>();
        json.beginObject();
        while (json.hasNext()) {
            String name = once(json, names);
            if (name.equals(CAPABILITIES)) {
                capabilities = readCapabilities(json);
            } else {
                json.skipValue();
            }
        }
        json.endObject();
        return capabilities;
    }

    private static Capabilities readCapabilities(JsonReader json) throws IOException {
        int mostDescriptors = DEFAULTS.mostDescriptors;
        int mostData = DEFAULTS.mostData;
        int mostMaps = DEFAULTS.mostMaps;
        long pageSizes = DEFAULTS.pageSizes;
        boolean writeMultiple = DEFAULTS.writeMultiple;
        Set<String> names = new HashSet<>();
        json.beginObject();
        while (json.hasNext()) {
            switch (once(json, names)) {
                case MAX_MSG_FDS -> mostDescriptors = number(json, MAX_MSG_FDS);
                case MAX_DATA_XFER_SIZE -> mostData = number(json, MAX_DATA_XFER_SIZE);
                case MAX_DMA_MAPS -> mostMaps = number(json, MAX_DMA_MAPS);
                case PGSIZES -> pageSizes = json.nextLong();
                case WRITE_MULTIPLE -> writeMultiple = json.nextBoolean();
                default -> json.skipValue();
            }
        }
        json.endObject();
        return new Capabilities(
                mostDescriptors, mostData, mostMaps, pageSizes, writeMultiple, Set.copyOf(names));
    }

    private static String once(JsonReader json, Set<String> names) throws IOException {
        String name = json.nextName();
        if (!names.add(name)) {
            throw new ProtocolException("the version data has '%s' twice".formatted(name));
        }
        return name;
    }

    /** A limit; larger than what this end could use is as good as that. */
    private static int number(JsonReader json, String name) throws IOException {
        long value = json.nextLong();
        if (value < 1) {
            throw new ProtocolException("%s is %d, and must be 1 at least".formatted(name, value));
        }
        return (int) Math.min(value, Integer.MAX_VALUE);
    }
}
