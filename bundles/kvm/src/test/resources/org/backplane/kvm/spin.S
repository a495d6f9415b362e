# Counts at FLAGS as fast as it can until FLAGS + 8 is set, and reports that it counted every number.
        .include "payload.inc"
        begin
        xor     %rcx, %rcx
        xor     %ebx, %ebx
1:      mov     FLAGS, %rax
        cmp     %rcx, %rax
        je      2f
        or      $1, %ebx
2:      inc     %rcx
        mov     %rcx, FLAGS
        cmpl    $0, FLAGS + 8
        je      1b
        mov     %ebx, %eax
        report
        tables
