package org.backplane.web.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.backplane.machine.Machine;
import org.backplane.web.Exchange;
import org.backplane.web.PlayedMachine;
import org.backplane.web.access.Door;
import org.backplane.web.access.Token;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MetricsServletTest {
    @TempDir Path folder;

    private Exchange scrape(Optional<Machine> machine, boolean withToken) throws Exception {
        Token token = Token.of(folder.resolve("web.token"));
        Exchange exchange = new Exchange();
        if (withToken) {
            exchange.with("Authorization", "Bearer " + token.text());
        }
        new MetricsServlet(new Door(token), () -> machine)
                .doGet(exchange.request(), exchange.response());
        return exchange;
    }

    private Exposition metrics(Optional<Machine> machine) throws Exception {
        return Exposition.parse(scrape(machine, true).bytes.toString(StandardCharsets.UTF_8));
    }

    @Test
    void tellsEverySlotAndProcessorInTheTextFormat() throws Exception {
        var samples = metrics(Optional.of(new PlayedMachine().machine())).samples;
        assertEquals(10, samples.get("backplane_slot_register_reads_total{slot=\"disk0\"}"));
        assertEquals(20, samples.get("backplane_slot_register_writes_total{slot=\"disk0\"}"));
        assertEquals(30, samples.get("backplane_slot_doorbells_total{slot=\"disk0\"}"));
        assertEquals(40, samples.get("backplane_slot_interrupts_total{slot=\"disk0\"}"));
        assertEquals(50, samples.get("backplane_slot_requests_total{slot=\"disk0\"}"));
        assertEquals(600, samples.get("backplane_slot_read_bytes_total{slot=\"disk0\"}"));
        assertEquals(7000, samples.get("backplane_slot_written_bytes_total{slot=\"disk0\"}"));
        assertEquals(8, samples.get("backplane_slot_guest_errors_total{slot=\"disk0\"}"));
        assertEquals(4, samples.get("backplane_vcpu_instructions_total{vcpu=\"0\"}"));
        assertEquals(10, samples.get("backplane_vcpu_exits_total{vcpu=\"1\"}"));
        assertEquals(2.5, samples.get("backplane_machine_guest_time_seconds_total"));
        assertEquals(
                1, samples.get("backplane_machine_state{backplane_machine_state=\"running\"}"));
        assertEquals(
                1,
                samples.get(
                        "backplane_slot_state{slot=\"disk0\",backplane_slot_state=\"running\"}"));
        assertEquals(
                1,
                samples.get(
                        "backplane_slot_info{bundle=\"org.backplane.device.virtio.blk\",kind=\"virtio-blk\",slot=\"disk0\",version=\"1.0.0\"}"));
        assertTrue(samples.keySet().stream().anyMatch(key -> key.startsWith("jvm_threads")));
        assertTrue(samples.containsKey("process_cpu_seconds_total"));
    }

    @Test
    void tellsOfTheJvmWhereThereIsNoMachine() throws Exception {
        var samples = metrics(Optional.empty()).samples;
        assertTrue(samples.keySet().stream().noneMatch(key -> key.startsWith("backplane")));
        assertTrue(samples.keySet().stream().anyMatch(key -> key.startsWith("jvm_memory")));
    }

    @Test
    void tellsNothingWithoutTheToken() throws Exception {
        Exchange exchange = scrape(Optional.of(new PlayedMachine().machine()), false);
        assertEquals(401, exchange.status);
        assertEquals(0, exchange.bytes.size());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a_total 1",
                "# HELP a_total x\n# TYPE a_total gauge\na_total 1",
                "# HELP a x\n# TYPE a gauge\na 1\na 2",
                "# HELP a x\n# TYPE a gauge\na{b=c} 1",
                "# HELP a_ms x\n# TYPE a_ms gauge\na_ms 1",
                "# HELP a x\n# TYPE a gauge\nb 1",
                "# TYPE a gauge\na 1"
            })
    void readerOfTheseTestsRefusesWhatTheFormatDoesNotAllow(String text) {
        assertThrows(AssertionError.class, () -> Exposition.parse(text + "\n"));
    }
}
