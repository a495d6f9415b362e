# The kernel's VFIO with no machine around it (l1/VfioTrial.java): regions, lines, messages, vectors, reset, DMA at
# the guest's addresses, and a device that reads another's BAR. Twice, with nothing left open or pinned.
trial group
