package org.backplane.web.page;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.gson.JsonSerializer;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.backplane.bus.AddressRange;
import org.backplane.machine.FunctionReport;
import org.backplane.machine.HistoryEntry;
import org.backplane.machine.Machine;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotReport;

/**
 * What the page is told, as JSON: reports are objects with the names of their components. Addresses
 * are texts, {@code 0x40000000}, because they may be larger than JavaScript's integers; times are
 * seconds.
 */
final class StateJson {
    private static final Logger LOG = System.getLogger(StateJson.class.getName());
    private static final Gson FORM =
            new GsonBuilder()
                    .serializeNulls()
                    .registerTypeAdapter(Duration.class, in(StateJson::seconds))
                    .registerTypeAdapter(Instant.class, in(StateJson::text))
                    .registerTypeHierarchyAdapter(Enum.class, in(StateJson::lowerCase))
                    .registerTypeAdapter(AddressRange.class, in(StateJson::range))
                    .registerTypeAdapter(FunctionReport.Bar.class, in(StateJson::bar))
                    .create();

    private StateJson() {}

    /**
     * Everything that the page shows.
     *
     * @param versions installed, by kind
     */
    static String of(Machine machine, Map<String, List<String>> versions) {
        JsonObject state = new JsonObject();
        state.add("machine", FORM.toJsonTree(machine.report()));
        state.add("slots", FORM.toJsonTree(machine.slots()));
        state.add("map", FORM.toJsonTree(machine.map()));
        state.add("functions", FORM.toJsonTree(machine.functions()));
        state.add("counters", FORM.toJsonTree(machine.counters()));
        state.add("kinds", FORM.toJsonTree(machine.kinds()));
        state.add("versions", FORM.toJsonTree(versions));
        state.add("links", FORM.toJsonTree(links(machine)));
        return FORM.toJson(state);
    }

    /** Of the slots whose devices have one, {@code up} or {@code down}. */
    private static Map<String, String> links(Machine machine) {
        var links = new TreeMap<String, String>();
        for (SlotReport slot : machine.slots()) {
            try {
                String link = machine.inspect(slot.name()).facts().get("link");
                if (link != null) {
                    links.put(slot.name(), link);
                }
            } catch (MachineException e) {
                LOG.log(Level.DEBUG, "unplugged meanwhile", e);
            }
        }
        return links;
    }

    static String of(List<HistoryEntry> history) {
        return FORM.toJson(history);
    }

    /** What an operation came to. */
    static String sentence(String sentence) {
        JsonObject told = new JsonObject();
        told.addProperty("message", sentence);
        return FORM.toJson(told);
    }

    /** Why an operation came to nothing. */
    static String error(String sentence) {
        JsonObject told = new JsonObject();
        told.addProperty("error", sentence);
        return FORM.toJson(told);
    }

    private static <T> JsonSerializer<T> in(Function<T, JsonElement> form) {
        return (value, type, context) -> form.apply(value);
    }

    private static JsonElement seconds(Duration time) {
        return new JsonPrimitive(time.toNanos() / 1e9);
    }

    private static JsonElement text(Object value) {
        return new JsonPrimitive(value.toString());
    }

    private static JsonElement lowerCase(Enum<?> value) {
        return new JsonPrimitive(value.name().toLowerCase(Locale.ROOT));
    }

    private static JsonElement address(long address) {
        return new JsonPrimitive("0x" + Long.toHexString(address));
    }

    private static JsonElement range(AddressRange range) {
        JsonObject form = new JsonObject();
        form.add("base", address(range.base()));
        form.add("size", address(range.size()));
        return form;
    }

    private static JsonElement bar(FunctionReport.Bar bar) {
        JsonObject form = new JsonObject();
        form.addProperty("index", bar.index());
        form.addProperty("kind", bar.kind());
        form.add("base", bar.base() < 0 ? com.google.gson.JsonNull.INSTANCE : address(bar.base()));
        form.add("size", address(bar.size()));
        form.addProperty("decoding", bar.decoding());
        return form;
    }
}
