# L1 of 6.12, whose kernel enables single MSI-X vectors: nvme and e1000e.
# l1: trixie
has_vfio
vfio_bind $nvme $e1000e
image /tmp/disk0.img 1
start dynamic --memory 256M --cpus 2 --kernel $kernels/trixie/vmlinux --initrd $kernels/l2-trixie.cpio \
  --append "console=ttyS0 quiet" --disk /tmp/disk0.img --vfio $nvme,name=nvme --vfio $e1000e,name=e1000e
guest 'modprobe nvme'
check_disk $cards/shared.img "$(guest_disk shared)n1"
guest_network e1000e 10.8.0
uname -r
