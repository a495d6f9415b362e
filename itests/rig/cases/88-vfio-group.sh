# A card whose group has a sibling with a driver of its own is refused, by a sentence that names both, and
# the machine goes on. Without that driver it may come.
machine vfio
vfio_bind $pair0
native_driver $pair1 e1000
if (plug pair $pair0) > /tmp/answer 2>&1; then fail "the card was plugged in"; fi
if [ "${RIG_MONITOR:-}" = qemu ]; then
  grep -q 'not viable' /tmp/answer || fail "$(cat /tmp/answer)"
else
  grep -q "$pair1" /tmp/answer || fail "the sibling is not named: $(cat /tmp/answer)"
  grep -q 'e1000' /tmp/answer || fail "its driver is not named: $(cat /tmp/answer)"
  ! shell vm:slots | grep -q '^pair ' || fail "the slot is still there"
fi
guest nproc > /dev/null
same "the sibling's driver" e1000 "$(basename "$(readlink -f /sys/bus/pci/devices/$pair1/driver)")"
# So is one that the machine has already.
if (plug again $nvme) > /tmp/again 2>&1; then fail "the card was plugged in twice"; fi
[ "${RIG_MONITOR:-}" = qemu ] || grep -q "$nvme" /tmp/again || fail "the card is not named: $(cat /tmp/again)"
guest nproc > /dev/null
vfio_bind $pair1
before=$(guest 'ls /sys/bus/pci/devices | wc -l')
plug pair $pair0
guest_awaits "the card" "[ \$(ls /sys/bus/pci/devices | wc -l) -gt $before ]"
unplug pair
guest_awaits "the end of the card" "[ \$(ls /sys/bus/pci/devices | wc -l) = $before ]"
echo "$(tail -n 1 /tmp/answer) $(tail -n 1 /tmp/again)"
