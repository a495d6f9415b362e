# L1 of 6.12, whose kernel enables single MSI-X vectors: nvme and e1000e.
# l1: trixie
machine_small
guest 'modprobe nvme'
check_disk $cards/shared.img "$(guest_disk shared)n1"
guest_network e1000e 10.8.0
uname -r
