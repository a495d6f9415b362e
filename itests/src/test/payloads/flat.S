# A flat 16-bit image as kvmtool loads one: real mode, entered at 1000:0000. It writes whole strings to
# COM1, takes interrupts of the 8254 through the 8259A, and ends through port 0xf4.
        .code16
        .globl  start
start:
        cli
        mov     %cs, %ax
        mov     %ax, %ds
        cmp     $0x1000, %ax
        jne     failed
        mov     $0x3f8, %dx
        mov     $hello, %si
        mov     $hello_end - hello, %cx
        cld
        rep outsb
        xor     %ax, %ax
        mov     %ax, %es
        movw    $tick, %es:0x20 * 4
        movw    %cs, %es:0x20 * 4 + 2
        # 8259A: ICW1 to ICW4, vectors from 0x20, then only input 0.
        mov     $0x11, %al
        out     %al, $0x20
        mov     $0x20, %al
        out     %al, $0x21
        mov     $0x04, %al
        out     %al, $0x21
        mov     $0x03, %al              # automatic end of interrupt
        out     %al, $0x21
        mov     $0xfe, %al
        out     %al, $0x21
        # 8254: channel 0, rate generator, 200 Hz.
        mov     $0x34, %al
        out     %al, $0x43
        mov     $(1193182 / 200) & 0xff, %al
        out     %al, $0x40
        mov     $(1193182 / 200) >> 8, %al
        out     %al, $0x40
        sti
1:      cmpw    $5, ticks
        jb      1b
        cli
        mov     $0x3f8, %dx
        mov     $passed, %si
        mov     $passed_end - passed, %cx
        rep outsb
        xor     %eax, %eax
        out     %eax, $0xf4
2:      hlt
        jmp     2b
failed: mov     $1, %eax
        out     %eax, $0xf4
        jmp     2b

tick:   push    %ax
        push    %dx
        incw    %cs:ticks
        mov     $0x3f8, %dx
        mov     $'t', %al
        out     %al, %dx
        pop     %dx
        pop     %ax
        iret

ticks:  .word   0
hello:  .ascii  "flat: entered at 1000:0000\n"
hello_end:
passed: .ascii  "\npassed\n"
passed_end:
