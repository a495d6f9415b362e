# Our distribution starts in L1, and finds the KVM there fit.
"$distribution/backplane" check > /tmp/check || fail "$(tail -n 1 /tmp/check)"
grep -q '^bundles *ok' /tmp/check || fail "$(grep '^bundles' /tmp/check)"
grep -q '^kvm *ok' /tmp/check || fail "$(grep '^kvm' /tmp/check)"
grep '^kvm' /tmp/check
