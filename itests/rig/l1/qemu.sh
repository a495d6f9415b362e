# qemu.sh: QEMU as the monitor, for machine.sh's launch: what a case gets with RIG_MONITOR=qemu, to
# tell the rig's mistakes from ours, and what the bench compares with.

# start_qemu NAME OPTION...: takes the options of ours that the cases use.
start_qemu() {
  local name=$1 disks=0 q=() option value machine=${QEMU_MACHINE:-q35} kind=pci
  shift
  # Memory that the bench can tell from QEMU's own, and a port for pciehp.
  q=(-object memory-backend-memfd,id=ram,size=256M,share=on)
  case $machine in
    q35) q+=(-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off -device pcie-root-port,id=port1,chassis=1) ;;
    microvm) machine+=,x-option-roms=off,isa-serial=on kind=device ;;
  esac
  while [ $# -gt 0 ]; do
    option=$1 value=$2
    shift 2
    case $option in
      --kernel) q+=(-kernel "$value") ;;
      --initrd) q+=(-initrd "$value") ;;
      --append) q+=(-append "$value") ;;
      --memory) q+=(-m "$value") ;;
      --cpus) q+=(-smp "$value") ;;
      --disk)
        q+=(-drive "if=none,id=disk$disks,format=raw,file=$value" -device "virtio-blk-$kind,drive=disk$disks")
        disks=$((disks + 1))
        ;;
      --net)
        case $value in
          user*) q+=(-netdev "user,id=net0") ;;
          tap=*) q+=(-netdev "tap,id=net0,ifname=${value#tap=},script=no,downscript=no") ;;
        esac
        case $kind in
          pci) q+=(-device virtio-net-pci,netdev=net0,romfile=) ;;
          *) q+=(-device virtio-net-device,netdev=net0) ;;
        esac
        ;;
      --vfio) q+=(-device "vfio-pci,host=${value%%,*}") ;;
      --device) q+=(-device "$value-$kind") ;;
    esac
  done
  launch "$name" qemu-system-x86_64 -enable-kvm -nodefaults -no-user-config -display none \
    -M "$machine,memory-backend=ram" -cpu host -serial stdio \
    -chardev socket,id=monitor,path=/tmp/qemu.monitor,server=on,wait=off -mon chardev=monitor "${q[@]}"
  await_boot
}

# monitor COMMAND: of QEMU's; prints nothing but is waited for.
monitor() { perl "$RIG/l1/qemu-monitor" /tmp/qemu.monitor "$*"; }
