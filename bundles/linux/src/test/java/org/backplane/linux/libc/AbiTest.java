package org.backplane.linux.libc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AbiTest {
    /** Names that are no C identifier of their own; every other is compared under its own name. */
    private static final Map<String, String> EXPRESSIONS =
            Map.ofEntries(
                    Map.entry("STATX_BYTES", "sizeof(struct statx)"),
                    Map.entry("STX_MASK", "offsetof(struct statx, stx_mask)"),
                    Map.entry("STX_BLKSIZE", "offsetof(struct statx, stx_blksize)"),
                    Map.entry("STX_MODE", "offsetof(struct statx, stx_mode)"),
                    Map.entry("STX_SIZE", "offsetof(struct statx, stx_size)"),
                    Map.entry("FLOCK_BYTES", "sizeof(struct flock)"),
                    Map.entry("L_TYPE", "offsetof(struct flock, l_type)"),
                    Map.entry("L_WHENCE", "offsetof(struct flock, l_whence)"),
                    Map.entry("L_START", "offsetof(struct flock, l_start)"),
                    Map.entry("L_LEN", "offsetof(struct flock, l_len)"),
                    Map.entry("L_PID", "offsetof(struct flock, l_pid)"),
                    Map.entry("EPOLL_EVENT_BYTES", "sizeof(struct epoll_event)"),
                    Map.entry("EPOLL_EVENT_EVENTS", "offsetof(struct epoll_event, events)"),
                    Map.entry("EPOLL_EVENT_DATA", "offsetof(struct epoll_event, data)"),
                    Map.entry("ITIMERSPEC_BYTES", "sizeof(struct itimerspec)"),
                    Map.entry("IT_VALUE_SEC", "offsetof(struct itimerspec, it_value.tv_sec)"),
                    Map.entry("IT_VALUE_NSEC", "offsetof(struct itimerspec, it_value.tv_nsec)"),
                    Map.entry("SOCKADDR_UN_BYTES", "sizeof(struct sockaddr_un)"),
                    Map.entry("SUN_FAMILY", "offsetof(struct sockaddr_un, sun_family)"),
                    Map.entry("SUN_PATH", "offsetof(struct sockaddr_un, sun_path)"),
                    Map.entry("MSGHDR_BYTES", "sizeof(struct msghdr)"),
                    Map.entry("MSG_IOV", "offsetof(struct msghdr, msg_iov)"),
                    Map.entry("MSG_IOVLEN", "offsetof(struct msghdr, msg_iovlen)"),
                    Map.entry("MSG_CONTROL", "offsetof(struct msghdr, msg_control)"),
                    Map.entry("MSG_CONTROLLEN", "offsetof(struct msghdr, msg_controllen)"),
                    Map.entry("MSG_FLAGS", "offsetof(struct msghdr, msg_flags)"),
                    Map.entry("CMSGHDR_BYTES", "sizeof(struct cmsghdr)"),
                    Map.entry("CMSG_LEVEL", "offsetof(struct cmsghdr, cmsg_level)"),
                    Map.entry("CMSG_TYPE", "offsetof(struct cmsghdr, cmsg_type)"),
                    Map.entry("POLLFD_BYTES", "sizeof(struct pollfd)"),
                    Map.entry("POLLFD_EVENTS", "offsetof(struct pollfd, events)"),
                    Map.entry("POLLFD_REVENTS", "offsetof(struct pollfd, revents)"),
                    Map.entry("STATFS_BYTES", "sizeof(struct statfs)"),
                    Map.entry("HUGETLBFS_MAGIC", "(int) HUGETLBFS_MAGIC"),
                    Map.entry("IFREQ_BYTES", "sizeof(struct ifreq)"),
                    Map.entry("IFR_NAME", "offsetof(struct ifreq, ifr_name)"),
                    Map.entry("IFR_FLAGS", "offsetof(struct ifreq, ifr_flags)"),
                    Map.entry("IFR_DATA", "offsetof(struct ifreq, ifr_data)"),
                    Map.entry("ETHTOOL_VALUE_BYTES", "sizeof(struct ethtool_value)"),
                    Map.entry("ETHTOOL_VALUE_CMD", "offsetof(struct ethtool_value, cmd)"),
                    Map.entry("ETHTOOL_VALUE_DATA", "offsetof(struct ethtool_value, data)"),
                    Map.entry("RLIMIT_BYTES", "sizeof(struct rlimit)"),
                    Map.entry("RLIM_CUR", "offsetof(struct rlimit, rlim_cur)"),
                    Map.entry("RLIM_MAX", "offsetof(struct rlimit, rlim_max)"),
                    Map.entry("SIGSET_BYTES", "sizeof(sigset_t)"),
                    Map.entry("TIMESPEC_BYTES", "sizeof(struct timespec)"),
                    Map.entry("SIG_WAKE", "SIGRTMIN + 6"),
                    Map.entry("IOVEC_BYTES", "sizeof(struct iovec)"),
                    Map.entry("IOV_BASE", "offsetof(struct iovec, iov_base)"),
                    Map.entry("IOV_LEN", "offsetof(struct iovec, iov_len)"));

    private static final String HEADERS =
            """
            #define _GNU_SOURCE
            #define _FILE_OFFSET_BITS 64
            #include <errno.h>
            #include <fcntl.h>
            #include <limits.h>
            #include <net/if.h>
            #include <linux/ethtool.h>
            #include <linux/falloc.h>
            #include <linux/if_tun.h>
            #include <linux/magic.h>
            #include <poll.h>
            #include <signal.h>
            #include <stddef.h>
            #include <stdio.h>
            #include <sys/epoll.h>
            #include <sys/eventfd.h>
            #include <sys/ioctl.h>
            #include <sys/mman.h>
            #include <sys/resource.h>
            #include <sys/socket.h>
            #include <sys/stat.h>
            #include <sys/timerfd.h>
            #include <sys/uio.h>
            #include <sys/un.h>
            #include <sys/vfs.h>
            #include <linux/sockios.h>
            #include <unistd.h>
            """;

    @TempDir Path folder;

    @Test
    void everyNumberIsWhatTheHostsHeadersSay() throws Exception {
        HostHeaders headers = HostHeaders.require(folder, HEADERS);
        Map<String, Long> ours = HostHeaders.numbers(Abi.class);
        assertTrue(ours.size() > 50, "found only " + ours.keySet());
        // Masks with the top bit set are ints in Java, unsigned in the headers.
        Map<String, String> expressions = new TreeMap<>();
        for (String name : ours.keySet()) {
            String expression = EXPRESSIONS.getOrDefault(name, name);
            expressions.put(
                    name, name.startsWith("EPOLL") ? "(int)(" + expression + ")" : expression);
        }
        assertEquals(headers.values(expressions), ours);
    }
}
