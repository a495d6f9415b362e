package org.backplane.linux.libc;

import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.Library;
import com.kenai.jffi.Type;
import java.util.Arrays;

/**
 * A shared library and calls of its functions, without code that is generated for them: that costs
 * every start more than the calls gain. Thread-safe.
 *
 * <p>Arguments are passed as 64-bit integers, narrower ones sign-extended, which is how the Linux
 * calling conventions of x86-64, AArch64 and RISC-V pass integers and addresses in registers; of a
 * narrower result only the low bits mean anything. No function may have over six arguments.
 */
public final class NativeLibrary {
    private static final int MOST_ARGUMENTS = 6;
    private static final Invoker INVOKER = Invoker.getInstance();
    private static final CallContext[] KEEPS_ERRNO = contexts(true);
    private static final CallContext[] LEAVES_ERRNO = contexts(false);

    private final Library library;
    private final String name;

    private NativeLibrary(Library library, String name) {
        this.library = library;
        this.name = name;
    }

    private static CallContext[] contexts(boolean errno) {
        CallContext[] contexts = new CallContext[MOST_ARGUMENTS + 1];
        for (int i = 0; i < contexts.length; i++) {
            Type[] arguments = new Type[i];
            Arrays.fill(arguments, Type.SINT64);
            contexts[i] =
                    CallContext.getCallContext(
                            Type.SINT64, arguments, CallingConvention.DEFAULT, errno);
        }
        return contexts;
    }

    /** What is loaded already: the C library. */
    static NativeLibrary ofProcess() {
        return new NativeLibrary(Library.getDefault(), "the C library");
    }

    /**
     * Loads a library by its name, once for the process.
     *
     * @throws UnsatisfiedLinkError it is not installed
     */
    public static NativeLibrary load(String soname) {
        Library library = Library.getCachedInstance(soname, Library.LAZY);
        if (library == null) {
            throw new UnsatisfiedLinkError(Library.getLastError());
        }
        return new NativeLibrary(library, soname);
    }

    /**
     * The address of a function.
     *
     * @throws UnsatisfiedLinkError the library has none of that name
     */
    public long function(String symbol) {
        long address = library.getSymbolAddress(symbol);
        if (address == 0) {
            throw new UnsatisfiedLinkError(name + " has no " + symbol);
        }
        return address;
    }

    /** Calls a function and keeps {@code errno} for {@link Host#errno}. */
    public long call(long function) {
        return INVOKER.invokeL0(KEEPS_ERRNO[0], function);
    }

    /** Calls a function and keeps {@code errno} for {@link Host#errno}. */
    public long call(long function, long a) {
        return INVOKER.invokeL1(KEEPS_ERRNO[1], function, a);
    }

    /** Calls a function and keeps {@code errno} for {@link Host#errno}. */
    public long call(long function, long a, long b) {
        return INVOKER.invokeL2(KEEPS_ERRNO[2], function, a, b);
    }

    /** Calls a function and keeps {@code errno} for {@link Host#errno}. */
    public long call(long function, long a, long b, long c) {
        return INVOKER.invokeL3(KEEPS_ERRNO[3], function, a, b, c);
    }

    /** Calls a function and keeps {@code errno} for {@link Host#errno}. */
    public long call(long function, long a, long b, long c, long d) {
        return INVOKER.invokeL4(KEEPS_ERRNO[4], function, a, b, c, d);
    }

    /** Calls a function and keeps {@code errno} for {@link Host#errno}. */
    public long call(long function, long a, long b, long c, long d, long e) {
        return INVOKER.invokeL5(KEEPS_ERRNO[5], function, a, b, c, d, e);
    }

    /** Calls a function and keeps {@code errno} for {@link Host#errno}. */
    public long call(long function, long a, long b, long c, long d, long e, long f) {
        return INVOKER.invokeL6(KEEPS_ERRNO[6], function, a, b, c, d, e, f);
    }

    /** Calls a function whose {@code errno} nobody asks for. */
    public long quiet(long function) {
        return INVOKER.invokeL0NoErrno(LEAVES_ERRNO[0], function);
    }

    /** Calls a function whose {@code errno} nobody asks for. */
    public long quiet(long function, long a) {
        return INVOKER.invokeL1NoErrno(LEAVES_ERRNO[1], function, a);
    }

    /** Calls a function whose {@code errno} nobody asks for. */
    public long quiet(long function, long a, long b) {
        return INVOKER.invokeL2NoErrno(LEAVES_ERRNO[2], function, a, b);
    }

    /** Calls a function whose {@code errno} nobody asks for. */
    public long quiet(long function, long a, long b, long c) {
        return INVOKER.invokeL3NoErrno(LEAVES_ERRNO[3], function, a, b, c);
    }

    /** Calls a function whose {@code errno} nobody asks for. */
    public long quiet(long function, long a, long b, long c, long d) {
        return INVOKER.invokeL4NoErrno(LEAVES_ERRNO[4], function, a, b, c, d);
    }

    /** Calls a function whose {@code errno} nobody asks for. */
    public long quiet(long function, long a, long b, long c, long d, long e) {
        return INVOKER.invokeL5NoErrno(LEAVES_ERRNO[5], function, a, b, c, d, e);
    }

    /** Calls a function whose {@code errno} nobody asks for. */
    public long quiet(long function, long a, long b, long c, long d, long e, long f) {
        return INVOKER.invokeL6NoErrno(LEAVES_ERRNO[6], function, a, b, c, d, e, f);
    }
}
