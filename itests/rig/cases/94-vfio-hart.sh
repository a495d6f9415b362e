# A card of L1 in a RISC-V guest on the embedded processor: U-Boot finds nvme, and reads by DMA what L1 has there.
# bound: 200 s
only_backplane
vfio_bind $nvme
screen() { tr -d '\r' < $vm/console; }
says() { screen | grep -aqE "$1"; }
# u_boot LINE: has U-Boot carry it out, and waits for its prompt.
u_boot() {
  local prompts
  prompts=$(screen | grep -ac '^=> ')
  printf '%s\r' "$1" > $vm/in
  await 60 "U-Boot after '$1'" answered "$prompts"
}
answered() { [ "$(screen | grep -ac '^=> ')" -gt "$1" ]; }
launch hart "$distribution/backplane" run --name l2 --memory 256M --kernel $kernels/u-boot.img --vfio $nvme,name=nvme
await 120 "U-Boot" says 'Hit any key'
printf '\r' > $vm/in
await 60 "U-Boot's prompt" says '^=> '
u_boot 'pci enum; pci; nvme scan; nvme info'
says 'Ser: *shared' || fail "no nvme: $(screen | tail -n 3)"
u_boot 'nvme read 82000000 100 800'
u_boot 'crc32 82000000 100000'
wanted=$(tail -c +$((0x100 * 512 + 1)) $cards/shared.img | head -c 1048576 | gzip -1 | tail -c 8 | od -An -t x4 -N 4 | tr -d ' ')
same "CRC of what U-Boot has read" "$wanted" "$(screen | sed -n 's/^crc32 for 82000000.*==> //p')"
end_machine
