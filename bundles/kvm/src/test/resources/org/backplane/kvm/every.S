# A load and a store of the device's, a read and a write of a port, again and again.
        .include "payload.inc"
        begin
        mov     $DEVICE, %rbx
        mov     $0x1234, %dx
1:      mov     (%rbx), %eax
        mov     %eax, 8(%rbx)
        in      %dx, %al
        out     %al, %dx
        jmp     1b
        tables
