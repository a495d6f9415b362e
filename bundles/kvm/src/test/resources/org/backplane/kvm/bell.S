# Three stores to the bell, of several widths, and one to the device next to it.
        .include "payload.inc"
        begin
        mov     $BELL, %rbx
        movw    $1, (%rbx)
        movl    $2, (%rbx)
        movb    $3, (%rbx)
        movl    $4, 4(%rbx)
        mov     $7, %eax
        report
        movw    $5, (%rbx)
        mov     $8, %eax
        report
        tables
