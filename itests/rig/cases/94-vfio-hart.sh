# A card of L1 in a RISC-V guest on the embedded processor: U-Boot's driver of e1000e sends and receives by DMA.
# bound: 200 s
only_backplane
vfio_bind $fresh
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
launch hart "$distribution/backplane" run --name l2 --memory 256M --kernel $kernels/u-boot.img --vfio $fresh,name=nic
await 120 "U-Boot" says 'Hit any key'
printf '\r' > $vm/in
await 60 "U-Boot's prompt" says '^=> '
u_boot 'setenv ethaddr 52:54:00:12:34:56; setenv ipaddr 10.8.4.15; setenv netmask 255.255.255.0; pci enum; pci'
says '0x8086 *0x10d3' || fail "no e1000e: $(screen | tail -n 3)"
u_boot 'ping 10.8.4.2'
says 'host 10.8.4.2 is alive' || fail "the gateway does not answer: $(screen | tail -n 3)"
end_machine
