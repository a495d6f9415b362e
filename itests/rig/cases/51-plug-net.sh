# A network that is plugged in serves, and goes with the guest's consent.
machine trixie
shell vm:plug net1 virtio-net backend=user
guest_awaits "the new network" '[ -e /sys/class/net/eth1 ]'
guest 'ip link set eth1 up && ip addr add 10.0.2.15/24 dev eth1'
guest 'ping -q -c 3 -i 0.2 -W 5 10.0.2.2' | grep -q '3 packets received' || fail "the gateway does not answer"
shell vm:unplug net1
guest '[ ! -e /sys/class/net/eth1 ]' || fail "the guest still has the network"
