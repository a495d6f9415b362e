# A disk that is plugged in appears by pciehp, and goes with the guest's consent.
machine trixie
image /tmp/disk1.img 4
shell vm:plug disk1 virtio-blk path=/tmp/disk1.img
guest_awaits "the new disk" '[ -b /dev/vdb ]'
same "digest of the new disk" "$(digest /tmp/disk1.img)" "$(guest 'sha256sum < /dev/vdb' | cut -d ' ' -f 1)"
guest 'load write /dev/vdb 0 8 /tmp/done & sleep 1; kill $!; wait $!; load check /dev/vdb 0 8' > /dev/null
shell vm:unplug disk1
guest '[ ! -e /sys/block/vdb ]' || fail "the guest still has the disk"
shell vm:slots | grep -q '^disk1 ' && fail "the slot is still there"
guest 'dmesg | grep -c pciehp.*Slot'
