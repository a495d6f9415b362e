package org.backplane.shell.format;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.backplane.machine.SwapReport;
import org.backplane.shell.RecordedMachine;
import org.backplane.shell.command.Answer;
import org.junit.jupiter.api.Test;

/** The form is a contract with scripts: docs/shell.md. */
class JsonTest {
    private final RecordedMachine machine = new RecordedMachine();

    private static void assertForm(String expected, Object value) {
        assertEquals(expected.replaceAll("\n\\s*", ""), Json.of(value).text());
    }

    @Test
    void machine() {
        assertForm(
                """
                {"name":"demo","state":"running","engine":"hart","board":"riscv","vcpus":2,
                "memory":536870912,"guestTime":12.345,"instructions":7,"boots":1}""",
                machine.report());
    }

    @Test
    void slots() {
        assertForm(
                """
                [{"name":"disk0","kind":"virtio-blk","state":"running",
                "source":"--disk /tmp/a.img","settings":{"image":"/tmp/a.img"},
                "bundle":"org.backplane.device.virtio.blk","version":"1.0.0","bundleId":12,
                "address":"00:01.0","detail":""}]""",
                List.of(RecordedMachine.DISK));
    }

    @Test
    void swap() {
        SwapReport swap = new SwapReport(RecordedMachine.SOUND, Duration.ofNanos(1_250_000), 3, 52);
        assertForm(
                """
                {"slot":{"name":"sound0","kind":"virtio-snd","state":"waiting","source":"",
                "settings":{},"bundle":"","version":"","bundleId":-1,"address":"",
                "detail":"no bundle offers 'virtio-snd'"},
                "pause":0.00125,"drained":3,"stateSize":52}""",
                swap);
    }

    @Test
    void map() {
        assertForm(
                """
                {"memory":[{"kind":"RAM",
                "range":{"base":"0x80000000","last":"0x9fffffff","size":536870912}}],
                "windows":[{"name":"mmio32","space":"mmio",
                "range":{"base":"0x40000000","last":"0x40003fff","size":16384},
                "regions":[{"owner":"disk0 BAR0",
                "range":{"base":"0x40001000","last":"0x40001fff","size":4096},
                "decoding":true,"reads":3,"writes":4,"engine":false}],
                "holes":[{"base":"0x40000000","last":"0x40000fff","size":4096},
                {"base":"0x40002000","last":"0x40003fff","size":8192}]},
                {"name":"io","space":"io","range":{"base":"0x0","last":"0xffff","size":65536},
                "regions":[],"holes":[{"base":"0x0","last":"0xffff","size":65536}]}],
                "ports":[{"port":1,"space":"mmio","kind":"mem32",
                "range":{"base":"0x40003000","last":"0x40003fff","size":4096}}]}""",
                machine.map());
    }

    @Test
    void functions() {
        assertForm(
                """
                [{"address":"00:10.0","slot":"","vendorId":6966,"deviceId":12,
                "classCode":394240,"revision":0,"command":7,"status":16,"msixVectors":0,
                "msixEnabled":false,"bars":[],
                "port":{"number":1,"secondary":1,"subordinate":2,"io":null,
                "memory":{"base":"0x40003000","last":"0x40003fff","size":4096},
                "prefetchable":null,"occupant":"disk0","powered":true,"linkActive":true}},
                {"address":"01:00.0","slot":"disk0","vendorId":6900,"deviceId":4162,
                "classCode":98304,"revision":1,"command":1030,"status":16,"msixVectors":2,
                "msixEnabled":true,
                "bars":[{"index":0,"kind":"mem32","base":"0x40001000","size":4096,"decoding":true},
                {"index":4,"kind":"mem64,pref","base":null,"size":1048576,"decoding":false}],
                "port":null}]""",
                machine.functions());
    }

    @Test
    void history() {
        assertForm(
                """
                [{"at":"1970-01-01T00:00:00Z","step":"create","took":0.012,"detail":"1.0.0"},
                {"at":"1970-01-01T00:00:00Z","step":"start","took":0.0,"detail":""}]""",
                machine.history("disk0"));
    }

    @Test
    void answersValuesTextsAndNothing() {
        assertForm("{\"unplugged\":\"disk0\"}", new Answer("done", Map.of("unplugged", "disk0")));
        assertForm("{\"output\":\"a \\\"b\\\" <c>\\n\"}", "a \"b\" <c>\n");
        assertForm("{}", null);
        assertForm("[]", List.of());
    }

    @Test
    void failuresHaveTheSentenceAndTheStatus() {
        assertEquals(
                "{\"error\":\"There is no slot 'x'.\",\"status\":1}",
                Json.failure("There is no slot 'x'.").text());
    }
}
