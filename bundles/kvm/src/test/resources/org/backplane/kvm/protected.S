# Entered in 32-bit protected mode without paging; goes to 64-bit mode by itself with the tables that
# the machine has at 0x10000, and reports what was in EAX, EBX and ESI.
        .include "payload.inc"
        .code32
        add     %ebx, %eax
        add     %esi, %eax
        mov     %eax, %ebp
        mov     %cr4, %eax
        or      $0x20, %eax
        mov     %eax, %cr4
        mov     $0x10000, %eax
        mov     %eax, %cr3
        mov     $0xc0000080, %ecx
        rdmsr
        or      $0x100, %eax
        wrmsr
        mov     %cr0, %eax
        or      $0x80000000, %eax
        mov     %eax, %cr0
        ljmp    $0x10, $1f
        .code64
1:      mov     %rbp, %rax
        shl     $32, %rax
        shr     $32, %rax
        report
