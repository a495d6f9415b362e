# Code that fails after its probation: the card does no DMA from then on (its own COMMAND, seen from L1), and
# a repair has it go on where it was.
only_backplane
machine vfio
guest 'modprobe nvme'
disk=$(guest_disk shared)n1
wanted=$(digest $cards/shared.img)
masters() { [ $((0x$(hexdump -s 4 -n 2 -e '/2 "%x"' /sys/bus/pci/devices/$nvme/config) & 4)) -ne 0 ]; }
masters || fail "the driver did not have the card master the bus"
shell vm:swap nvme $builds/vfio-fails.jar > /dev/null
shell vm:accept nvme
guest "hexdump /sys/block/$disk/device/device/config > /dev/null" || true
await 20 "the failure" eval 'shell vm:slots | grep -q "^nvme .* failed "'
! masters || fail "the card masters the bus with no code left"
shell vm:swap nvme $builds/vfio-good.jar > /tmp/repair
masters || fail "the repaired card does not master the bus"
same "the disk after the repair" "$wanted" "$(guest "echo 3 > /proc/sys/vm/drop_caches; sha256sum < /dev/$disk" | cut -d ' ' -f 1)"
cat /tmp/repair
