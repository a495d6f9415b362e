# vm:stop presses the power button, and the guest powers off.
machine bookworm
if [ "${RIG_MONITOR:-}" = qemu ]; then monitor system_powerdown; else shell vm:stop; fi > /tmp/answer 2>&1 || true
await_end 30
grep -q 'reboot: Power down' $vm/console || fail "the guest was not asked: $(cat /tmp/answer)"
