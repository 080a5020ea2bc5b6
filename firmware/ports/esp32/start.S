/* From the boot loader to main, the way into interrupts, and what only instructions can do. call0 ABI throughout: the register window
 * never moves. */
#define PS_UM 0x20           /* exceptions go to the user vector */
#define PS_EXCM 0x10
#define FRAME 48
#define CAUSE_LEVEL1 4       /* EXCCAUSE of an interrupt of level 1 */
#define CAUSE_UNEXPECTED 256 /* added to the cause of what came by another vector */

    /* At VECBASE. Interrupts of level 1 and exceptions come at 0x340; nothing else is asked for, so whatever comes is told. */
    .section .vectors, "ax", @progbits
    .globl vectors
vectors:
    .macro unexpected offset
    .org \offset
    wsr a0, excsave1
    j unexpected_entry
    .endm
    unexpected 0x000        /* window overflow and underflow: six */
    unexpected 0x040
    unexpected 0x080
    unexpected 0x0C0
    unexpected 0x100
    unexpected 0x140
    unexpected 0x180        /* levels 2 to 5 */
    unexpected 0x1C0
    unexpected 0x200
    unexpected 0x240
    unexpected 0x280        /* debug, NMI */
    unexpected 0x2C0
    unexpected 0x300        /* exception with PS.UM off */
    .org 0x340
    wsr a0, excsave1
    j trap_entry
    unexpected 0x3C0        /* exception within an exception */
    .org 0x400

    .section .text.entry, "ax", @progbits
    .align 4
    .literal_position
    .globl _start
    .type _start, @function
_start:
    movi a0, 0
    wsr a0, intenable
    movi a1, __stack_top
    movi a2, vectors
    wsr a2, vecbase
    movi a2, PS_UM + 1      /* level 1 masked until the first tick */
    wsr a2, ps
    rsync
    movi a2, __bss_start
    movi a3, __bss_end
1:  bgeu a2, a3, 2f
    s32i a0, a2, 0
    addi a2, a2, 4
    j 1b
2:  call0 main
3:  j 3b
    .size _start, . - _start

    /* Interrupts do not nest, and use the stack of what they interrupt. An exception within one is taken as such. */
    .section .text.trap_entry, "ax", @progbits
    .align 4
    .globl trap_entry
    .type trap_entry, @function
trap_entry:
    rsr a0, exccause
    addi a0, a0, -CAUSE_LEVEL1
    beqz a0, 1f
    j exception_entry
1:  addi a1, a1, -FRAME
    s32i a2, a1, 4
    rsr a2, excsave1
    s32i a2, a1, 0
    s32i a3, a1, 8
    s32i a4, a1, 12
    s32i a5, a1, 16
    s32i a6, a1, 20
    s32i a7, a1, 24
    s32i a8, a1, 28
    s32i a9, a1, 32
    s32i a10, a1, 36
    s32i a11, a1, 40
    rsr a2, sar
    s32i a2, a1, 44
    rsr a2, interrupt
    rsr a3, intenable
    and a2, a2, a3
    movi a4, PS_UM + 1
    wsr a4, ps
    rsync
    call0 trap
    movi a4, PS_UM + PS_EXCM
    wsr a4, ps
    l32i a2, a1, 44
    wsr a2, sar
    rsync
    l32i a0, a1, 0
    l32i a2, a1, 4
    l32i a3, a1, 8
    l32i a4, a1, 12
    l32i a5, a1, 16
    l32i a6, a1, 20
    l32i a7, a1, 24
    l32i a8, a1, 28
    l32i a9, a1, 32
    l32i a10, a1, 36
    l32i a11, a1, 40
    addi a1, a1, FRAME
    rfe
    .size trap_entry, . - trap_entry

    /* Nothing goes on after an exception, so its handler may have the whole stack, whatever a1 was. */
    .section .text.exception_entry, "ax", @progbits
    .align 4
    .literal_position
    .globl exception_entry
    .type exception_entry, @function
exception_entry:
    movi a5, 0
    j 1f
unexpected_entry:
    movi a5, CAUSE_UNEXPECTED
1:  movi a1, __stack_top
    movi a2, PS_UM + 1
    wsr a2, ps
    rsync
    rsr a2, exccause
    add a2, a2, a5
    rsr a3, epc1
    rsr a4, excvaddr
    call0 exception
    .size exception_entry, . - exception_entry

    .macro function name
    .section .text.\name, "ax", @progbits
    .align 4
    .globl \name
    .type \name, @function
\name:
    .endm

    function hal_wait_for_event
    waiti 0
    ret
    .size hal_wait_for_event, . - hal_wait_for_event

    function hal_lock
    rsil a2, 1
    ret
    .size hal_lock, . - hal_lock

    function hal_unlock
    rsil a2, 0
    ret
    .size hal_unlock, . - hal_unlock

    function chip_interrupts_off
    rsil a2, 1
    ret
    .size chip_interrupts_off, . - chip_interrupts_off

    function chip_interrupts_restore
    wsr a2, ps
    rsync
    ret
    .size chip_interrupts_restore, . - chip_interrupts_restore

    function core_enable_lines
    rsil a4, 1
    rsr a3, intenable
    or a3, a3, a2
    wsr a3, intenable
    wsr a4, ps
    rsync
    ret
    .size core_enable_lines, . - core_enable_lines
