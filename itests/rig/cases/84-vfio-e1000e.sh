# e1000e, MSI-X in a BAR of its own: pings.
machine vfio
interface=$(guest_network e1000e 10.8.0)
same "vectors of $interface" 3 "$(guest "grep -c '$interface' /proc/interrupts")"
