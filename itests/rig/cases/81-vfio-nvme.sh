# nvme whose MSI-X table and PBA lie among its registers: reads and writes by digest.
machine vfio
guest 'modprobe nvme'
check_disk $cards/shared.img "$(guest_disk shared)n1"
guest "grep -c nvme /proc/interrupts"
