# Bare programs that are the tests of this engine on any KVM, here on one that is the processor's own.
# bound: 300 s
end_machine
mkdir -p /tmp/payloads
for name in processor processor-pvh processors enumerate disk doorbell halt; do
  cp $builds/payloads/$name.elf /tmp/payloads/
done
"$PROJECT/itests/src/test/payloads/run" /tmp/payloads "$distribution/backplane" > /tmp/said 2>&1 ||
  fail "$(grep '^FAILED' /tmp/said | tr '\n' ';') $(cat /tmp/said >&2)"
echo "$(grep -c ^passed /tmp/said) payloads"
