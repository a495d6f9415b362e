# Over a tap: pings both ways, and a file by digest.
machine trixie
busybox ping -q -c 3 -i 0.2 10.9.0.2 | grep -q "3 packets received" || fail "the guest does not answer"
guest 'ping -q -c 3 -i 0.2 10.9.0.1' | grep -q '3 packets received' || fail "L1 does not answer"
mkdir -p /tmp/www
image /tmp/www/file 1
busybox httpd -f -p 10.9.0.1:8001 -h /tmp/www &
server=$!
trap 'kill $server' EXIT
same "the file" "$(digest /tmp/www/file)" \
  "$(guest 'wget -q -O - http://10.9.0.1:8001/file | sha256sum' | cut -d ' ' -f 1)"
