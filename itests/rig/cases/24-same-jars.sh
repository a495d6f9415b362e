# What serves the guest on KVM are the very files that serve one on the embedded processor.
machine bookworm
for jar in "$distribution"/bundles/device/*.jar; do
  name=$(basename "$jar")
  wanted=$(sed -n "s/  $name$//p" "$distribution/lib/bundles.sha256")
  [ -n "$wanted" ] || fail "$name is not in the distribution's list"
  same "$name" "$wanted" "$(digest "$jar")"
  case $name in device-*) cmp -s "$jar" "$PROJECT/${name%-1.0.0.jar}/target/$name" || fail "$name is another build's" ;; esac
  sha256sum $XDG_RUNTIME_DIR/l2/felix-cache/*/*/bundle.jar | grep -q "^$wanted" || fail "$name does not run"
done
