# Stores and loads of every width at 0xe0000000, and reports the sum of what was loaded. Then copies from
# there to FLAGS until it is 77.
        .include "payload.inc"
        begin
        mov     $0xe0000000, %rbx
        movb    $0x11, 1(%rbx)
        movw    $0x2222, 2(%rbx)
        movl    $0x33333333, 4(%rbx)
        movabs  $0x4444444455555555, %rax
        mov     %rax, 8(%rbx)
        movzbl  1(%rbx), %eax
        movzwl  2(%rbx), %ecx
        add     %ecx, %eax
        add     4(%rbx), %eax
        mov     8(%rbx), %rcx
        shr     $32, %rcx
        add     %ecx, %eax
        report
1:      mov     16(%rbx), %eax
        mov     %eax, FLAGS
        cmp     $77, %eax
        jne     1b
        report
        tables
