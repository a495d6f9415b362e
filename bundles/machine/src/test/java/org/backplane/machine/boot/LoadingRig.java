package org.backplane.machine.boot;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.backplane.bus.AddressRange;
import org.backplane.hypervisor.X86Entry;
import org.backplane.machine.MachineException;
import org.backplane.memory.Access;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.OffHeap;

/** Guest RAM of one bank, with the x86 board's places taken, and files to load into it. */
final class LoadingRig implements AutoCloseable {
    static final long MEGABYTE = 1 << 20;
    static final long RSDP = 0xe_0000;
    static final AddressRange LOW = new AddressRange(0x1000, 0x9_fc00 - 0x1000);
    static final AddressRange FIRMWARE = new AddressRange(0x9_fc00, MEGABYTE - 0x9_fc00);

    static final AddressRange NO_RAM = new AddressRange(0xc000_0000L, 0x4000_0000);

    private final Path folder;
    private final GuestMemory memory;
    private final AddressRange high;
    private final MemoryMap map;
    private GuestRam ram;
    private int files;

    LoadingRig(Path folder, long size) throws IOException {
        this.folder = folder;
        memory = new GuestMemory("test", List.of(new GuestMemory.RamBank(0, size)));
        high = new AddressRange(MEGABYTE, size - MEGABYTE);
        map =
                new MemoryMap(
                        List.of(
                                new MemoryMap.Entry(
                                        new AddressRange(0, FIRMWARE.base()), MemoryMap.USABLE),
                                new MemoryMap.Entry(FIRMWARE, MemoryMap.RESERVED),
                                new MemoryMap.Entry(high, MemoryMap.USABLE)));
    }

    AddressRange high() {
        return high;
    }

    GuestRam ram() {
        return ram;
    }

    Path file(byte[] content) throws IOException {
        return Files.write(folder.resolve("file" + files++), content);
    }

    /** Loads by the content alone. */
    X86Entry load(byte[] kernel, Optional<byte[]> initrd, String commandLine)
            throws IOException, MachineException {
        return load(file(kernel), initrd, commandLine, null);
    }

    X86Entry load(byte[] kernel) throws IOException, MachineException {
        return load(kernel, Optional.empty(), "");
    }

    /**
     * Loads.
     *
     * @param kind null to tell it by the content
     */
    X86Entry load(Path kernel, Optional<byte[]> initrd, String commandLine, X86Kernel kind)
            throws IOException, MachineException {
        memory.zero();
        ram = new GuestRam(memory, LOW, high, NO_RAM);
        ram.reserve("real-mode vectors", new AddressRange(0, 0x500));
        ram.reserve("firmware's memory", FIRMWARE);
        Optional<Path> module =
                initrd.isPresent() ? Optional.of(file(initrd.get())) : Optional.empty();
        Boot boot = new Boot(module, commandLine, ram, map, RSDP);
        try (ImageFile file = ImageFile.open("kernel", kernel)) {
            return (kind == null ? X86Kernel.recognised(file) : kind).load(file, boot);
        }
    }

    /** The sentence with which a kernel is refused. */
    String refusal(byte[] kernel) throws IOException {
        return refusal(kernel, Optional.empty(), "", null);
    }

    String refusal(byte[] kernel, Optional<byte[]> initrd, String commandLine, X86Kernel kind)
            throws IOException {
        Path file = file(kernel);
        String said =
                assertThrows(MachineException.class, () -> load(file, initrd, commandLine, kind))
                        .getMessage();
        assertTrue(said.endsWith("."), said);
        assertFalse(said.contains("\n"), said);
        assertFalse(said.contains(". "), "one sentence: " + said);
        return said;
    }

    private long host(long address, long length) {
        long host = memory.layout().translate(address, length, Access.READ);
        assertTrue(host != 0, "no RAM at 0x" + Long.toHexString(address));
        return host;
    }

    ByteBuffer bytes(long address, int length) {
        byte[] bytes = new byte[length];
        OffHeap.copy(host(address, length), bytes, 0, length);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    byte[] array(long address, int length) {
        return bytes(address, length).array();
    }

    long u32(long address) {
        return Integer.toUnsignedLong(bytes(address, Integer.BYTES).getInt());
    }

    long u64(long address) {
        return bytes(address, Long.BYTES).getLong();
    }

    /** Up to the zero. */
    String text(long address) {
        StringBuilder text = new StringBuilder();
        for (long at = address; OffHeap.getByte(host(at, 1)) != 0; at++) {
            text.append((char) Byte.toUnsignedInt(OffHeap.getByte(host(at, 1))));
        }
        return new String(
                text.toString().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        memory.close();
    }
}
