# rtl8139, INTx and BARs smaller than a page: pings.
machine vfio
interface=$(guest_network 8139cp 10.8.1)
guest "grep '$interface' /proc/interrupts" | grep -q IO-APIC || fail "no INTx: $(guest 'cat /proc/interrupts')"
guest "ping -q -c 50 -i 0.02 -W 10 10.8.1.2" | grep -q '50 packets received' || fail "pings were lost"
