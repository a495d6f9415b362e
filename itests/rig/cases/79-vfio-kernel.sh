# The kernel's VFIO with no machine around it (l1/VfioTrial.java): regions, lines, messages, vectors, reset, DMA at
# the guest's addresses, and a device that reads another's BAR. Twice, with nothing left open or pinned.
only_backplane
end_machine
vfio_bind $edu $e1000e $nvme $xhci
"$JAVA_HOME/bin/java" -cp "$(echo "$distribution"/bundles/board/*.jar | tr ' ' :)" "$RIG/l1/VfioTrial.java" \
  group $edu $e1000e $nvme $xhci > /tmp/trial 2> /tmp/trial.err || fail "$(grep FAILED /tmp/trial || grep -m 1 Exception /tmp/trial.err)"
echo "$(grep -c '^ok: ' /tmp/trial) checks"
