# Counts interrupts of vector 0x40 at FLAGS while it halts between them; reports the third.
        .include "payload.inc"
        begin
        gate    0x40, handler
        sti
1:      hlt
        cmpl    $3, FLAGS
        jb      1b
        mov     FLAGS, %eax
        report
        jmp     1b
handler:
        push    %rax
        incl    FLAGS
        mov     $APIC_EOI, %rax
        movl    $0, (%rax)
        pop     %rax
        iretq
        tables
