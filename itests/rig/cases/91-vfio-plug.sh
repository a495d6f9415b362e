# nvme comes and goes by pciehp while the guest runs, twice: what it held is given back.
machine plugged
vfio_bind $nvme
guest 'modprobe nvme'
plug card $nvme
disk=$(guest_disk shared)n1
check_disk $cards/shared.img "$disk"
gone() {
  unplug card
  guest_awaits "the end of the disk" "[ ! -e /sys/block/$disk ]"
  guest_awaits "the end of the card" '[ -z "$(ls -d /sys/bus/pci/drivers/nvme/0* 2> /dev/null)" ]'
}
gone
plug card $nvme
disk=$(guest_disk shared)n1
same "digest of $disk" "$(digest $cards/shared.img)" "$(guest "sha256sum < /dev/$disk" | cut -d ' ' -f 1)"
gone
