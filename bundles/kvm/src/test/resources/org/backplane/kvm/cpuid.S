# Leaves of CPUID at FLAGS, 16 bytes each: 0x40000000, 1, 0xb subleaf 0, 0xb subleaf 1, 0x80000008.
        .include "payload.inc"
.macro leaf function, index, at
        mov     $\function, %eax
        mov     $\index, %ecx
        cpuid
        mov     %eax, FLAGS + 16 * \at
        mov     %ebx, FLAGS + 16 * \at + 4
        mov     %ecx, FLAGS + 16 * \at + 8
        mov     %edx, FLAGS + 16 * \at + 12
.endm
        begin
        leaf    0x40000000, 0, 0
        leaf    1, 0, 1
        leaf    0xb, 0, 2
        leaf    0xb, 1, 3
        leaf    0x80000008, 0, 4
        mov     $5, %eax
        report
        tables
