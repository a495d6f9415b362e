# A load, a store that crosses into the next page of the device, a store to a port, and a string from
# one, with a count of what was done at FLAGS.
        .include "payload.inc"
        begin
        mov     $DEVICE, %rbx
        mov     (%rbx), %rcx
        incl    FLAGS
        mov     $0x1122334455667788, %rax
        mov     %rax, 0xffd(%rbx)
        incl    FLAGS
        mov     $0x1234, %dx
        out     %al, %dx
        incl    FLAGS
        mov     $FLAGS + 0x100, %edi
        mov     $6, %ecx
        cld
        rep     insb
        incl    FLAGS
        mov     FLAGS, %eax
        add     %ecx, %eax
        report
        tables
