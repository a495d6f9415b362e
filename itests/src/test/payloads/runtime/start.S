# How a payload comes from its loader to main() in 64-bit mode, with the first 4 GiB mapped where they
# are; how further processors come there; and what interrupts and exceptions enter by.
#
# The loader is one of two kinds, and enters both at `start`, in 32-bit protected mode without paging:
#   multiboot (GNU Multiboot Specification 0.6.96, section 3): EAX 0x2badb002, EBX its information;
#   PVH, with -DPVH (Xen's docs/misc/pvh.pandoc): EBX the start information.
#
# Page-table VMs interpret all of this, and cannot execute int, int3, SSE, x87, lret and sysret.

.set CODE64, 0x08
.set DATA, 0x10
.set CODE32, 0x18
.set STACK_SIZE, 16384
.set EFER, 0xc0000080

#ifndef HEADER_FLAGS
#define HEADER_FLAGS 3                  /* modules on pages, a memory map */
#endif

#ifdef PVH
        .section .note, "a", @note
        .long   4, 4, 18                # XEN_ELFNOTE_PHYS32_ENTRY
        .asciz  "Xen"
        .long   start
#endif

        .section .init, "ax"
#ifndef PVH
        .balign 4
        .long   0x1badb002, HEADER_FLAGS, -(0x1badb002 + HEADER_FLAGS)
#endif

        .code32
        .globl  start
start:
        cli
        mov     %eax, boot_magic
        mov     %ebx, boot_information
        mov     $stacks + STACK_SIZE, %esp
        mov     $main64, %edi
        jmp     enter64

# Goes on in 64-bit mode at EDI, on the stack it has.
enter64:
        lgdt    gdt_register
        mov     %cr4, %eax
        or      $0x20, %eax             # PAE
        mov     %eax, %cr4
        mov     $pages4, %eax
        mov     %eax, %cr3
        mov     $EFER, %ecx
        rdmsr
        or      $0x100, %eax            # LME
        wrmsr
        mov     %cr0, %eax
        or      $0x80000001, %eax       # PG, PE
        mov     %eax, %cr0
        ljmp    $CODE64, $1f
        .code64
1:      mov     $DATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        xor     %eax, %eax
        mov     %eax, %fs
        mov     %eax, %gs
        lidt    idt_register
        mov     %edi, %eax
        jmp     *%rax

main64:
        call    runtime_begin
        call    main
        call    finish

# --- Further processors -----------------------------------------------------------------------

# Copied to a page below 1 MiB, where a processor begins in real mode (Intel SDM, volume 3, 9.4.3).
        .globl  trampoline, trampoline_end
        .code16
trampoline:
        cli
        mov     %cs, %ax
        mov     %ax, %ds
        lgdtl   gdt_register_copy - trampoline
        mov     %cr0, %eax
        or      $1, %eax
        mov     %eax, %cr0
        ljmpl   $CODE32, $further32
        .balign 4
gdt_register_copy:
        .word   gdt_end - gdt - 1
        .long   gdt
trampoline_end:

        .code32
further32:
        mov     $DATA, %eax
        mov     %eax, %ds
        mov     %eax, %ss
        mov     $1, %eax
        lock xadd %eax, stacks_given
        inc     %eax
        imul    $STACK_SIZE, %eax
        lea     stacks(%eax), %esp
        mov     $further64, %edi
        jmp     enter64
        .code64
further64:
        call    runtime_processor
1:      cli
        hlt
        jmp     1b

# --- Interrupts and exceptions ----------------------------------------------------------------

# One entry for each of the first 64 vectors, 16 bytes apart. Those of exceptions that push an error
# code (Intel SDM, volume 3, table 6-1) leave it; the others push 0 in its place.
        .text
        .globl  entries
        .balign 16
entries:
vector = 0
        .rept   64
        .balign 16
        .if     (vector != 8) && (vector < 10 || vector > 14) && (vector != 17) && (vector != 21)
        push    $0
        .endif
        push    $vector
        jmp     entered
vector = vector + 1
        .endr

entered:
        push    %rax
        push    %rcx
        push    %rdx
        push    %rbx
        push    %rbp
        push    %rsi
        push    %rdi
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        mov     %rsp, %rdi
        cld
        call    runtime_entered
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rdi
        pop     %rsi
        pop     %rbp
        pop     %rbx
        pop     %rdx
        pop     %rcx
        pop     %rax
        add     $16, %rsp
        iretq

# --- Tables -----------------------------------------------------------------------------------

        .data
        .balign 8
        .globl  boot_magic, boot_information
boot_magic:
        .long   0
boot_information:
        .long   0
stacks_given:
        .long   1

        .balign 8
gdt:    .quad   0
        .quad   0x00af9b000000ffff      # CODE64
        .quad   0x00cf93000000ffff      # DATA
        .quad   0x00cf9b000000ffff      # CODE32
gdt_end:
        .word   0
gdt_register:
        .word   gdt_end - gdt - 1
        .quad   gdt
idt_register:
        .word   64 * 16 - 1
        .quad   idt

# 4 GiB in pages of 2 MiB. What map() adds goes into another entry of the root.
        .balign 4096
        .globl  pages4
pages4: .quad   pages3 + 3
        .fill   511, 8, 0
pages3:
page = 0
        .rept   4
        .quad   pages2 + 3 + page * 4096
page = page + 1
        .endr
        .fill   508, 8, 0
pages2:
page = 0
        .rept   2048
        .quad   0x83 + (page << 21)
page = page + 1
        .endr

        .bss
        .balign 16
        .globl  idt
idt:    .skip   64 * 16
stacks: .skip   8 * STACK_SIZE

        .section .note.GNU-stack, "", @progbits
