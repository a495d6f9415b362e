# Loads from read-only memory at 0xe0000000 and stores there; reports what a load gives after.
        .include "payload.inc"
        begin
        mov     $0xe0000000, %rbx
        movl    $5, 8(%rbx)
        mov     (%rbx), %eax
        add     8(%rbx), %eax
        report
        tables
