# The same for the network, under pings: none is lost.
machine trixie
guest 'ping -i 0.05 10.9.0.1 > /tmp/pings 2>&1 & echo $! > /tmp/ping.pid'
pinged() { guest_awaits "$1 more pings" "[ \$(grep -c seq= /tmp/pings) -ge $(($(guest 'grep -c seq= /tmp/pings') + $1)) ]"; }
pinged 10
shell vm:swap net0 $builds/net-good.jar > /tmp/swap
pinged 20
shell vm:accept net0
refuses vm:swap net0 $builds/net-refuses.jar | grep -q 'rolled back' || fail "$(cat /tmp/refused)"
pinged 20
shell vm:swap net0 $builds/net-fails.jar || true
pinged 20
shell vm:history net0 | grep -q 'fell back' || fail "the history does not tell of the fall-back"
guest 'kill -INT $(cat /tmp/ping.pid); wait $(cat /tmp/ping.pid)' || true
# Numbers begin with 0: as many answers as the last one's number says.
guest "sed -n 's/.*seq=\\([0-9]*\\) .*/\\1/p' /tmp/pings" | awk '{ last = $1 } END { exit NR != last + 1 }' ||
  fail "pings were lost: $(guest 'tail -n 3 /tmp/pings')"
cat /tmp/swap
