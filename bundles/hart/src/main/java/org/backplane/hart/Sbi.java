package org.backplane.hart;

import java.util.function.Consumer;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.ExitHandler.SystemEvent;
import org.backplane.memory.OffHeap;

/**
 * The Supervisor Binary Interface 2.0 to one hart: what machine-mode firmware would answer. Belongs
 * to the hart's thread.
 */
final class Sbi {
    // Extensions.
    private static final long LEGACY_SET_TIMER = 0x00;
    private static final long LEGACY_PUT_CHARACTER = 0x01;
    private static final long LEGACY_GET_CHARACTER = 0x02;
    private static final long LEGACY_SHUTDOWN = 0x08;
    private static final long BASE = 0x10;
    private static final long TIME = 0x54494d45;
    private static final long IPI = 0x735049;
    private static final long RFENCE = 0x52464e43;
    private static final long HSM = 0x48534d;
    private static final long SRST = 0x53525354;
    private static final long DBCN = 0x4442434e;

    // Errors.
    private static final long SUCCESS = 0;
    private static final long NOT_SUPPORTED = -2;
    private static final long INVALID_PARAMETER = -3;
    private static final long INVALID_ADDRESS = -5;
    private static final long ALREADY_AVAILABLE = -6;

    private static final long VERSION_2_0 = 2L << 24;

    /** Not registered with the specification: experimental. */
    private static final long IMPLEMENTATION = 0x4250;

    private static final long SUSPEND_RETENTIVE = 0;
    private static final long SUSPEND_NON_RETENTIVE = 0x80000000L;
    private static final long SHUTDOWN = 0;
    private static final long WARM_REBOOT = 2;
    private static final long SYSTEM_FAILURE = 1;

    private final Hart hart;
    private final HartVm vm;
    private final long[] x;
    private long value;

    Sbi(Hart hart, HartVm vm) {
        this.hart = hart;
        this.vm = vm;
        this.x = hart.registers().x;
    }

    /**
     * Answers an ECALL from S-mode, by its registers. {@link Registers#pc} is its address until all
     * is done, and no register changes before: what calls the machine can be executed again.
     */
    void call() {
        long extension = x[Encoding.A7];
        long function = x[Encoding.A6];
        long a0 = x[Encoding.A0];
        if (extension >= LEGACY_SET_TIMER && extension <= LEGACY_SHUTDOWN) {
            x[Encoding.A0] = legacy(extension, a0);
            return;
        }
        value = 0;
        long error = dispatch(extension, function, a0, x[Encoding.A1], x[Encoding.A0 + 2]);
        x[Encoding.A0] = error;
        x[Encoding.A1] = value;
    }

    private long dispatch(long extension, long function, long a0, long a1, long a2) {
        if (extension == BASE) {
            return base(function, a0);
        }
        if (extension == TIME && function == 0) {
            hart.interrupts().timerCompare(a0);
            return SUCCESS;
        }
        if (extension == IPI && function == 0) {
            return vm.raise(a0, a1) ? SUCCESS : INVALID_PARAMETER;
        }
        if (extension == RFENCE) {
            return remoteFence(function, a0, a1, a2);
        }
        if (extension == HSM) {
            return state(function, a0, a1, a2);
        }
        if (extension == SRST && function == 0) {
            return reset(a0, a1);
        }
        if (extension == DBCN) {
            return console(function, a0, a1);
        }
        return NOT_SUPPORTED;
    }

    private long legacy(long extension, long a0) {
        if (extension == LEGACY_SET_TIMER) {
            hart.interrupts().timerCompare(a0);
            return SUCCESS;
        }
        if (extension == LEGACY_PUT_CHARACTER) {
            outside(exits -> exits.debugConsole((int) a0 & 0xff));
            return SUCCESS;
        }
        if (extension == LEGACY_GET_CHARACTER) {
            return -1;
        }
        if (extension == LEGACY_SHUTDOWN) {
            return reset(SHUTDOWN, 0);
        }
        return NOT_SUPPORTED;
    }

    private long base(long function, long a0) {
        switch ((int) function) {
            case 0:
                value = VERSION_2_0;
                return SUCCESS;
            case 1:
                value = IMPLEMENTATION;
                return SUCCESS;
            case 2:
                value = 1;
                return SUCCESS;
            case 3:
                value = available(a0) ? 1 : 0;
                return SUCCESS;
            case 4:
            case 5:
            case 6:
                // mvendorid, marchid, mimpid: 0 is "not implemented".
                return SUCCESS;
            default:
                return NOT_SUPPORTED;
        }
    }

    private static boolean available(long extension) {
        return extension == BASE
                || extension == TIME
                || extension == IPI
                || extension == RFENCE
                || extension == HSM
                || extension == SRST
                || extension == DBCN
                || extension == LEGACY_SET_TIMER
                || extension == LEGACY_PUT_CHARACTER
                || extension == LEGACY_GET_CHARACTER
                || extension == LEGACY_SHUTDOWN;
    }

    private long remoteFence(long function, long mask, long base, long start) {
        long size = x[Encoding.A0 + 3];
        Fence fence;
        switch ((int) function) {
            case 0:
                vm.code().newGeneration();
                fence = Fence.CODE;
                break;
            case 1:
                fence = Fence.translations(start, size, Fence.ANY_SPACE);
                break;
            case 2:
                fence = Fence.translations(start, size, (int) x[Encoding.A0 + 4] & 0xffff);
                break;
            default:
                // The hypervisor extension's.
                return NOT_SUPPORTED;
        }
        return vm.fence(hart, mask, base, fence) ? SUCCESS : INVALID_PARAMETER;
    }

    private long state(long function, long a0, long a1, long a2) {
        switch ((int) function) {
            case 0:
                return start(a0, a1, a2);
            case 1:
                hart.state().stop();
                return SUCCESS;
            case 2:
                Hart other = vm.hart(a0);
                if (other == null) {
                    return INVALID_PARAMETER;
                }
                value = other.state().status().ordinal();
                return SUCCESS;
            case 3:
                return suspend(a0 & 0xffffffffL, a1, a2);
            default:
                return NOT_SUPPORTED;
        }
    }

    private long start(long id, long address, long opaque) {
        Hart other = vm.hart(id);
        if (other == null) {
            return INVALID_PARAMETER;
        }
        if (vm.memory().map().main(address) == 0) {
            return INVALID_ADDRESS;
        }
        if (!other.state().start(new HartState.Entry(address, id, opaque))) {
            return ALREADY_AVAILABLE;
        }
        other.wake();
        return SUCCESS;
    }

    private long suspend(long type, long address, long opaque) {
        if (type == SUSPEND_RETENTIVE) {
            hart.state().suspend(null);
            return SUCCESS;
        }
        if (type != SUSPEND_NON_RETENTIVE) {
            return type < SUSPEND_NON_RETENTIVE ? INVALID_PARAMETER : NOT_SUPPORTED;
        }
        if (vm.memory().map().main(address) == 0) {
            return INVALID_ADDRESS;
        }
        hart.state().suspend(new HartState.Entry(address, hart.index(), opaque));
        return SUCCESS;
    }

    /** Tells the machine, and executes nothing more until the hart is started anew. */
    private long reset(long type, long reason) {
        if (type < SHUTDOWN || type > WARM_REBOOT) {
            return INVALID_PARAMETER;
        }
        SystemEvent event =
                reason == SYSTEM_FAILURE
                        ? SystemEvent.FAILED
                        : type == SHUTDOWN ? SystemEvent.POWER_OFF : SystemEvent.REBOOT;
        outside(exits -> exits.systemEvent(hart.index(), event));
        hart.state().stop();
        return SUCCESS;
    }

    private long console(long function, long a0, long address) {
        switch ((int) function) {
            case 0:
                return write(a0, address);
            case 1:
                // Nothing to read, ever: no error, 0 bytes.
                return SUCCESS;
            case 2:
                outside(exits -> exits.debugConsole((int) a0 & 0xff));
                return SUCCESS;
            default:
                return NOT_SUPPORTED;
        }
    }

    /** Writes what is in one page; the guest comes again for the rest. */
    private long write(long length, long address) {
        if (x[Encoding.A0 + 2] != 0) {
            return INVALID_PARAMETER;
        }
        long count = Math.min(length, CodePage.SIZE - (address & Tlb.PAGE_MASK));
        long host = vm.memory().map().main(address);
        if (host == 0 || count < 0) {
            return INVALID_PARAMETER;
        }
        outside(
                exits -> {
                    for (long i = 0; i < count; i++) {
                        exits.debugConsole(OffHeap.getByte(host + i) & 0xff);
                    }
                });
        value = count;
        return SUCCESS;
    }

    /** Calls the machine, during which the hart counts as away. */
    private void outside(Consumer<ExitHandler> call) {
        hart.leaveGuest();
        call.accept(vm.exits());
        hart.enterGuest();
    }
}
