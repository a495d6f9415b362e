# A snapshot while the guest writes; a machine that is restored from it writes on, and every block is right.
# bound: 250 s
machine trixie
start_writer
shell vm:pause
rm -rf /tmp/snapshot
shell vm:snapshot /tmp/snapshot
cp /tmp/disk0.img /tmp/then.img
shell vm:resume
before=$(written 8)
end_machine
cp /tmp/then.img /tmp/disk0.img
start_again restored --restore /tmp/snapshot
after=$(written 16)
same "the kernel" "$(cat $kernels/trixie/version)" "$(guest uname -r)"
check_written
guest 'ping -q -c 3 -i 0.2 -W 5 10.9.0.1' | grep -q '3 packets received' || fail "the network is not back"
shell vm:plug disk1 virtio-blk path=/tmp/then.img ro=on
guest_awaits "a disk plugged in afterwards" '[ -b /dev/vdb ]'
echo "$(du -sm /tmp/snapshot | cut -f 1) MiB; $before blocks before the end, $after in the restored machine"
