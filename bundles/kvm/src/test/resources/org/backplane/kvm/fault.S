# No interrupt table at all: the first exception shuts the processor down.
        .include "payload.inc"
        lidt    none(%rip)
        ud2
        .balign 8
none:   .word   0
        .quad   0
