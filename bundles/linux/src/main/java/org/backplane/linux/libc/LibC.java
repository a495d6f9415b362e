package org.backplane.linux.libc;

/**
 * The C library's functions: integers and raw addresses only. Each is looked up once, when this is
 * made; those that say nothing of {@code errno} in their manual page leave it alone.
 *
 * <p>Variadic functions ({@code open}, {@code fcntl}, {@code ioctl}) are called with a fixed number
 * of arguments, which the Linux calling conventions of x86-64, AArch64 and RISC-V pass the same
 * way.
 */
public final class LibC {
    private static final NativeLibrary LIBRARY = NativeLibrary.ofProcess();

    private final long open = LIBRARY.function("open");
    private final long close = LIBRARY.function("close");
    private final long read = LIBRARY.function("read");
    private final long write = LIBRARY.function("write");
    private final long readv = LIBRARY.function("readv");
    private final long writev = LIBRARY.function("writev");
    private final long pread = LIBRARY.function("pread");
    private final long pwrite = LIBRARY.function("pwrite");
    private final long if_nametoindex = LIBRARY.function("if_nametoindex");
    private final long preadv = LIBRARY.function("preadv");
    private final long pwritev = LIBRARY.function("pwritev");
    private final long fsync = LIBRARY.function("fsync");
    private final long fdatasync = LIBRARY.function("fdatasync");
    private final long fallocate = LIBRARY.function("fallocate");
    private final long ftruncate = LIBRARY.function("ftruncate");
    private final long lseek = LIBRARY.function("lseek");
    private final long statx = LIBRARY.function("statx");
    private final long fcntl = LIBRARY.function("fcntl");
    private final long ioctl = LIBRARY.function("ioctl");
    private final long fchmod = LIBRARY.function("fchmod");
    private final long eventfd = LIBRARY.function("eventfd");
    private final long eventfd_write = LIBRARY.function("eventfd_write");
    private final long eventfd_read = LIBRARY.function("eventfd_read");
    private final long epoll_create1 = LIBRARY.function("epoll_create1");
    private final long epoll_ctl = LIBRARY.function("epoll_ctl");
    private final long epoll_wait = LIBRARY.function("epoll_wait");
    private final long timerfd_create = LIBRARY.function("timerfd_create");
    private final long timerfd_settime = LIBRARY.function("timerfd_settime");
    private final long socket = LIBRARY.function("socket");
    private final long connect = LIBRARY.function("connect");
    private final long bind = LIBRARY.function("bind");
    private final long listen = LIBRARY.function("listen");
    private final long accept4 = LIBRARY.function("accept4");
    private final long sendmsg = LIBRARY.function("sendmsg");
    private final long recvmsg = LIBRARY.function("recvmsg");
    private final long shutdown = LIBRARY.function("shutdown");
    private final long poll = LIBRARY.function("poll");
    private final long fstatfs = LIBRARY.function("fstatfs");
    private final long gettid = LIBRARY.function("gettid");
    private final long tgkill = LIBRARY.function("tgkill");
    private final long pthread_sigmask = LIBRARY.function("pthread_sigmask");
    private final long sigtimedwait = LIBRARY.function("sigtimedwait");
    private final long memfd_create = LIBRARY.function("memfd_create");
    private final long mmap = LIBRARY.function("mmap");
    private final long munmap = LIBRARY.function("munmap");
    private final long madvise = LIBRARY.function("madvise");
    private final long getpagesize = LIBRARY.function("getpagesize");
    private final long getrlimit = LIBRARY.function("getrlimit");
    private final long setrlimit = LIBRARY.function("setrlimit");
    private final long strerror = LIBRARY.function("strerror");

    LibC() {}

    public int open(long path, int flags, int mode) {
        return (int) LIBRARY.call(open, path, flags, mode);
    }

    public int close(int fd) {
        return (int) LIBRARY.call(close, fd);
    }

    public long read(int fd, long buffer, long count) {
        return LIBRARY.call(read, fd, buffer, count);
    }

    public long write(int fd, long buffer, long count) {
        return LIBRARY.call(write, fd, buffer, count);
    }

    public long readv(int fd, long iov, int count) {
        return LIBRARY.call(readv, fd, iov, count);
    }

    public long writev(int fd, long iov, int count) {
        return LIBRARY.call(writev, fd, iov, count);
    }

    public long pread(int fd, long buffer, long count, long offset) {
        return LIBRARY.call(pread, fd, buffer, count, offset);
    }

    public long pwrite(int fd, long buffer, long count, long offset) {
        return LIBRARY.call(pwrite, fd, buffer, count, offset);
    }

    public int if_nametoindex(long name) {
        return (int) LIBRARY.call(if_nametoindex, name);
    }

    public long preadv(int fd, long iov, int count, long offset) {
        return LIBRARY.call(preadv, fd, iov, count, offset);
    }

    public long pwritev(int fd, long iov, int count, long offset) {
        return LIBRARY.call(pwritev, fd, iov, count, offset);
    }

    public int fsync(int fd) {
        return (int) LIBRARY.call(fsync, fd);
    }

    public int fdatasync(int fd) {
        return (int) LIBRARY.call(fdatasync, fd);
    }

    public int fallocate(int fd, int mode, long offset, long length) {
        return (int) LIBRARY.call(fallocate, fd, mode, offset, length);
    }

    public int ftruncate(int fd, long length) {
        return (int) LIBRARY.call(ftruncate, fd, length);
    }

    public long lseek(int fd, long offset, int whence) {
        return LIBRARY.call(lseek, fd, offset, whence);
    }

    public int statx(int directory, long path, int flags, int mask, long buffer) {
        return (int) LIBRARY.call(statx, directory, path, flags, mask, buffer);
    }

    public int fcntl(int fd, int command, long argument) {
        return (int) LIBRARY.call(fcntl, fd, command, argument);
    }

    public int ioctl(int fd, long request, long argument) {
        return (int) LIBRARY.call(ioctl, fd, request, argument);
    }

    public int fchmod(int fd, int mode) {
        return (int) LIBRARY.call(fchmod, fd, mode);
    }

    public int eventfd(int initial, int flags) {
        return (int) LIBRARY.call(eventfd, initial, flags);
    }

    public int eventfd_write(int fd, long value) {
        return (int) LIBRARY.call(eventfd_write, fd, value);
    }

    public int eventfd_read(int fd, long value) {
        return (int) LIBRARY.call(eventfd_read, fd, value);
    }

    public int epoll_create1(int flags) {
        return (int) LIBRARY.call(epoll_create1, flags);
    }

    public int epoll_ctl(int epoll, int operation, int fd, long event) {
        return (int) LIBRARY.call(epoll_ctl, epoll, operation, fd, event);
    }

    public int epoll_wait(int epoll, long events, int capacity, int milliseconds) {
        return (int) LIBRARY.call(epoll_wait, epoll, events, capacity, milliseconds);
    }

    public int timerfd_create(int clock, int flags) {
        return (int) LIBRARY.call(timerfd_create, clock, flags);
    }

    public int timerfd_settime(int fd, int flags, long value, long old) {
        return (int) LIBRARY.call(timerfd_settime, fd, flags, value, old);
    }

    public int socket(int domain, int type, int protocol) {
        return (int) LIBRARY.call(socket, domain, type, protocol);
    }

    public int connect(int fd, long address, int length) {
        return (int) LIBRARY.call(connect, fd, address, length);
    }

    public int bind(int fd, long address, int length) {
        return (int) LIBRARY.call(bind, fd, address, length);
    }

    public int listen(int fd, int backlog) {
        return (int) LIBRARY.call(listen, fd, backlog);
    }

    public int accept4(int fd, long address, long length, int flags) {
        return (int) LIBRARY.call(accept4, fd, address, length, flags);
    }

    public long sendmsg(int fd, long message, int flags) {
        return LIBRARY.call(sendmsg, fd, message, flags);
    }

    public long recvmsg(int fd, long message, int flags) {
        return LIBRARY.call(recvmsg, fd, message, flags);
    }

    public int shutdown(int fd, int how) {
        return (int) LIBRARY.call(shutdown, fd, how);
    }

    public int poll(long descriptors, int count, int milliseconds) {
        return (int) LIBRARY.call(poll, descriptors, count, milliseconds);
    }

    public int fstatfs(int fd, long buffer) {
        return (int) LIBRARY.call(fstatfs, fd, buffer);
    }

    public int gettid() {
        return (int) LIBRARY.quiet(gettid);
    }

    public int tgkill(int process, int thread, int signal) {
        return (int) LIBRARY.call(tgkill, process, thread, signal);
    }

    /** Gives the error number itself. */
    public int pthread_sigmask(int how, long set, long before) {
        return (int) LIBRARY.quiet(pthread_sigmask, how, set, before);
    }

    public int sigtimedwait(long set, long information, long time) {
        return (int) LIBRARY.call(sigtimedwait, set, information, time);
    }

    public int memfd_create(long name, int flags) {
        return (int) LIBRARY.call(memfd_create, name, flags);
    }

    public long mmap(long address, long length, int protection, int flags, int fd, long offset) {
        return LIBRARY.call(mmap, address, length, protection, flags, fd, offset);
    }

    public int munmap(long address, long length) {
        return (int) LIBRARY.call(munmap, address, length);
    }

    public int madvise(long address, long length, int advice) {
        return (int) LIBRARY.call(madvise, address, length, advice);
    }

    public int getpagesize() {
        return (int) LIBRARY.quiet(getpagesize);
    }

    public int getrlimit(int resource, long limit) {
        return (int) LIBRARY.call(getrlimit, resource, limit);
    }

    public int setrlimit(int resource, long limit) {
        return (int) LIBRARY.call(setrlimit, resource, limit);
    }

    public String strerror(int errno) {
        return Host.message(LIBRARY.quiet(strerror, errno));
    }
}
