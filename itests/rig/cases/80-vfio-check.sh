# ./backplane vfio bind gives a card to vfio-pci, check lists its group as viable, and another as not, with the
# driver that is in the way; ./backplane vfio release gives the card back.
only_backplane
driver() { basename "$(readlink -f "/sys/bus/pci/devices/$1/driver")"; }
native_driver $pair1 e1000
"$distribution/backplane" vfio bind $pair0 > /tmp/said 2>&1 || fail "$(cat /tmp/said)"
same "the driver" vfio-pci "$(driver $pair0)"
"$distribution/backplane" check > /tmp/check || fail "$(tail -n 1 /tmp/check)"
grep -q "$pair0" /tmp/check || fail "the card is not in check: $(grep -i vfio /tmp/check)"
grep "$pair1" /tmp/check | grep -q e1000 || fail "the sibling's driver is not in check: $(grep -i vfio /tmp/check)"
"$distribution/backplane" vfio release $pair0 > /tmp/said 2>&1 || fail "$(cat /tmp/said)"
[ "$(driver $pair0)" != vfio-pci ] || fail "the card is still vfio-pci's: $(cat /tmp/said)"
grep "$pair0" /tmp/check
