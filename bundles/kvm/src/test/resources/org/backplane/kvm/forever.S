# A load from the device, again and again: for measuring.
        .include "payload.inc"
        begin
        mov     $DEVICE, %rbx
1:      mov     (%rbx), %eax
        jmp     1b
        tables
