# Stores to three pages, twice.
        .include "payload.inc"
        begin
        movl    $1, 0x500000
        movl    $1, 0x503008
        movl    $1, 0x53f010
        mov     $1, %eax
        report
        movl    $1, 0x503008
        mov     $2, %eax
        report
        tables
