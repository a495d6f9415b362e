# Input 9 of the I/O APIC, level-triggered: the handler counts, reads the device, and ends the interrupt.
        .include "payload.inc"
        begin
        gate    0x41, handler
        mov     $IOAPIC, %rbx
        movl    $0x10 + 2 * 9, (%rbx)
        movl    $0x8041, 0x10(%rbx)
        movl    $0x10 + 2 * 9 + 1, (%rbx)
        movl    $0, 0x10(%rbx)
        sti
        mov     $1, %eax
        report
1:      hlt
        cmpl    $2, FLAGS
        jb      1b
        mov     FLAGS, %eax
        report
        jmp     1b
handler:
        push    %rax
        push    %rcx
        incl    FLAGS
        mov     $DEVICE, %rcx
        mov     (%rcx), %eax
        mov     $APIC_EOI, %rax
        movl    $0, (%rax)
        pop     %rcx
        pop     %rax
        iretq
        tables
