# RAM on both sides of the gap below 4 GiB, three processors, and a disk whose buffers lie above the gap.
end_machine
image /tmp/disk0.img 16
start much-memory --memory 4352M --kernel $kernels/trixie/vmlinux --initrd $kernels/l2-trixie.cpio --cpus 3 \
  --append "console=ttyS0 quiet" --disk /tmp/disk0.img
same "processors" 3 "$(guest nproc)"
guest 'grep -q "^00100000-bfffffff : System RAM" /proc/iomem' || fail "RAM below the gap: $(guest 'grep RAM /proc/iomem')"
guest 'grep -q "^100000000-14fffffff : System RAM" /proc/iomem' || fail "RAM above the gap: $(guest 'grep RAM /proc/iomem')"
# Linux takes the highest memory first.
same "digest of the disk" "$(digest /tmp/disk0.img)" "$(guest 'sha256sum < /dev/vda' | cut -d ' ' -f 1)"
same "what the kernel complains of" "" "$(kernel_complains)"
end_machine
