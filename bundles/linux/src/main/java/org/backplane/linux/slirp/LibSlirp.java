package org.backplane.linux.slirp;

import org.backplane.linux.libc.Host;
import org.backplane.linux.libc.NativeLibrary;

/**
 * libslirp's functions: integers and raw addresses only; an {@code in_addr} by value is an int
 * whose bytes lie in network order.
 */
public final class LibSlirp {
    /** As Debian's libslirp0 installs it. */
    public static final String SONAME = "libslirp.so.0";

    private final NativeLibrary library;
    private final long slirp_version_string;
    private final long slirp_new;
    private final long slirp_cleanup;
    private final long slirp_pollfds_fill;
    private final long slirp_pollfds_poll;
    private final long slirp_input;
    private final long slirp_handle_timer;
    private final long slirp_add_hostfwd;

    private LibSlirp(NativeLibrary library) {
        this.library = library;
        slirp_version_string = library.function("slirp_version_string");
        slirp_new = library.function("slirp_new");
        slirp_cleanup = library.function("slirp_cleanup");
        slirp_pollfds_fill = library.function("slirp_pollfds_fill");
        slirp_pollfds_poll = library.function("slirp_pollfds_poll");
        slirp_input = library.function("slirp_input");
        slirp_handle_timer = library.function("slirp_handle_timer");
        slirp_add_hostfwd = library.function("slirp_add_hostfwd");
    }

    /**
     * @param soname usually {@link #SONAME}
     * @throws UnsatisfiedLinkError it is not installed, or lacks one of these functions
     */
    public static LibSlirp load(String soname) {
        return new LibSlirp(NativeLibrary.load(soname));
    }

    public String slirp_version_string() {
        return Host.text(library.quiet(slirp_version_string));
    }

    public long slirp_new(long config, long callbacks, long opaque) {
        return library.quiet(slirp_new, config, callbacks, opaque);
    }

    public void slirp_cleanup(long slirp) {
        library.quiet(slirp_cleanup, slirp);
    }

    public void slirp_pollfds_fill(long slirp, long timeout, long addPoll, long opaque) {
        library.quiet(slirp_pollfds_fill, slirp, timeout, addPoll, opaque);
    }

    public void slirp_pollfds_poll(long slirp, int error, long getEvents, long opaque) {
        library.quiet(slirp_pollfds_poll, slirp, error, getEvents, opaque);
    }

    public void slirp_input(long slirp, long frame, int length) {
        library.quiet(slirp_input, slirp, frame, length);
    }

    public void slirp_handle_timer(long slirp, int id, long opaque) {
        library.quiet(slirp_handle_timer, slirp, id, opaque);
    }

    public int slirp_add_hostfwd(
            long slirp, int udp, int hostAddress, int hostPort, int guestAddress, int guestPort) {
        return (int)
                library.call(
                        slirp_add_hostfwd,
                        slirp,
                        udp,
                        hostAddress,
                        hostPort,
                        guestAddress,
                        guestPort);
    }
}
