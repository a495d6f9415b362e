# qemu-xhci, 16 KiB with the table at 0x3000, beside virtio-net and virtio-blk; a stick behind it.
machine vfio
guest 'modprobe xhci_pci; modprobe usb_storage; modprobe sd_mod'
guest_awaits "the stick" '[ -b /dev/sda ]'
check_disk $cards/stick.img sda
same "digest of the virtio disk" "$(digest /tmp/disk0.img)" "$(guest 'sha256sum < /dev/vda' | cut -d ' ' -f 1)"
virtio=$(guest 'basename /sys/bus/virtio/drivers/virtio_net/*/net/*')
guest "ip link set $virtio up && (ip addr add 10.9.0.2/24 dev $virtio || true)"
guest 'ping -q -c 3 -i 0.2 10.9.0.1' | grep -q '3 packets received' || fail "L1 does not answer over virtio-net"
