# Every BAR of every card has the size and the type that it has in L1, and the kernel found room for all.
machine vfio
eval "$bars"
kinds=$(for card in $nvme $e1000e $rtl8139 $xhci $edu; do ids $card; done | tr '\n' ' ')
# L1 has another rtl8139, and another e1000e.
same "the BARs" "$(bars $kinds | uniq)" "$(guest_script "$bars; bars $kinds")"
same "the kernel's complaints" "" "$(kernel_complains)"
refused=$(guest "dmesg | grep -iE \"can't claim|can't assign|failed to assign|no space for|no compatible bridge\" || true")
same "BARs without room" "" "$refused"
