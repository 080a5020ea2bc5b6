/* Asks for the core's software interrupt (line 7) three times, with a value of its own in every register, and looks whether all are
 * as before afterwards. `results`: 1 when done, lines told, interrupts taken, registers that changed. */
    .data
    .globl results
results: .word 0, 0, 0, 0

    .section .text.trap, "ax", @progbits
    .align 4
    .literal_position
    .globl trap
    .type trap, @function
trap:                       /* a2 to a11 are the handler's: spoil them all */
    movi a4, results
    s32i a2, a4, 4
    l32i a5, a4, 8
    addi a5, a5, 1
    s32i a5, a4, 8
    movi a6, 0x80
    wsr a6, intclear
    rsync
    movi a7, -1
    ssl a7
    mov a0, a0
    movi a2, -1
    movi a3, -1
    movi a4, -1
    movi a5, -1
    movi a6, -1
    movi a8, -1
    movi a9, -1
    movi a10, -1
    movi a11, -1
    ret

    .section .text.exception, "ax", @progbits
    .align 4
    .globl exception
exception:
    j exception

    .section .text.main, "ax", @progbits
    .align 4
    .literal_position
    .globl main
    .type main, @function
main:
    movi a2, 0x80
    call0 core_enable_lines
    call0 hal_unlock
    movi a15, 3
again:
    movi a0, 100
    movi a2, 102
    movi a3, 103
    movi a4, 104
    movi a5, 105
    movi a6, 106
    movi a7, 107
    movi a8, 108
    movi a9, 109
    movi a10, 110
    movi a11, 111
    movi a12, 112
    movi a13, 113
    ssl a12                 /* SAR: 32 - 112 mod 32 */
    movi a14, 0x80
    wsr a14, intset
    rsync
    nop
    nop
    movi a14, 0
    .macro look register, value
    addi \register, \register, -\value
    or a14, a14, \register
    .endm
    look a0, 100
    look a2, 102
    look a3, 103
    look a4, 104
    look a5, 105
    look a6, 106
    look a7, 107
    look a8, 108
    look a9, 109
    look a10, 110
    look a11, 111
    look a12, 112
    look a13, 113
    rsr a2, sar
    addi a2, a2, -16
    or a14, a14, a2
    rsr a2, ps
    addi a2, a2, -0x20      /* user mode, no level masked */
    or a14, a14, a2
    beqz a14, 1f
    movi a3, results
    l32i a2, a3, 12
    addi a2, a2, 1
    s32i a2, a3, 12
1:  addi a15, a15, -1
    bnez a15, again
    movi a3, results
    movi a2, 1
    s32i a2, a3, 0
2:  j 2b
