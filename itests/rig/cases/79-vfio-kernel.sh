# The kernel's VFIO with no machine around it (l1/VfioTrial.java): regions, lines, messages, vectors, reset, DMA at
# the guest's addresses, and a device that reads another's BAR. Twice, with nothing left open or pinned.
only_backplane
vfio_bind $edu $e1000e $nvme $xhci
"$JAVA_HOME/bin/java" -cp "$(echo "$distribution"/bundles/board/*.jar | tr ' ' :)" "$RIG/l1/VfioTrial.java" \
  group $edu $e1000e $nvme $xhci > /tmp/trial 2> /tmp/trial.err || fail "$(grep FAILED /tmp/trial || tail -n 3 /tmp/trial.err | head -n 1)"
echo "$(grep -c '^ok: ' /tmp/trial) checks"
