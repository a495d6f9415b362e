# Debian's 6.1 boots from its bzImage to user space, with two processors and no special arguments.
machine bookworm
same "the kernel" "$(cat $kernels/bookworm/version)" "$(guest uname -r)"
same "processors" 2 "$(guest nproc)"
runs_on_kvm
guest 'cut -d " " -f 1 /proc/uptime'
