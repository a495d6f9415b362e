# A card that is torn out is gone for the guest, and its port takes another. A disk that is torn out
# under load: the guest is told, and lives on with its other disk. What was under way stays so, and with
# it all hot-plug of this guest: these kernels wait for ever for the requests, and in vp_reset for a
# status of 0, of a virtio card that is gone, with the lock of the PCI tree held.
machine trixie
card=/sys/bus/pci/devices/0000:01:00.0
shell vm:plug card1 pci-testdev
guest_awaits "the new card" "[ -e $card ]"
shell vm:unplug --force card1
guest_awaits "the end of the card" "[ ! -e $card ]"
image /tmp/disk1.img 4
shell vm:plug disk1 virtio-blk path=/tmp/disk1.img
guest_awaits "the new disk" '[ -b /dev/vdb ]'
same "digest of the new disk" "$(digest /tmp/disk1.img)" "$(guest 'sha256sum < /dev/vdb' | cut -d ' ' -f 1)"
told=$(guest 'dmesg | grep -c "Slot(1): Card not present"')
guest 'while dd if=/dev/vdb of=/dev/null bs=64k iflag=direct 2> /dev/null; do :; done &'
shell vm:unplug --force disk1
guest_awaits "word of the end" "[ \$(dmesg | grep -c 'Slot(1): Card not present') -gt $told ]"
! shell vm:slots | grep '^disk1 ' || fail "the slot is still there"
same "digest of the other disk" "$(digest /tmp/disk0.img)" "$(guest 'sha256sum < /dev/vda' | cut -d ' ' -f 1)"
# What is stuck in the guest would be in the way of the cases that follow.
end_machine
