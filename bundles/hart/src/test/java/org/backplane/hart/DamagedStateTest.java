package org.backplane.hart;

import static org.backplane.hart.StateEdits.at;
import static org.backplane.hart.StateEdits.copy;
import static org.backplane.hart.StateEdits.with;
import static org.backplane.hart.StateEdits.without;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** States that no VM saved. */
class DamagedStateTest {
    private static SavedState golden() {
        return GoldenState.read(SavedVmTest.class, SavedVmTest.GOLDEN);
    }

    private static Arguments refused(
            String path, UnaryOperator<SavedState> damage, String... sentence) {
        return Arguments.of(path, damage, String.join("", sentence));
    }

    private static Arguments number(String path, String name, long value, String why) {
        return refused(path, part -> with(part, name, value), why);
    }

    private static Arguments bytes(String path, String name, byte[] value, String why) {
        return refused(path, part -> copy(part).bytes(name, value).build(), why);
    }

    private static byte[] bit(int length, int bit) {
        byte[] bytes = new byte[length];
        bytes[bit / 8] = (byte) (1 << bit % 8);
        return bytes;
    }

    private static UnaryOperator<SavedState> as(String schema, int version) {
        return part -> copy(part, schema, version).build();
    }

    static Stream<Arguments> damages() {
        return Stream.of(
                refused("", as("kvm-vm", 1), "it is of 'kvm-vm', not of 'hart-vm'"),
                refused("", as("hart-vm", 2), "its version is 2, this engine reads 1 to 1"),
                refused("", as("hart-vm", 0), "its version is 0"),
                refused("aplic", as("hart-aplic", 2), "of the APLIC", " cannot be restored"),
                refused("hart1", as("hart", 3), "of hart 1 cannot be restored: its version is 3"),
                refused("hart1/imsic", as("hart-imsic-file", 2), "hart 1's interrupt file"),
                refused("hart1/entry", as("hart-entry", 2), "hart 1's entry point"),
                refused("hart1", as("disk", 1), "it is of 'disk', not of 'hart'"),
                refused("", part -> without(part, "hart1"), "there is no 'hart1' in it"),
                refused("", part -> without(part, "aplic"), "there is no 'aplic' in it"),
                refused("hart0", part -> without(part, "imsic"), "there is no 'imsic' in it"),
                refused("hart1", part -> without(part, "entry"), "without an entry point"),
                number("", "processors", 3, "its processors is 3 and this VM's is 2"),
                number("", "identities", 63, "its identities is 63 and this VM's is 255"),
                number("", "sources", 96, "its sources is 96 and this VM's is 31"),
                number("", "timebaseFrequency", 1, "its timebaseFrequency is 1"),
                number("", "imsicBase", 0, "its imsicBase is 0"),
                number("", "aplicBase", 0, "its aplicBase is 0"),
                number("", "guestTime", -1, "guestTime cannot be 0xffffffffffffffff"),
                number("aplic", "sources", 30, "its sources is 30"),
                number("hart0/imsic", "identities", 127, "its identities is 127"),
                number("hart0", "pc", 3, "pc cannot be 0x3"),
                number("hart0", "user", 2, "user cannot be 0x2"),
                number("hart0", "sstatus", 1L << 63, "sstatus cannot be 0x8000000000000000"),
                number("hart0", "stvec", 2, "stvec cannot be 0x2"),
                number("hart0", "scounteren", 8, "scounteren cannot be 0x8"),
                number("hart0", "senvcfg", 2, "senvcfg cannot be 0x2"),
                number("hart0", "sepc", 1, "sepc cannot be 0x1"),
                number("hart0", "siselect", 0x1000, "siselect cannot be 0x1000"),
                number("hart0", "satp", 9L << 60, "satp cannot be 0x9000000000000000"),
                number("hart0", "satp", 0x100L << 44, "satp cannot be 0x10000000000000"),
                number("hart0", "fcsr", 0x100, "fcsr cannot be 0x100"),
                number("hart0", "sie", 1, "sie cannot be 0x1"),
                number("hart0", "ssip", -1, "ssip cannot be"),
                number("hart0", "status", 3, "its status cannot be 3"),
                number("hart0", "status", 5, "its status cannot be 5"),
                number("hart0", "status", 1L << 32, "status cannot be 0x100000000"),
                number("hart0", "status", 2, "its status cannot be 2, not waiting, without an"),
                number("hart0", "status", 4, "its status cannot be 4, not waiting"),
                number("hart1", "status", 0, "its status cannot be 0, not waiting, with an entry"),
                number("hart1", "waiting", 1, "its status cannot be 2, waiting, with an entry"),
                bytes("hart0", "x", bit(256, 0), "x0 cannot be 0x1"),
                bytes("hart0", "x", new byte[255], "'x' has 255 bytes and not 256"),
                bytes("hart0", "f", new byte[264], "'f' has 264 bytes and not 256"),
                number("hart0/imsic", "eidelivery", 0x40000000, "eidelivery cannot be"),
                number("hart0/imsic", "eithreshold", 256, "eithreshold cannot be 0x100"),
                bytes("hart0/imsic", "eip", bit(32, 0), "'eip' has bits outside of 1 to 255"),
                bytes("hart0/imsic", "eie", new byte[31], "'eie' has 31 bytes and not 32"),
                number("aplic", "interruptEnable", 2, "interruptEnable cannot be 0x2"),
                number("aplic", "genmsi", 1 << 11, "genmsi cannot be 0x800"),
                bytes("aplic", "sourcecfg", bit(31 * 4, 1), "source 1 cannot have sourcecfg 0x2"),
                bytes("aplic", "sourcecfg", new byte[4], "'sourcecfg' has 4 bytes and not 124"),
                bytes("aplic", "target", bit(31 * 4, 12), "source 1 cannot have"),
                bytes("aplic", "target", bit(31 * 4, 0), "source 1 cannot have"),
                bytes("aplic", "pending", bit(4, 1), "source 1 cannot have"),
                bytes("aplic", "enabled", bit(4, 2), "source 2 cannot have"),
                bytes("aplic", "enabled", bit(4, 5), "source 5 cannot have"),
                bytes("aplic", "wires", bit(4, 31), "source 5 cannot have"),
                bytes("aplic", "wires", bit(4, 0), "'wires' has bits outside of 1 to 31"));
    }

    @ParameterizedTest
    @MethodSource("damages")
    void refusesDamageWithASentence(String path, UnaryOperator<SavedState> damage, String sentence)
            throws Exception {
        try (Rig rig = new Rig(2)) {
            SavedState before = rig.save();
            SavedState damaged = at(golden(), path, damage);
            assertNotEquals(golden(), damaged);
            String message =
                    assertThrows(HypervisorException.class, () -> rig.vm.restore(damaged))
                            .getMessage();
            assertTrue(message.contains(sentence), message);
            assertTrue(message.startsWith("The saved state of "), message);
            assertEquals(before, rig.vm.save());
        }
    }
}
