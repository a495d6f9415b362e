# The disk's code is replaced while the guest writes; a build that refuses the state, and one that
# fails when it serves, are rolled back. Every block is right afterwards.
machine trixie
start_writer
shell vm:swap disk0 $builds/blk-good.jar > /tmp/swap
written 8
shell vm:accept disk0
refuses vm:swap disk0 $builds/blk-refuses.jar | grep -q 'rolled back' || fail "$(cat /tmp/refused)"
written 8
shell vm:swap disk0 $builds/blk-fails.jar || true # how it fails may be known by then
written 8
shell vm:history disk0 | grep -q 'fell back' || fail "the history does not tell of the fall-back"
shell vm:slots | grep '^disk0 .* 1\.0\.1 ' || fail "another build serves: $(shell vm:slots | grep '^disk0 ')"
check_written
cat /tmp/swap
