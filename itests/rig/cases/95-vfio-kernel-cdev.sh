# As 79-vfio-kernel, by the devices' own files and /dev/iommu; the kernel then maps no BAR for another device.
# l1: cdev
only_backplane
end_machine
vfio_bind $edu $e1000e $nvme $xhci
"$JAVA_HOME/bin/java" -cp "$(echo "$distribution"/bundles/board/*.jar | tr ' ' :)" "$RIG/l1/VfioTrial.java" \
  iommufd $edu $e1000e $nvme $xhci > /tmp/trial 2> /tmp/trial.err || fail "$(grep FAILED /tmp/trial || grep -m 1 Exception /tmp/trial.err)"
echo "$(grep -c '^ok: ' /tmp/trial) checks"
