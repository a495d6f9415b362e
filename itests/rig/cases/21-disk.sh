# What the guest reads is what the image holds; what it writes is in the image.
machine bookworm
same "digest of the disk" "$(digest /tmp/disk0.img)" "$(guest 'sha256sum < /dev/vda' | cut -d ' ' -f 1)"
guest 'load write /dev/vda 16 64 /tmp/done & sleep 1; kill $!; wait $!' > /dev/null
guest 'load check /dev/vda 16 64' > /dev/null
guest 'sync; echo 3 > /proc/sys/vm/drop_caches'
same "digest after the writing" "$(digest /tmp/disk0.img)" "$(guest 'sha256sum < /dev/vda' | cut -d ' ' -f 1)"
