package org.backplane.machine.acpi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A block of tables as a kernel walks it: from the root pointer, by the addresses in it. */
final class ParsedTables {
    final ByteBuffer block;
    final long base;
    final Map<String, ByteBuffer> tables = new LinkedHashMap<>();

    ParsedTables(AcpiTables built) {
        block = ByteBuffer.wrap(built.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        base = built.rootPointer();
        ByteBuffer xsdt = at(block.getLong(24));
        add(xsdt);
        for (int entry = 36; entry < xsdt.capacity(); entry += 8) {
            add(at(xsdt.getLong(entry)));
        }
        ByteBuffer fadt = tables.get("FACP");
        add(at(Integer.toUnsignedLong(fadt.getInt(36))));
        add(at(Integer.toUnsignedLong(fadt.getInt(40))));
    }

    private void add(ByteBuffer table) {
        tables.put(text(table, 0, 4), table);
    }

    /** The table whose length is in its own header. */
    ByteBuffer at(long address) {
        int offset = Math.toIntExact(address - base);
        return block.slice(offset, block.getInt(offset + 4)).order(ByteOrder.LITTLE_ENDIAN);
    }

    ByteBuffer table(String signature) {
        return tables.get(signature);
    }

    byte[] bytes(String signature) {
        return bytes(table(signature));
    }

    static byte[] bytes(ByteBuffer table) {
        byte[] bytes = new byte[table.capacity()];
        table.get(0, bytes);
        return bytes;
    }

    static String text(ByteBuffer table, int at, int length) {
        byte[] bytes = new byte[length];
        table.get(at, bytes);
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    static int sum(ByteBuffer table, int bytes) {
        int sum = 0;
        for (int i = 0; i < bytes; i++) {
            sum += table.get(i);
        }
        return sum & 0xff;
    }

    /** The structures of the MADT of a type, without type and length. */
    List<ByteBuffer> controllers(int type) {
        ByteBuffer madt = table("APIC");
        var found = new ArrayList<ByteBuffer>();
        for (int at = 44; at < madt.capacity(); at += madt.get(at + 1) & 0xff) {
            if (madt.get(at) == type) {
                int length = (madt.get(at + 1) & 0xff) - 2;
                found.add(madt.slice(at + 2, length).order(ByteOrder.LITTLE_ENDIAN));
            }
        }
        return found;
    }
}
