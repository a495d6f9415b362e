# A disk that is torn out under load is gone for the guest, which lives on; its port takes another.
machine trixie
image /tmp/disk1.img 4
shell vm:plug disk1 virtio-blk path=/tmp/disk1.img
guest_awaits "the new disk" '[ -b /dev/vdb ]'
guest 'while dd if=/dev/vdb of=/dev/null bs=64k iflag=direct 2> /dev/null; do :; done & echo $! > /tmp/reader.pid'
shell vm:unplug --force disk1
guest_awaits "the end of the disk" '[ ! -e /sys/block/vdb ]'
guest 'wait $(cat /tmp/reader.pid); cat /proc/loadavg' > /dev/null
shell vm:plug disk1 virtio-blk path=/tmp/disk1.img
guest_awaits "the disk's return" '[ -b /dev/vdb ]'
same "digest of the disk" "$(digest /tmp/disk1.img)" "$(guest 'sha256sum < /dev/vdb' | cut -d ' ' -f 1)"
shell vm:unplug disk1
guest_awaits "the disk's end" '[ ! -e /sys/block/vdb ]'
