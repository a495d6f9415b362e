# The guest's own reboot starts it again, in the same process.
machine bookworm
process=$(cat $vm/pid)
guest 'touch /tmp/before'
from=$(($(stat -c %s $vm/console) + 1))
tell_guest 'reboot -f'
await_boot $from
same "the process" "$process" "$(cat $vm/pid)"
guest '[ ! -e /tmp/before ]' || fail "the guest has not booted again"
same "processors" 2 "$(guest nproc)"
