# The code of the cards is replaced while nvme reads and e1000e pings, also by a build that cannot take the
# state and is rolled back: the cards are not reset, no ping is lost, and every read is right.
only_backplane
machine vfio
guest 'modprobe nvme'
disk=$(guest_disk shared)n1
guest_network e1000e 10.8.0 > /tmp/interface
wanted=$(digest $cards/shared.img)
guest "while [ ! -e /tmp/stop ]; do echo 3 > /proc/sys/vm/drop_caches; sha256sum < /dev/$disk >> /tmp/read 2>&1 || break; done & ping -i 0.05 10.8.0.2 > /tmp/pings 2>&1 & echo \$! > /tmp/ping.pid"
pinged() { guest_awaits "$1 more pings" "[ \$(grep -c seq= /tmp/pings) -ge $(($(guest 'grep -c seq= /tmp/pings') + $1)) ]"; }
swaps() {
  shell vm:swap $1 $builds/vfio-good.jar > /tmp/swap
  pinged 10
  shell vm:accept $1
}
pinged 5
complaints=$(guest 'dmesg | grep -cE "nvme|e1000e" || true')
swaps nvme
swaps e1000e
refuses vm:swap e1000e $builds/vfio-refuses.jar | grep -q 'rolled back' || fail "$(cat /tmp/refused)"
reads=$(guest 'wc -l < /tmp/read')
guest_awaits "more reads" "[ \$(wc -l < /tmp/read) -ge $((reads + 2)) ]"
pinged 10
guest 'touch /tmp/stop; kill -INT $(cat /tmp/ping.pid); wait' || true
same "the reads" "$wanted  -" "$(guest 'sort -u /tmp/read')"
guest "sed -n 's/.*seq=\\([0-9]*\\) .*/\\1/p' /tmp/pings" | awk '{ last = $1 } END { exit NR != last + 1 }' ||
  fail "pings were lost: $(guest 'tail -n 3 /tmp/pings')"
same "what the drivers have said since" "$complaints" "$(guest 'dmesg | grep -cE "nvme|e1000e" || true')"
shell vm:slots | grep '^nvme .* 1\.0\.1 ' > /dev/null || fail "another build serves: $(shell vm:slots | grep '^nvme ')"
cat /tmp/swap
