package org.backplane.linux.libc;

import jnr.ffi.annotations.IgnoreError;

/**
 * The C library's functions as jnr-ffi binds them: integers and raw addresses only. Public because
 * the generated code must reach it; the package is not exported.
 *
 * <p>No function may have exactly six integer arguments: jnr-ffi's x86-64 stubs pass garbage as the
 * sixth (2.2.19 and 2.3.4). {@link #mmap} has a seventh that the callee never looks at.
 *
 * <p>Variadic functions ({@code open}, {@code fcntl}, {@code ioctl}) are bound with a fixed number
 * of arguments, which the Linux calling conventions of x86-64, AArch64 and RISC-V pass the same
 * way.
 */
public interface LibC {
    int open(long path, int flags, int mode);

    int close(int fd);

    long read(int fd, long buffer, long count);

    long write(int fd, long buffer, long count);

    long readv(int fd, long iov, int count);

    long writev(int fd, long iov, int count);

    long pread(int fd, long buffer, long count, long offset);

    long pwrite(int fd, long buffer, long count, long offset);

    int if_nametoindex(long name);

    long preadv(int fd, long iov, int count, long offset);

    long pwritev(int fd, long iov, int count, long offset);

    int fsync(int fd);

    int fdatasync(int fd);

    int fallocate(int fd, int mode, long offset, long length);

    int ftruncate(int fd, long length);

    long lseek(int fd, long offset, int whence);

    int statx(int directory, long path, int flags, int mask, long buffer);

    int fcntl(int fd, int command, long argument);

    int ioctl(int fd, long request, long argument);

    int fchmod(int fd, int mode);

    int eventfd(int initial, int flags);

    int eventfd_write(int fd, long value);

    int eventfd_read(int fd, long value);

    int epoll_create1(int flags);

    int epoll_ctl(int epoll, int operation, int fd, long event);

    int epoll_wait(int epoll, long events, int capacity, int milliseconds);

    int timerfd_create(int clock, int flags);

    int timerfd_settime(int fd, int flags, long value, long old);

    int socket(int domain, int type, int protocol);

    int connect(int fd, long address, int length);

    int bind(int fd, long address, int length);

    int listen(int fd, int backlog);

    int accept4(int fd, long address, long length, int flags);

    long sendmsg(int fd, long message, int flags);

    @IgnoreError
    int gettid();

    int tgkill(int process, int thread, int signal);

    /** Gives the error number itself. */
    @IgnoreError
    int pthread_sigmask(int how, long set, long before);

    int sigtimedwait(long set, long information, long time);

    int memfd_create(long name, int flags);

    long mmap(
            long address, long length, int protection, int flags, int fd, long offset, long unused);

    int munmap(long address, long length);

    int madvise(long address, long length, int advice);

    @IgnoreError
    int getpagesize();

    @IgnoreError
    String strerror(int errno);
}
