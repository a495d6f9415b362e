package org.backplane.chipset;

import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Space;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.GuestErrors;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.context.DeviceContext.PowerRequest;
import org.backplane.device.context.FirmwareNode;
import org.backplane.device.state.SaveSupport;

/**
 * The test finisher of SiFive's cores, which RISC-V systems use as power switch: one 32-bit
 * register whose low half names what to do and whose high half is an exit code. Linux reaches it
 * through syscon-poweroff and syscon-reboot. Reads give zero. Stateless and thread-safe.
 */
final class PowerSwitch implements Device, IoHandler {
    private static final int SIZE = 4;
    private static final int FAIL = 0x3333;
    private static final int PASS = 0x5555;
    private static final int RESET = 0x7777;

    private final System.Logger log = System.getLogger(PowerSwitch.class.getName());
    private final DeviceContext context;
    private final GuestErrors errors;

    private PowerSwitch(DeviceContext context) {
        this.context = context;
        errors = new GuestErrors(context.slot());
    }

    static PowerSwitch in(DeviceContext context) throws DeviceException {
        ChipSettings settings = ChipSettings.of(context, Set.of());
        PowerSwitch power = new PowerSwitch(context);
        settings.claim(Space.MMIO, SIZE, power);
        context.describe(
                new FirmwareNode(
                        "test",
                        List.of("sifive,test1", "sifive,test0", "syscon"),
                        Map.of(),
                        List.of(
                                follower("poweroff", "syscon-poweroff", PASS),
                                follower("reboot", "syscon-reboot", RESET))));
        return power;
    }

    private static FirmwareNode follower(String name, String compatible, int value) {
        return new FirmwareNode(
                name,
                List.of(compatible),
                Map.of("regmap", FirmwareNode.PARENT, "offset", 0, "value", value),
                List.of());
    }

    @Override
    public long read(long offset, int width) {
        return 0;
    }

    @Override
    public void write(long offset, int width, long value) {
        if (offset != 0 || width != SIZE) {
            errors.add("a write of %d bytes at offset 0x%x", width, offset);
            return;
        }
        int exitCode = (int) (value >>> 16);
        switch ((int) value & 0xffff) {
            case PASS -> context.power(PowerRequest.POWER_OFF);
            case RESET -> context.power(PowerRequest.REBOOT);
            case FAIL -> {
                log.log(
                        Level.WARNING,
                        "{0}: the guest gave up with code {1}",
                        context.slot(),
                        Integer.toString(exitCode));
                context.power(PowerRequest.POWER_OFF);
            }
            default ->
                    errors.add(
                            "a write of an unknown request of %d bytes at offset 0x%x",
                            width, offset);
        }
    }

    @Override
    public void start() {
        // Acts only when written to.
    }

    @Override
    public void quiesce() {
        // A request is over when it is posted.
    }

    @Override
    public boolean idle() {
        return true;
    }

    @Override
    public void resume() {
        // See quiesce.
    }

    @Override
    public void reset() {
        // Nothing is remembered.
    }

    @Override
    public SaveSupport saveSupport() {
        return new SaveSupport.Stateless();
    }

    @Override
    public void close() {
        // Everything held is a lease.
    }
}
