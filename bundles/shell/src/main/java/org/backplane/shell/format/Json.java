package org.backplane.shell.format;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.gson.JsonSerializer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import org.backplane.bus.AddressRange;
import org.backplane.machine.FunctionReport;
import org.backplane.shell.command.Answer;

/**
 * What a command returns as a line of JSON; docs/shell.md has the form. Reports are objects with
 * the names of their components, so that a component that is renamed is a change of the form:
 * JsonTest has one of each.
 */
public record Json(String text) {
    private static final Gson FORM =
            new GsonBuilder()
                    .disableHtmlEscaping()
                    .serializeNulls()
                    .registerTypeAdapter(Duration.class, in(Json::seconds))
                    .registerTypeAdapter(Instant.class, in(Json::text))
                    .registerTypeHierarchyAdapter(Path.class, in(Json::text))
                    .registerTypeHierarchyAdapter(Enum.class, in(Json::lowerCase))
                    .registerTypeAdapter(AddressRange.class, in(Json::range))
                    .registerTypeAdapter(FunctionReport.Bar.class, in(Json::bar))
                    .create();

    /** A report, a list, an answer's value; nothing is an empty object, a text its output. */
    public static Json of(Object result) {
        if (result instanceof Json done) {
            return done;
        }
        if (result instanceof Answer answer) {
            return of(answer.value());
        }
        if (result instanceof CharSequence text) {
            return of(Map.of("output", text.toString()));
        }
        return new Json(FORM.toJson(result == null ? Map.of() : result));
    }

    /** Why a command failed. */
    public static Json failure(String sentence) {
        JsonObject failure = new JsonObject();
        failure.addProperty("error", sentence);
        failure.addProperty("status", 1);
        return new Json(FORM.toJson(failure));
    }

    private static <T> JsonSerializer<T> in(java.util.function.Function<T, JsonElement> form) {
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

    /** Texts, because an address may be larger than the integers that all readers can hold. */
    private static JsonElement address(long address) {
        return new JsonPrimitive("0x" + Long.toHexString(address));
    }

    private static JsonElement range(AddressRange range) {
        JsonObject form = new JsonObject();
        form.add("base", address(range.base()));
        form.add("last", address(range.last()));
        form.addProperty("size", range.size());
        return form;
    }

    private static JsonElement bar(FunctionReport.Bar bar) {
        JsonObject form = new JsonObject();
        form.addProperty("index", bar.index());
        form.addProperty("kind", bar.kind());
        form.add("base", bar.base() < 0 ? JsonNull.INSTANCE : address(bar.base()));
        form.addProperty("size", bar.size());
        form.addProperty("decoding", bar.decoding());
        return form;
    }
}
