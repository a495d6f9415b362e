# As 79-vfio-kernel, by the devices' own files and /dev/iommu; the kernel then maps no BAR for another device.
# l1: cdev
trial iommufd
