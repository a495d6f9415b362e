# The first processor starts the second (Intel SDM, volume 3, section 9.4), which begins at 0x8000 in
# real mode, and waits for what that writes.
        .include "payload.inc"
        begin
        lea     second(%rip), %rsi
        mov     $0x8000, %edi
        mov     $second_end - second, %ecx
        cld
        rep     movsb
        mov     $APIC_COMMAND, %rbx
        movl    $1 << 24, 0x10(%rbx)
        movl    $0x4500, (%rbx)
        movl    $1 << 24, 0x10(%rbx)
        movl    $0x4608, (%rbx)
1:      cmpl    $0x2222, 0x9000
        jne     1b
        mov     $0x1111, %eax
        report
second:
        .code16
        xor     %ax, %ax
        mov     %ax, %ds
        movl    $0x2222, 0x9000
        mov     $0x3333, %eax
        mov     $REPORT, %dx
        out     %eax, %dx
2:      jmp     2b
second_end:
        .code64
        tables
