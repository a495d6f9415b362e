# A load from a device, again and again. Loaded flat at 1 MiB and entered in 64-bit mode.
        .text
        .code64
        mov     $0xd0000000, %ebx
1:      mov     (%rbx), %eax
        jmp     1b
