# The same by IOMMUFD and the devices' own files, which no kernel of Debian's has: its VFIO is built with them.
# l1: cdev
only_backplane
machine_small ,iommu=iommufd
same "own files in use" 2 "$(ls -l /proc/$(pgrep -g "$(cat $vm/pid)" java)/fd | grep -c ' /dev/vfio/devices/vfio')"
guest 'modprobe nvme'
check_disk $cards/shared.img "$(guest_disk shared)n1"
guest_network e1000e 10.8.0
uname -r
