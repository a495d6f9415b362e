package org.backplane.web.page;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.machine.MachineException;
import org.backplane.web.Exchange;
import org.backplane.web.PlayedMachine;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

class BackplanePageTest {
    @TempDir Path uploads;
    private final PlayedMachine played = new PlayedMachine();
    private BackplanePage page;

    @BeforeEach
    void makePage() {
        BundleContext context =
                (BundleContext)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {BundleContext.class},
                                (proxy, method, arguments) -> new Bundle[0]);
        page = new BackplanePage(() -> Optional.of(played.machine()), context, uploads);
    }

    private Exchange get(String part) throws Exception {
        Exchange exchange = new Exchange();
        exchange.path = "/backplane" + part;
        page.doGet(exchange.request(), exchange.response());
        return exchange;
    }

    private Exchange post(String part, String... fields) throws Exception {
        Exchange exchange = new Exchange().posting().with("X-Backplane", "1");
        exchange.path = "/backplane/" + part;
        for (int i = 0; i < fields.length; i += 2) {
            exchange.parameters.put(fields[i], fields[i + 1]);
        }
        page.doPost(exchange.request(), exchange.response());
        return exchange;
    }

    private static String told(Exchange exchange, String name) {
        return JsonParser.parseString(exchange.body.toString())
                .getAsJsonObject()
                .get(name)
                .getAsString();
    }

    @Test
    void stateHasAddressesAsTextAndTimesInSeconds() throws Exception {
        JsonObject state = JsonParser.parseString(get("/state").body.toString()).getAsJsonObject();
        JsonObject window =
                state.getAsJsonObject("map").getAsJsonArray("windows").get(0).getAsJsonObject();
        assertEquals("0x10000000000", window.getAsJsonObject("range").get("base").getAsString());
        assertEquals("mmio", window.get("space").getAsString());
        assertEquals(
                "disk0 bar0",
                window.getAsJsonArray("regions")
                        .get(0)
                        .getAsJsonObject()
                        .get("owner")
                        .getAsString());
        assertEquals(2.5, state.getAsJsonObject("machine").get("guestTime").getAsDouble());
        assertEquals("up", state.getAsJsonObject("links").get("disk0").getAsString());
        assertTrue(
                state.getAsJsonArray("functions")
                        .get(0)
                        .getAsJsonObject()
                        .getAsJsonArray("bars")
                        .get(0)
                        .getAsJsonObject()
                        .get("base")
                        .isJsonNull());
        assertEquals(
                600,
                state.getAsJsonObject("counters")
                        .getAsJsonArray("slots")
                        .get(0)
                        .getAsJsonObject()
                        .get("bytesRead")
                        .getAsLong());
    }

    @Test
    void pageTakesNothingFromElsewhereAndNoScriptInside() throws Exception {
        Exchange exchange = get("");
        String html = exchange.bytes.toString();
        assertTrue(exchange.answered.get("Content-Security-Policy").contains("default-src 'self'"));
        assertEquals(0, html.split("<script(?! type=\"module\" src=\"backplane/)").length - 1);
        assertEquals(0, html.split("https?://").length - 1);
        assertTrue(get("/map.js").bytes.toString().contains("MapPicture"));
        assertEquals(404, get("/../secret").status);
    }

    @ParameterizedTest
    @CsvSource({
        "plug, 'plug [disk1, virtio-blk, {path=/tmp/b.img, ro=true}, the web page]'",
        "unplug, 'unplug [disk1, true]'",
        "swap, 'swap [disk1, latest, true]'",
        "accept, 'accept [disk1]'",
        "link, 'link [disk1, false]'",
        "pause, 'pause []'",
        "resume, 'resume []'"
    })
    void buttonAsksTheMachine(String part, String asked) throws Exception {
        Exchange exchange =
                post(
                        part,
                        "name",
                        "disk1",
                        "slot",
                        "disk1",
                        "kind",
                        "virtio-blk",
                        "settings",
                        "path=/tmp/b.img\n\nro\r\n",
                        "version",
                        "latest",
                        "force",
                        "true",
                        "up",
                        "false");
        assertEquals(200, exchange.status);
        assertEquals(List.of(asked), played.asked);
        assertTrue(told(exchange, "message").endsWith("."));
    }

    @Test
    void uploadIsSwappedInAndNothingOfItIsLeft() throws Exception {
        Exchange exchange = new Exchange().posting().with("X-Backplane", "1");
        exchange.path = "/backplane/upload";
        exchange.parameters.putAll(Map.of("slot", "disk0", "force", "false"));
        exchange.content = new byte[] {80, 75, 3, 4};
        page.doPost(exchange.request(), exchange.response());
        assertEquals(List.of("swap a jar"), played.asked);
        assertArrayEquals(exchange.content, played.jar);
        assertTrue(told(exchange, "message").contains("1.0.0; the guest was held for 3.0 ms"));
        try (var files = Files.list(uploads)) {
            assertEquals(0, files.count());
        }
    }

    @Test
    void emptyUploadIsRefusedWithASentence() throws Exception {
        Exchange exchange = post("upload", "slot", "disk0");
        assertEquals(409, exchange.status);
        assertEquals("No jar came: choose a file.", told(exchange, "error"));
        assertEquals(List.of(), played.asked);
    }

    /** What curl sends unless told otherwise; the server would take the jar for fields. */
    @Test
    void uploadAsAFormIsToldHowToComeBeforeAFieldIsAskedFor() throws Exception {
        Exchange exchange =
                new Exchange()
                        .posting()
                        .with("X-Backplane", "1")
                        .with("Content-Type", "application/x-www-form-urlencoded");
        exchange.path = "/backplane/upload";
        exchange.parameters.put("slot", "disk0");
        exchange.content = new byte[] {80, 75, 3, 4};
        page.doPost(exchange.request(), exchange.response());
        assertEquals(409, exchange.status);
        assertTrue(told(exchange, "error").contains("application/java-archive"));
        assertEquals(List.of(), played.asked);
    }

    @ParameterizedTest
    @CsvSource({"link, up, maybe", "link, up, ''", "unplug, force, yes", "swap, force, 1"})
    void fieldThatIsNeitherTrueNorFalseChangesNothing(String part, String field, String value)
            throws Exception {
        Exchange exchange = post(part, "slot", "disk1", "version", "latest", field, value);
        assertEquals(409, exchange.status);
        assertTrue(told(exchange, "error").contains("'" + field + "'"));
        assertEquals(List.of(), played.asked);
    }

    @Test
    void refusalOfTheMachineIsToldAsItsSentence() throws Exception {
        played.refusal = "The slot name 'disk1' is \"taken\".";
        Exchange exchange = post("plug", "name", "disk1", "kind", "virtio-blk");
        assertEquals(409, exchange.status);
        assertEquals(played.refusal, told(exchange, "error"));
    }

    @Test
    void fieldThatIsMissingIsNamed() throws Exception {
        assertEquals("The field 'slot' is empty: fill it in.", told(post("unplug"), "error"));
    }

    @Test
    void changeWithoutThePagesOwnHeaderIsRefused() throws Exception {
        Exchange exchange = new Exchange().posting();
        exchange.path = "/backplane/pause";
        page.doPost(exchange.request(), exchange.response());
        assertEquals(403, exchange.status);
        assertEquals(List.of(), played.asked);
    }

    @Test
    void unknownPartIsNotFound() throws Exception {
        assertEquals(404, get("/nothing").status);
        assertEquals(404, post("reboot").status);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"=x | has no name", "a=1;a=2 | is there twice"})
    void settingsThatMeanNothingAreRefused(String text, String reason) {
        assertTrue(
                assertThrows(
                                MachineException.class,
                                () -> Operations.settings(text.replace(';', '\n')))
                        .getMessage()
                        .contains(reason));
    }
}
