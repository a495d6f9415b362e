# Our distribution starts in L1, and would boot Linux on the KVM that is there.
"$distribution/backplane" check > /tmp/check || fail "$(tail -n 1 /tmp/check)"
for what in bundles kvm; do
  grep -q "^$what *ok" /tmp/check || fail "$(grep "^$what" /tmp/check)"
done
grep -q '^auto .*linux: kvm' /tmp/check || fail "$(grep '^auto' /tmp/check)"
