# nvme with a BAR of its own for MSI-X.
machine vfio
guest 'modprobe nvme'
check_disk $cards/exclusive.img "$(guest_disk exclusive)n1"
