# As 79-vfio-kernel, by the devices' own files and /dev/iommu; the kernel then maps no BAR for another device.
# l1: cdev
only_backplane
vfio_bind $edu $e1000e $nvme $xhci
"$JAVA_HOME/bin/java" -cp "$(echo "$distribution"/bundles/board/*.jar | tr ' ' :)" "$RIG/l1/VfioTrial.java" \
  iommufd $edu $e1000e $nvme $xhci > /tmp/trial 2> /tmp/trial.err || fail "$(grep FAILED /tmp/trial || tail -n 3 /tmp/trial.err | head -n 1)"
echo "$(grep -c '^ok: ' /tmp/trial) checks"
