# The guest's entropy comes from virtio-rng.
machine bookworm
same "the source" virtio_rng.0 "$(guest 'cat /sys/class/misc/hw_random/rng_current')"
values=$(guest 'head -c 512 /dev/hwrng | od -An -v -t u1 -w1 | sort -u | wc -l')
[ "$values" -gt 100 ] || fail "only $values different values"
