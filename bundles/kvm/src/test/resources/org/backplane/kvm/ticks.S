# The 8254's channel 0, periodic, by input 2 of the I/O APIC: counts its ticks at FLAGS for ever.
        .include "payload.inc"
        begin
        gate    0x42, handler
        mov     $IOAPIC, %rbx
        movl    $0x10 + 2 * 2, (%rbx)
        movl    $0x42, 0x10(%rbx)
        movl    $0x10 + 2 * 2 + 1, (%rbx)
        movl    $0, 0x10(%rbx)
        mov     $0x34, %al
        out     %al, $0x43
        mov     $0x00, %al
        out     %al, $0x40
        mov     $0x10, %al
        out     %al, $0x40
        sti
1:      hlt
        jmp     1b
handler:
        push    %rax
        incl    FLAGS
        mov     $APIC_EOI, %rax
        movl    $0, (%rax)
        pop     %rax
        iretq
        tables
