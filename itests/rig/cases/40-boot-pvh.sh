# Debian's 6.12 boots through the PVH entry of its vmlinux.
machine trixie
same "the kernel" "$(cat $kernels/trixie/version)" "$(guest uname -r)"
runs_on_kvm
guest 'cut -d " " -f 1 /proc/uptime'
