# Debian's 6.1 finds everything in the tables, and has nothing to say against the board.
machine bookworm
same "the kernel's complaints" "" "$(kernel_complains)"
log=$(guest "dmesg | grep -E 'OS now controls|reserved in E820|pciehp: Slot|PNP: PS/2|rtc_cmos.*registered'")
for wanted in "PCIeHotplug PME PCIeCapability" "reserved in E820" "Slot #8" "irq 1,12" "registered as rtc0"; do
  [[ $log == *"$wanted"* ]] || fail "the kernel's log lacks '$wanted': $log"
done
