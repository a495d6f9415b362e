# A file in the folder of --config plugs a disk, and its going unplugs it.
machine trixie
image /tmp/disk2.img 1
printf 'name=disk2\nkind=virtio-blk\npath=/tmp/disk2.img\nro=on\n' > /tmp/slots/disk2.part
mv /tmp/slots/disk2.part /tmp/slots/disk2.cfg
guest_awaits "the new disk" '[ -b /dev/vdb ]'
same "digest of the new disk" "$(digest /tmp/disk2.img)" "$(guest 'sha256sum < /dev/vdb' | cut -d ' ' -f 1)"
rm /tmp/slots/disk2.cfg
guest_awaits "the end of the disk" '[ ! -e /sys/block/vdb ]'
