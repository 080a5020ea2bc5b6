/* From reset to main, and the way into interrupts. The image lies in RAM: the ROM has loaded .text, .rodata and .data. */
    .section .vectors, "ax", @progbits
    .option push
    .option norvc
    .balign 256                 /* the C3 takes vectored mode only, its table aligned to 256 bytes */
    .globl vectors
vectors:
    j exception_entry           /* interrupts have the lines 1 to 31 */
    .rept 31
    j trap_entry
    .endr
    .option pop

    .section .text.entry, "ax", @progbits
    .globl _start
_start:
    csrci mstatus, 8
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, __stack_top
    la t0, vectors
    ori t0, t0, 1
    csrw mtvec, t0
    la a0, __bss_start
    la a1, __bss_end
1:  bgeu a0, a1, 2f
    sw zero, 0(a0)
    addi a0, a0, 4
    j 1b
2:  call main
3:  j 3b

    /* Nothing goes on after an exception, so its handler may have the whole stack, whatever sp was. */
    .section .text.exception_entry, "ax", @progbits
    .balign 4
exception_entry:
    la sp, __stack_top
    csrr a0, mcause
    csrr a1, mepc
    csrr a2, mtval
    call exception

    /* Interrupts do not nest, and use the stack of what they interrupt. */
    .section .text.trap_entry, "ax", @progbits
    .balign 4
trap_entry:
    addi sp, sp, -64
    sw ra, 0(sp)
    sw t0, 4(sp)
    sw t1, 8(sp)
    sw t2, 12(sp)
    sw a0, 16(sp)
    sw a1, 20(sp)
    sw a2, 24(sp)
    sw a3, 28(sp)
    sw a4, 32(sp)
    sw a5, 36(sp)
    sw a6, 40(sp)
    sw a7, 44(sp)
    sw t3, 48(sp)
    sw t4, 52(sp)
    sw t5, 56(sp)
    sw t6, 60(sp)
    csrr a0, mcause
    call trap
    lw ra, 0(sp)
    lw t0, 4(sp)
    lw t1, 8(sp)
    lw t2, 12(sp)
    lw a0, 16(sp)
    lw a1, 20(sp)
    lw a2, 24(sp)
    lw a3, 28(sp)
    lw a4, 32(sp)
    lw a5, 36(sp)
    lw a6, 40(sp)
    lw a7, 44(sp)
    lw t3, 48(sp)
    lw t4, 52(sp)
    lw t5, 56(sp)
    lw t6, 60(sp)
    addi sp, sp, 64
    mret
