# vfio.sh: L1's cards for its guests (rig's function cards), for machine.sh.

nvme=0000:00:02.0      # MSI-X table and PBA among the registers of BAR 0
exclusive=0000:00:03.0 # nvme with a BAR for them
e1000e=0000:00:04.0
rtl8139=0000:00:05.0
xhci=0000:00:06.0 # with a stick
edu=0000:00:07.0
pair0=0000:01:01.0 # rtl8139, and in the same group:
pair1=0000:01:02.0 # e1000
# An e1000e that no Linux has used: QEMU 7.2's keeps its kind of descriptors through any reset, and U-Boot does not set it.
fresh=0000:00:09.0
cards=/rig/out/cards

only_backplane() {
  [ "${RIG_MONITOR:-}" != qemu ] || {
    echo "only for Backplane" >&2
    exit 77
  }
}

# vfio_bind BDF...: as ./backplane vfio bind does, but for the JVM.
vfio_bind() {
  local card
  for card in "$@"; do
    card=/sys/bus/pci/devices/$card
    [ "$(basename "$(readlink -f "$card/driver")")" != vfio-pci ] || continue
    [ ! -e "$card/driver" ] || basename "$card" > "$card/driver/unbind"
    echo vfio-pci > "$card/driver_override"
    basename "$card" > /sys/bus/pci/drivers_probe
    [ "$(basename "$(readlink -f "$card/driver")")" = vfio-pci ] || fail "$(basename "$card") is not vfio-pci's"
  done
}

# native_driver BDF DRIVER: gives a card to L1's own driver.
native_driver() {
  modprobe "$2"
  [ "$(basename "$(readlink -f "/sys/bus/pci/devices/$1/driver")")" != "$2" ] || return 0
  [ ! -e "/sys/bus/pci/devices/$1/driver" ] || echo "$1" > "/sys/bus/pci/devices/$1/driver/unbind"
  echo "$2" > "/sys/bus/pci/devices/$1/driver_override"
  echo "$1" > /sys/bus/pci/drivers_probe
  [ "$(basename "$(readlink -f "/sys/bus/pci/devices/$1/driver")")" = "$2" ] || fail "$1 is not $2's"
}

# plug NAME BDF, unplug NAME: of the running machine.
plug() {
  if [ "${RIG_MONITOR:-}" = qemu ]; then
    told=$(monitor "device_add vfio-pci,id=$1,host=$2,bus=port1")
    [ -z "$told" ] || fail "$told"
  else
    shell "vm:plug $1 vfio host=$2"
  fi
}

unplug() {
  if [ "${RIG_MONITOR:-}" = qemu ]; then
    monitor "device_del $1"
    await 40 "the end of $1" without "$1"
  else
    shell "vm:unplug $1"
  fi
}

without() { ! monitor 'info qtree' | grep -q "id \"$1\""; }

# The ids of a card, as 8086:10d3.
ids() { sed s/0x// "/sys/bus/pci/devices/$1/vendor" "/sys/bus/pci/devices/$1/device" | paste -sd :; }

# A function that prints for each card of the ids that it is given the ids, and of each BAR size and type;
# for a shell of L1 and of the guest.
bars='bars() {
  for card in /sys/bus/pci/devices/*; do
    read -r vendor < $card/vendor; read -r device < $card/device; id=${vendor#0x}:${device#0x}
    case " $* " in *" $id "*) ;; *) continue ;; esac
    n=0 all=
    while [ $n -lt 6 ] && read -r first last flags; do
      size=$((last ? last - first + 1 : 0)); all="$all $size/$((flags & 0x102300))"; n=$((n + 1))
    done < $card/resource
    echo "$id$all"
  done | sort
}'

# guest_card IDS: where the guest has a card, the first of that kind.
guest_card() {
  guest "for c in /sys/bus/pci/devices/*; do [ \$(cat \$c/vendor)\$(cat \$c/device) != 0x${1%:*}0x${1#*:} ] || basename \$c; done" |
    head -n 1
}

# guest_disk SERIAL: the name of an nvme in the guest.
guest_disk() {
  guest_awaits "nvme $1" "grep -q '^$1 ' /sys/class/nvme/*/serial && [ -b /dev/\$(basename \$(dirname \$(grep -l '^$1 ' /sys/class/nvme/*/serial)))n1 ]"
  guest "basename \$(dirname \$(grep -l '^$1 ' /sys/class/nvme/*/serial))"
}

# guest_network DRIVER SUBNET: has the guest load the driver and pings the gateway of the card.
guest_network() {
  local interface
  guest "modprobe $1"
  guest_awaits "an interface of $1" "ls -d /sys/bus/pci/drivers/$1/*/net/*"
  interface=$(guest "basename /sys/bus/pci/drivers/$1/*/net/*")
  guest "ip link set $interface up"
  guest_awaits "the carrier of $interface" "[ \"\$(cat /sys/class/net/$interface/carrier)\" = 1 ]"
  guest "ip addr flush dev $interface; ip addr add $2.15/24 dev $interface"
  guest "ping -q -c 5 -i 0.2 -W 10 $2.2" | grep -q '5 packets received' || fail "the gateway of $interface does not answer"
  echo "$interface"
}

# check_disk IMAGE DISK: what the guest reads is what the image has, what it writes gets there.
check_disk() {
  same "digest of $2" "$(digest "$1")" "$(guest "sha256sum < /dev/$2" | cut -d ' ' -f 1)"
  guest "load write /dev/$2 16 16 /tmp/done & sleep 1; kill \$!; wait \$!" > /dev/null
  guest "load check /dev/$2 16 16" > /dev/null
  guest 'sync; echo 3 > /proc/sys/vm/drop_caches'
  same "digest of $2 after the writing" "$(digest "$1")" "$(guest "sha256sum < /dev/$2" | cut -d ' ' -f 1)"
}

# Every card at once beside a virtio disk and network, Linux 6.1.
machine_vfio() {
  tap0
  vfio_bind $nvme $exclusive $e1000e $rtl8139 $xhci $edu
  image /tmp/disk0.img 16
  start vfio --memory 256M --kernel $kernels/bookworm/vmlinux --initrd $kernels/l2-bookworm.cpio \
    --append "console=ttyS0 quiet" --disk /tmp/disk0.img --net tap=tap0 --vfio $xhci,name=xhci --vfio $nvme,name=nvme \
    --vfio $exclusive,name=exclusive --vfio $e1000e,name=e1000e --vfio $rtl8139,name=rtl8139 --vfio $edu,name=edu
}

# machine_small [,SETTING..]: 6.12 with two processors, nvme and e1000e, both with those settings.
machine_small() {
  vfio_bind $nvme $e1000e
  image /tmp/disk0.img 1
  start small --memory 256M --cpus 2 --kernel $kernels/trixie/vmlinux --initrd $kernels/l2-trixie.cpio \
    --append "console=ttyS0 quiet" --disk /tmp/disk0.img \
    --vfio $nvme,name=nvme$1 --vfio $e1000e,name=e1000e$1
}

# A guest of 6.12 into which cards are plugged.
machine_plugged() {
  image /tmp/disk0.img 1
  start plugged --memory 256M --kernel $kernels/trixie/vmlinux --initrd $kernels/l2-trixie.cpio \
    --append "console=ttyS0 quiet" --disk /tmp/disk0.img
}

# trial INTERFACE: VfioTrial.java with that interface of VFIO; prints how many checks held.
trial() {
  only_backplane
  end_machine
  vfio_bind $edu $e1000e $nvme $xhci
  "$JAVA_HOME/bin/java" -cp "$(echo "$distribution"/bundles/board/*.jar | tr ' ' :)" "$RIG/l1/VfioTrial.java" \
    "$1" $edu $e1000e $nvme $xhci > /tmp/trial 2> /tmp/trial.err ||
    fail "$(grep FAILED /tmp/trial || grep -m 1 Exception /tmp/trial.err)"
  echo "$(grep -c '^ok: ' /tmp/trial) checks"
}
