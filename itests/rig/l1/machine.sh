# machine.sh: the machine that the cases share, for their scripts. What is known of it is in files,
# so that it outlives the case that started it.
#   $vm/name in console errors pid   which it is, the guest's keyboard, its screen, our own messages
export XDG_RUNTIME_DIR=/tmp/run XDG_STATE_HOME=/tmp/state
# Only the client compiler: the other takes more of an emulated processor than it gives.
export BACKPLANE_JAVA_OPTIONS="-XX:TieredStopAtLevel=1"
mkdir -p -m 700 $XDG_RUNTIME_DIR
vm=/tmp/vm
distribution=$PROJECT/launcher/target/distribution
kernels=/rig/cache
builds=/rig/out/builds

fail() {
  echo "$*" >&2
  exit 1
}

# same WHAT WANTED FOUND
same() { [ "$2" = "$3" ] || fail "$1: '$3' and not '$2'"; }

# A process that is ended, and whose parent has not asked yet, is not there any more.
ended() {
  local state
  read -r _ _ state _ 2> /dev/null < "/proc/$1/stat" || return 0
  [ "$state" = Z ]
}

alive() { [ -s $vm/pid ] && ! ended "$(cat $vm/pid)"; }

# await SECONDS WHAT COMMAND...: until the command succeeds.
await() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    [ $SECONDS -lt $end ] || fail "waited too long for $what"
    read -r -t 0.1 <> <(:) || true
  done
}

await_end() {
  await "$1" "the end of the machine" ended "$(cat $vm/pid)"
  rm -f $vm/pid
}

# answers NUMBER FROM: prints what came after the command of that number; its status is the status.
# The console is read from a byte on, counted from 1.
answers() {
  local line part='' status='' console end=$((SECONDS + ${GUEST_LIMIT:-60}))
  exec {console}< <(exec tail -c "+$2" -s 0.05 -f $vm/console)
  while [ -z "$status" ]; do
    if ! IFS= read -r -t 1 -u $console line; then
      # Not a whole line yet.
      part+=$line
      alive || fail "the machine has ended: $(tail -n 1 $vm/errors)"
      [ $SECONDS -lt $end ] || fail "the guest did not answer"
      continue
    fi
    line=$part${line%$'\r'}
    part=
    case $line in
      "@@ $1 "*) status=${line#"@@ $1 "} ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
  kill $!
  exec {console}<&-
  [ "$1" != 0 ] || status=0
  return "$status"
}

# guest COMMAND: a shell line in the guest; prints what it prints, and has its status.
guest() {
  local from number=${EPOCHREALTIME/[.,]/}
  alive || fail "the machine has ended"
  from=$(($(stat -c %s $vm/console) + 1))
  printf '%s %s\n' "$number" "$*" > $vm/in
  answers "$number" "$from"
}

# guest_script TEXT: the same for more than a line, in a shell of its own.
guest_script() { guest "echo $(printf '%s' "$1" | base64 -w 0) | base64 -d | sh"; }

# A line that the guest does not survive, or not as the one that was asked.
tell_guest() { printf '0 %s\n' "$*" > $vm/in; }

await_boot() { GUEST_LIMIT=300 answers 0 "${1:-1}" > /dev/null; }

# shell COMMAND: a command of the machine's shell.
shell() { perl "$RIG/l1/vm-shell" $XDG_RUNTIME_DIR/l2/shell.sock "$*"; }

# guest_awaits WHAT CONDITION: until a condition holds in the guest.
guest_awaits() {
  guest "(n=0; until $2; do n=\$((n + 1)); [ \$n -le 400 ] || exit 1; usleep 100000; done)" > /dev/null ||
    fail "$1: not within 40 s"
}

# The guest's writer goes round and round over the first 4 MiB of /dev/vda, in blocks that can be checked.
start_writer() {
  guest 'rm -f /tmp/written; load write /dev/vda 0 64 /tmp/written > /tmp/writer 2>&1 & echo $! > /tmp/writer.pid'
  written 1
}

# written MORE: waits until the writer has written so many blocks more; prints how many it has then.
written() {
  local now
  now=$(guest 'cat /tmp/written 2> /dev/null || echo 0')
  guest_awaits "$1 more blocks" "[ \$(cat /tmp/written 2> /dev/null || echo 0) -ge $((now + $1)) ] || [ -s /tmp/writer ]"
  guest '[ ! -s /tmp/writer ]' || fail "the guest's writer: $(guest 'cat /tmp/writer')"
  guest 'cat /tmp/written'
}

# Ends the writer; every block has to be there, in the guest and in the image.
check_written() {
  guest 'kill $(cat /tmp/writer.pid); wait $(cat /tmp/writer.pid)' || fail "the guest's writer: $(guest 'cat /tmp/writer')"
  guest 'load check /dev/vda 0 64' > /dev/null || fail "the disk does not hold what was written"
  same "digest of the image" "$(guest 'head -c 4194304 /dev/vda | sha256sum' | cut -d ' ' -f 1)" \
    "$(head -c 4194304 /tmp/disk0.img | sha256sum | cut -d ' ' -f 1)"
}

# refuses COMMAND: of the machine's shell; prints what it says.
refuses() {
  if shell "$*" > /tmp/refused 2>&1; then
    fail "'$*' was done: $(tail -n 1 /tmp/refused)"
  fi
  cat /tmp/refused
}

# launch NAME COMMAND...: a monitor whose standard input and output are the guest's console.
launch() {
  local name=$1
  shift
  end_machine
  rm -rf $vm
  mkdir -p $vm
  mkfifo $vm/in
  : > $vm/console
  echo "$name" > $vm/name
  setsid "$@" <> $vm/in >> $vm/console 2> $vm/errors &
  echo $! > $vm/pid
}

# start NAME OPTION...: a machine of ours, until the guest answers.
start() {
  if [ "${RIG_MONITOR:-}" = qemu ]; then
    start_qemu "$@"
    return
  fi
  launch "$1" "$distribution/backplane" run --name l2 "${@:2}"
  await_boot
  await 60 "the machine's shell" test -S $XDG_RUNTIME_DIR/l2/shell.sock
}

# start_again NAME OPTION...: a machine that goes on where a snapshot was made.
start_again() {
  launch "$1" "$distribution/backplane" run --name l2 "${@:2}"
  await 60 "the machine's shell" test -S $XDG_RUNTIME_DIR/l2/shell.sock
}

end_machine() {
  alive || return 0
  kill -TERM "$(cat $vm/pid)" 2> /dev/null
  (await_end 20) 2> /dev/null || kill -KILL -- "-$(cat $vm/pid)" 2> /dev/null
  rm -f $vm/pid
}

# keep_logs FOLDER: what tells why something failed.
keep_logs() {
  mkdir -p "$1"
  if alive; then
    (GUEST_LIMIT=20 guest 'dmesg; cat /proc/interrupts; ls /sys/bus/pci/devices') > "$1/guest.txt" 2>&1
  fi
  if alive && [ "${RIG_MONITOR:-}" != qemu ]; then
    {
      shell vm:status
      shell vm:slots
      shell vm:pci
      for slot in $(shell vm:slots | sed 1d | cut -d ' ' -f 1); do
        echo "== $slot"
        shell "vm:history $slot"
      done
    } > "$1/machine.txt" 2>&1
    pkill -QUIT -g "$(cat $vm/pid)" java
  fi
  sleep 0.5
  cp $vm/console "$1/l2.log" 2> /dev/null
  cp $vm/errors "$1/errors.log" 2> /dev/null
  cp $XDG_STATE_HOME/backplane/l2.log "$1/backplane.log" 2> /dev/null
  dmesg > "$1/l1.log"
}

# image FILE MIB: a file of so many MiB whose contents are nobody else's.
image() { head -c "$2M" /dev/urandom > "$1"; }

# runs_on_kvm: that the machine says so.
runs_on_kvm() { [ "${RIG_MONITOR:-}" = qemu ] || shell vm:status | grep -qi kvm || fail "the engine is not KVM: $(shell vm:status)"; }

# kernel_complains: what the guest's kernel says of the board that it should not have to. What a busy
# host does to clocks and watchdogs is not the board's.
kernel_complains() {
  guest "dmesg -r | grep -E '^<[0-3]>|Firmware (Bug|Warn)|ACPI[^:]*(Error|Warning|Exception)|BIOS (bug|error)|could not be reserved|cut here' | grep -vE 'watchdog|lockup|rcu|clocksource|hrtimer' || true"
}

digest() { sha256sum "$@" | cut -d ' ' -f 1; }

. "$RIG/l1/qemu.sh"
. "$RIG/l1/vfio.sh"

# --- The machines -------------------------------------------------------------------------------

# machine NAME: makes sure that it runs, and starts it if another does, or none.
machine() {
  [ "$(cat $vm/name 2> /dev/null)" = "$1" ] && alive && return
  "machine_$1"
}

# Linux 6.1 by its bzImage, two processors, what most machines have.
machine_bookworm() {
  image /tmp/disk0.img 16
  start bookworm --memory 256M --kernel $kernels/bookworm/vmlinuz --initrd $kernels/l2-bookworm.cpio --cpus 2 \
    --append console=ttyS0 --disk /tmp/disk0.img --net user --device virtio-rng
}

tap0() {
  ip link show tap0 > /dev/null 2>&1 && return
  ip tuntap add dev tap0 mode tap
  ip addr add 10.9.0.1/24 dev tap0
  ip link set tap0 up
}

# Linux 6.12 by its PVH entry, one processor, and a tap.
machine_trixie() {
  tap0
  image /tmp/disk0.img 16
  mkdir -p /tmp/slots
  start trixie --memory 256M --config /tmp/slots --kernel $kernels/trixie/vmlinux --initrd $kernels/l2-trixie.cpio \
    --append "console=ttyS0 quiet" --disk /tmp/disk0.img --net tap=tap0
  guest 'ip link set eth0 up && ip addr add 10.9.0.2/24 dev eth0'
}
