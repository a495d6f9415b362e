# Has KVM keep its clock at FLAGS (MSR_KVM_SYSTEM_TIME_NEW), reports, and reports again.
        .include "payload.inc"
        begin
        mov     $0x4b564d01, %ecx
        mov     $FLAGS + 1, %eax
        xor     %edx, %edx
        wrmsr
        mov     $1, %eax
        report
        mov     $2, %eax
        report
        mov     $3, %eax
        report
        tables
