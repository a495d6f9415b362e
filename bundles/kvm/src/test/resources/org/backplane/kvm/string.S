# Strings to and from a port.
        .include "payload.inc"
        begin
        cld
        mov     $0x1234, %dx
        lea     text(%rip), %rsi
        mov     $7, %ecx
        rep     outsb
        mov     $FLAGS, %edi
        mov     $5, %ecx
        rep     insl
        mov     %edi, %eax
        report
text:   .ascii  "strings"
        tables
