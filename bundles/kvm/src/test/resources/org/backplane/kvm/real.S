# 16-bit code, entered in real mode at 0x1000:0.
        .include "payload.inc"
        .code16
        mov     %cs, %ax
        shl     $16, %eax
        mov     %sp, %ax
        mov     $REPORT, %dx
        out     %eax, %dx
1:      hlt
        jmp     1b
