# Through libslirp: a lease, the gateway's pings, a file from L1's loopback address by digest.
machine bookworm
mkdir -p /tmp/www
image /tmp/www/file 1
busybox httpd -f -p 127.0.0.1:8000 -h /tmp/www &
server=$!
trap 'kill $server' EXIT
printf '#!/bin/sh\n[ "$1" != bound ] || ip addr add $ip/24 dev $interface\n' > /tmp/dhcp
guest "echo '$(base64 -w 0 /tmp/dhcp)' | base64 -d > /tmp/dhcp; chmod 755 /tmp/dhcp; ip link set eth0 up"
guest 'udhcpc -n -q -f -i eth0 -s /tmp/dhcp' > /dev/null
guest 'ip -4 addr show dev eth0' | grep -q 'inet 10\.0\.2\.15/24' || fail "no lease"
guest 'ping -q -c 3 -i 0.2 10.0.2.2' | grep -q '3 packets received' || fail "the gateway does not answer"
same "the file" "$(digest /tmp/www/file)" \
  "$(guest 'wget -q -O - http://10.0.2.2:8000/file | sha256sum' | cut -d ' ' -f 1)"
