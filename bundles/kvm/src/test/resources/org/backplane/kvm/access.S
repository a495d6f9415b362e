# Port and memory accesses of every width, with values that the device turns around.
        .include "payload.inc"
        begin
        mov     $DEVICE, %rbx
        mov     $0x1122334455667788, %rax
        mov     %al, (%rbx)
        mov     %ax, 2(%rbx)
        mov     %eax, 4(%rbx)
        mov     %rax, 8(%rbx)
        mov     0x10(%rbx), %rcx
        cmp     $-2, %rcx
        jne     1f
        movzbl  0x18(%rbx), %ecx
        cmp     $0xe7, %ecx
        jne     1f
        mov     $0x1234, %dx
        out     %al, %dx
        out     %ax, %dx
        out     %eax, %dx
        xor     %eax, %eax
        in      %dx, %al
        cmp     $0xcb, %eax
        jne     1f
        xor     %eax, %eax
        in      %dx, %ax
        cmp     $0xedcb, %eax
        jne     1f
        in      %dx, %eax
        cmp     $0xffffedcb, %eax
        jne     1f
        mov     $42, %eax
        report
1:      mov     %ecx, %eax
        report
        tables
