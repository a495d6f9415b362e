# Rings a doorbell and halts until the interrupt that answers it, again and again. Loaded flat at 1 MiB
# and entered in 64-bit mode; the interrupt has vector 0x40.
.set BELL, 0xd0001000
.set FLAG, 0x200000
.set STACK, 0x300000
.set IDT, 0x400000
.set APIC_EOI, 0xfee000b0
.set APIC_SPURIOUS, 0xfee000f0

        .text
        .code64
        mov     $0xff, %al
        out     %al, $0x21
        out     %al, $0xa1
        mov     $STACK, %rsp
        lgdt    gdtr(%rip)
        lidt    idtr(%rip)
        lea     handler(%rip), %rax
        mov     $IDT + 16 * 0x40, %rdi
        mov     %ax, (%rdi)
        movw    $0x10, 2(%rdi)
        movw    $0x8e00, 4(%rdi)
        shr     $16, %rax
        mov     %ax, 6(%rdi)
        shr     $16, %rax
        mov     %eax, 8(%rdi)
        movl    $0, 12(%rdi)
        mov     $APIC_SPURIOUS, %rax
        movl    $0x1ff, (%rax)
        mov     $BELL, %rbx
1:      cli
        movl    $0, FLAG
        movl    $1, (%rbx)
2:      sti
        hlt
        cli
        cmpl    $0, FLAG
        je      2b
        jmp     1b

handler:
        push    %rax
        movl    $1, FLAG
        mov     $APIC_EOI, %rax
        movl    $0, (%rax)
        pop     %rax
        iretq

        .balign 8
gdt:    .quad   0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdtr:   .word   gdtr - gdt - 1
        .quad   gdt
idtr:   .word   256 * 16 - 1
        .quad   IDT
