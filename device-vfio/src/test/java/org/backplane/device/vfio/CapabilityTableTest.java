package org.backplane.device.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The table and what docs/vfio.md says of it. */
class CapabilityTableTest {
    private static final Path PAGE = Path.of("../docs/vfio.md");
    private static final String HEAD = "| id | capability | the guest's is | because |";

    private static List<String> lines(List<CapabilityRule> rules, String digits) {
        return rules.stream()
                .map(
                        rule ->
                                ("| `0x%0" + digits + "x` | %s | %s | %s |")
                                        .formatted(
                                                rule.id(),
                                                rule.name(),
                                                rule.treatment().word(),
                                                rule.reason()))
                .toList();
    }

    private static List<String> rows(List<String> page, int table) {
        int at = -1;
        for (int i = 0; i <= table; i++) {
            int from = at + 1;
            at = from + page.subList(from, page.size()).indexOf(HEAD);
            assertTrue(at >= from, "docs/vfio.md has no table " + table + " with '" + HEAD + "'");
        }
        List<String> rows = new ArrayList<>();
        for (String line : page.subList(at + 2, page.size())) {
            if (!line.startsWith("|")) {
                break;
            }
            rows.add(line);
        }
        return rows;
    }

    @Test
    void isThatOfThePage() throws Exception {
        List<String> page = Files.readAllLines(PAGE);
        assertEquals(
                String.join("\n", lines(CapabilityTable.STANDARD, "2")),
                String.join("\n", rows(page, 0)));
        assertEquals(
                String.join("\n", lines(CapabilityTable.EXTENDED, "4")),
                String.join("\n", rows(page, 1)));
    }

    @Test
    void hasEachKindOnce() {
        for (List<CapabilityRule> rules :
                List.of(CapabilityTable.STANDARD, CapabilityTable.EXTENDED)) {
            Set<Integer> ids = new HashSet<>();
            rules.forEach(rule -> assertTrue(ids.add(rule.id()), rule.toString()));
        }
    }

    @Test
    void hidesWhatItDoesNotKnow() {
        assertEquals(CapabilityRule.Treatment.HIDDEN, CapabilityTable.standard(0x7f).treatment());
        assertEquals(CapabilityRule.Treatment.HIDDEN, CapabilityTable.extended(0x7fff).treatment());
    }
}
