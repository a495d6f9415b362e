package org.backplane.linux.slirp;

import jnr.ffi.LibraryLoader;
import jnr.ffi.annotations.IgnoreError;

/**
 * libslirp's functions as jnr-ffi binds them: integers and raw addresses only; an {@code in_addr}
 * by value is an int whose bytes lie in network order. Public because the generated code must reach
 * it; the package is not exported.
 */
public interface LibSlirp {
    /** As Debian's libslirp0 installs it. */
    String SONAME = "libslirp.so.0";

    /**
     * @param soname usually {@link #SONAME}
     * @throws UnsatisfiedLinkError it is not installed, or lacks one of these functions
     */
    static LibSlirp load(String soname) {
        return LibraryLoader.create(LibSlirp.class).failImmediately().load(soname);
    }

    @IgnoreError
    String slirp_version_string();

    @IgnoreError
    long slirp_new(long config, long callbacks, long opaque);

    @IgnoreError
    void slirp_cleanup(long slirp);

    @IgnoreError
    void slirp_pollfds_fill(long slirp, long timeout, long addPoll, long opaque);

    @IgnoreError
    void slirp_pollfds_poll(long slirp, int error, long getEvents, long opaque);

    @IgnoreError
    void slirp_input(long slirp, long frame, int length);

    @IgnoreError
    void slirp_handle_timer(long slirp, int id, long opaque);

    /** The seventh argument is for the generated stub, see {@code LibC.mmap}; nobody reads it. */
    int slirp_add_hostfwd(
            long slirp,
            int udp,
            int hostAddress,
            int hostPort,
            int guestAddress,
            int guestPort,
            long unused);
}
