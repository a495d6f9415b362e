package org.backplane.linux.libc;

/**
 * Numbers and layouts of the Linux user-space interface on 64-bit little-endian hosts. The only
 * place that holds them; a test compares every one with what the host's C compiler says. Where
 * architectures differ the value is chosen once, from {@code os.arch}.
 */
public final class Abi {
    private static final boolean AARCH64 = "aarch64".equals(System.getProperty("os.arch"));
    private static final boolean X86_64 =
            "amd64".equals(System.getProperty("os.arch"))
                    || "x86_64".equals(System.getProperty("os.arch"));

    private Abi() {}

    public static final int EPERM = 1;
    public static final int ENOENT = 2;
    public static final int EINTR = 4;
    public static final int EIO = 5;
    public static final int EBADF = 9;
    public static final int ENXIO = 6;
    public static final int EAGAIN = 11;
    public static final int EACCES = 13;
    public static final int EBUSY = 16;
    public static final int EEXIST = 17;
    public static final int ENODEV = 19;
    public static final int EINVAL = 22;
    public static final int EMFILE = 24;
    public static final int ENOSPC = 28;
    public static final int EPIPE = 32;
    public static final int ENAMETOOLONG = 36;
    public static final int EBADFD = 77;
    public static final int EMSGSIZE = 90;
    public static final int EOPNOTSUPP = 95;
    public static final int EADDRINUSE = 98;
    public static final int ECONNRESET = 104;
    public static final int ECONNREFUSED = 111;

    public static final int O_RDONLY = 0;
    public static final int O_WRONLY = 1;
    public static final int O_RDWR = 2;
    public static final int O_CREAT = 0100;
    public static final int O_EXCL = 0200;
    public static final int O_TRUNC = 01000;
    public static final int O_NONBLOCK = 04000;
    public static final int O_DSYNC = 010000;
    public static final int O_DIRECT = AARCH64 ? 0200000 : 040000;
    public static final int O_CLOEXEC = 02000000;

    public static final int SEEK_END = 2;
    public static final int SEEK_DATA = 3;
    public static final int SEEK_HOLE = 4;

    public static final int AT_FDCWD = -100;
    public static final int AT_EMPTY_PATH = 0x1000;
    public static final int STATX_TYPE = 1;
    public static final int STATX_SIZE = 0x200;
    public static final int STATX_BYTES = 256;
    public static final int STX_MASK = 0;
    public static final int STX_BLKSIZE = 4;
    public static final int STX_MODE = 28;
    public static final int STX_SIZE = 40;
    public static final int S_IFMT = 0170000;
    public static final int S_IFSOCK = 0140000;
    public static final int S_IFBLK = 0060000;
    public static final int S_IFREG = 0100000;

    public static final int FALLOC_FL_KEEP_SIZE = 1;
    public static final int FALLOC_FL_PUNCH_HOLE = 2;
    public static final int FALLOC_FL_ZERO_RANGE = 0x10;

    public static final int F_GETFL = 3;
    public static final int F_SETFL = 4;
    public static final int F_ADD_SEALS = 1033;
    public static final int F_GET_SEALS = 1034;
    public static final int F_OFD_SETLK = 37;
    public static final int F_RDLCK = 0;
    public static final int F_WRLCK = 1;
    public static final int F_UNLCK = 2;
    public static final int SEEK_SET = 0;
    public static final int FLOCK_BYTES = 32;
    public static final int L_TYPE = 0;
    public static final int L_WHENCE = 2;
    public static final int L_START = 8;
    public static final int L_LEN = 16;
    public static final int L_PID = 24;

    public static final int F_SEAL_SEAL = 1;
    public static final int F_SEAL_SHRINK = 2;
    public static final int F_SEAL_GROW = 4;
    public static final int MFD_CLOEXEC = 1;
    public static final int MFD_ALLOW_SEALING = 2;
    public static final int MFD_HUGETLB = 4;

    public static final int EFD_CLOEXEC = 02000000;
    public static final int EFD_NONBLOCK = 04000;

    public static final int CLOCK_MONOTONIC = 1;
    public static final int TFD_CLOEXEC = 02000000;
    public static final int TFD_NONBLOCK = 04000;
    public static final int ITIMERSPEC_BYTES = 32;
    public static final int IT_VALUE_SEC = 16;
    public static final int IT_VALUE_NSEC = 24;

    public static final int EPOLL_CLOEXEC = 02000000;
    public static final int EPOLL_CTL_ADD = 1;
    public static final int EPOLL_CTL_DEL = 2;
    public static final int EPOLL_CTL_MOD = 3;
    public static final int EPOLLIN = 1;
    public static final int EPOLLPRI = 2;
    public static final int EPOLLOUT = 4;
    public static final int EPOLLERR = 8;
    public static final int EPOLLHUP = 0x10;
    public static final int EPOLLONESHOT = 1 << 30;
    public static final int EPOLLET = 1 << 31;

    /** {@code struct epoll_event} is packed on x86-64 only. */
    public static final int EPOLL_EVENT_BYTES = X86_64 ? 12 : 16;

    public static final int EPOLL_EVENT_EVENTS = 0;
    public static final int EPOLL_EVENT_DATA = X86_64 ? 4 : 8;

    public static final int IOVEC_BYTES = 16;
    public static final int IOV_BASE = 0;
    public static final int IOV_LEN = 8;

    /** Most elements of one vector, IOV_MAX. */
    public static final int IOV_MAX = 1024;

    public static final int AF_UNIX = 1;
    public static final int SOCK_STREAM = 1;
    public static final int SOCK_CLOEXEC = 02000000;
    public static final int SOCK_NONBLOCK = 04000;
    public static final int SOCKADDR_UN_BYTES = 110;
    public static final int SUN_FAMILY = 0;
    public static final int SUN_PATH = 2;
    public static final int SIOCINQ = 0x541b;
    public static final int MSG_NOSIGNAL = 0x4000;
    public static final int MSG_CTRUNC = 8;
    public static final int MSG_CMSG_CLOEXEC = 0x4000_0000;
    public static final int MSGHDR_BYTES = 56;
    public static final int MSG_IOV = 16;
    public static final int MSG_IOVLEN = 24;
    public static final int MSG_CONTROL = 32;
    public static final int MSG_CONTROLLEN = 40;
    public static final int MSG_FLAGS = 48;
    public static final int SOL_SOCKET = 1;
    public static final int SCM_RIGHTS = 1;
    public static final int CMSGHDR_BYTES = 16;
    public static final int CMSG_LEVEL = 8;
    public static final int CMSG_TYPE = 12;
    public static final int SHUT_RDWR = 2;

    public static final int POLLIN = 1;
    public static final int POLLOUT = 4;
    public static final int POLLFD_BYTES = 8;
    public static final int POLLFD_EVENTS = 4;
    public static final int POLLFD_REVENTS = 6;

    public static final int STATFS_BYTES = 120;
    public static final int HUGETLBFS_MAGIC = 0x958458f6;
    public static final int IFNAMSIZ = 16;
    public static final int IFREQ_BYTES = 40;
    public static final int IFR_NAME = 0;
    public static final int IFR_FLAGS = 16;
    public static final int IFR_DATA = 16;
    public static final int SIOCETHTOOL = 0x8946;
    public static final int ETHTOOL_GLINK = 10;
    public static final int ETHTOOL_VALUE_BYTES = 8;
    public static final int ETHTOOL_VALUE_CMD = 0;
    public static final int ETHTOOL_VALUE_DATA = 4;

    public static final int TUNSETIFF = 0x400454ca;
    public static final int TUNSETOFFLOAD = 0x400454d0;
    public static final int TUNSETVNETHDRSZ = 0x400454d8;
    public static final int TUNSETQUEUE = 0x400454d9;
    public static final int IFF_TAP = 2;
    public static final int IFF_MULTI_QUEUE = 0x100;
    public static final int IFF_ATTACH_QUEUE = 0x200;
    public static final int IFF_DETACH_QUEUE = 0x400;
    public static final int IFF_NO_PI = 0x1000;
    public static final int IFF_VNET_HDR = 0x4000;
    public static final int TUN_F_CSUM = 1;
    public static final int TUN_F_TSO4 = 2;
    public static final int TUN_F_TSO6 = 4;
    public static final int TUN_F_TSO_ECN = 8;

    public static final int RLIMIT_NOFILE = 7;
    public static final int RLIMIT_BYTES = 16;
    public static final int RLIM_CUR = 0;
    public static final int RLIM_MAX = 8;

    public static final int SIG_BLOCK = 0;
    public static final int SIGSET_BYTES = 128;
    public static final int TIMESPEC_BYTES = 16;

    /**
     * Wakes threads, SIGRTMIN + 6: nothing in the C library or the Java virtual machine uses it.
     */
    public static final int SIG_WAKE = 40;

    public static final int PROT_NONE = 0;
    public static final int PROT_READ = 1;
    public static final int PROT_WRITE = 2;
    public static final int MAP_SHARED = 1;
    public static final int MAP_PRIVATE = 2;
    public static final int MAP_ANONYMOUS = 0x20;
    public static final int MAP_NORESERVE = 0x4000;
    public static final long MAP_FAILED = -1;
    public static final int MADV_DONTDUMP = 16;
    public static final int MADV_HUGEPAGE = 14;
}
