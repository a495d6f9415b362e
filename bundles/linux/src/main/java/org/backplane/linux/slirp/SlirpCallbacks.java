package org.backplane.linux.slirp;

import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.Closure;
import com.kenai.jffi.ClosureManager;
import com.kenai.jffi.Type;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.backplane.linux.libc.Host;

/**
 * What libslirp calls: {@code SlirpCb} and the two functions of a poll, as native function pointers
 * that end in one {@link Application}. The pointers are good until {@link #close}, which must come
 * after {@code slirp_cleanup}. Calls come on the thread that called libslirp.
 */
public final class SlirpCallbacks implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(SlirpCallbacks.class.getName());

    /** The user of a stack, libslirp.h's word. */
    public interface Application {
        /** A frame for the guest; its memory is libslirp's and good for the length of the call. */
        void sendPacket(long address, long length);

        /** What the guest did wrong, a C string. */
        void guestError(long message);

        /** Nanoseconds of a clock that only goes forward. */
        long clock();

        /** A timer for {@code slirp_handle_timer}; its handle is not zero. */
        long timerNew(int id, long opaque);

        void timerFree(long timer);

        /** Expires when the clock, in milliseconds, has reached a value. */
        void timerMod(long timer, long milliseconds);

        /** A descriptor that libslirp is about to close. */
        void unregisterPollFd(int descriptor);

        /** More may be done by now. */
        void notifyWork();

        /** A descriptor to wait for, with {@code SLIRP_POLL_*}; tells its index. */
        int addPoll(int descriptor, int events);

        /** {@code SLIRP_POLL_*} of the descriptor of an index. */
        int events(int index);
    }

    private final List<Closure.Handle> handles = new ArrayList<>();
    private final ByteBuffer table = Host.buffer(SlirpAbi.CB_BYTES);
    private final long addPoll;
    private final long events;

    public SlirpCallbacks(Application application) {
        put(
                SlirpAbi.SEND_PACKET,
                Type.SLONG,
                call -> {
                    long length = call.getLong(1);
                    application.sendPacket(call.getAddress(0), length);
                    call.setLongReturn(length);
                },
                Type.POINTER,
                Type.ULONG,
                Type.POINTER);
        put(
                SlirpAbi.GUEST_ERROR,
                Type.VOID,
                call -> application.guestError(call.getAddress(0)),
                Type.POINTER,
                Type.POINTER);
        put(
                SlirpAbi.CLOCK_GET_NS,
                Type.SINT64,
                call -> call.setLongReturn(application.clock()),
                Type.POINTER);
        put(
                SlirpAbi.TIMER_NEW_OPAQUE,
                Type.POINTER,
                call ->
                        call.setAddressReturn(
                                application.timerNew(call.getInt(0), call.getAddress(1))),
                Type.SINT,
                Type.POINTER,
                Type.POINTER);
        put(
                SlirpAbi.TIMER_FREE,
                Type.VOID,
                call -> application.timerFree(call.getAddress(0)),
                Type.POINTER,
                Type.POINTER);
        put(
                SlirpAbi.TIMER_MOD,
                Type.VOID,
                call -> application.timerMod(call.getAddress(0), call.getLong(1)),
                Type.POINTER,
                Type.SINT64,
                Type.POINTER);
        // Each fill of a poll tells what is open; only what is about to be closed must be known.
        put(SlirpAbi.REGISTER_POLL_FD, Type.VOID, call -> {}, Type.SINT, Type.POINTER);
        put(
                SlirpAbi.UNREGISTER_POLL_FD,
                Type.VOID,
                call -> application.unregisterPollFd(call.getInt(0)),
                Type.SINT,
                Type.POINTER);
        put(SlirpAbi.NOTIFY, Type.VOID, call -> application.notifyWork(), Type.POINTER);
        addPoll =
                pointer(
                        Type.SINT,
                        call ->
                                call.setIntReturn(
                                        application.addPoll(call.getInt(0), call.getInt(1))),
                        Type.SINT,
                        Type.SINT,
                        Type.POINTER);
        events =
                pointer(
                        Type.SINT,
                        call -> call.setIntReturn(application.events(call.getInt(0))),
                        Type.SINT,
                        Type.POINTER);
    }

    private void put(int offset, Type result, Closure callback, Type... parameters) {
        table.putLong(offset, pointer(result, callback, parameters));
    }

    private long pointer(Type result, Closure callback, Type... parameters) {
        Closure contained =
                call -> {
                    try {
                        callback.invoke(call);
                    } catch (RuntimeException | Error e) {
                        // C has no frames that an exception could unwind.
                        LOG.log(Level.ERROR, "a callback of libslirp failed", e);
                    }
                };
        Closure.Handle handle =
                ClosureManager.getInstance()
                        .newClosure(contained, result, parameters, CallingConvention.DEFAULT);
        handles.add(handle);
        return handle.getAddress();
    }

    /** The {@code SlirpCb}, which a stack refers to as long as it lives. */
    public long table() {
        return Host.address(table);
    }

    /** The {@code SlirpAddPollCb}. */
    public long addPoll() {
        return addPoll;
    }

    /** The {@code SlirpGetREventsCb}. */
    public long events() {
        return events;
    }

    @Override
    public void close() {
        handles.forEach(Closure.Handle::dispose);
        handles.clear();
    }
}
