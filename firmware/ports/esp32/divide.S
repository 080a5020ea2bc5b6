/* 32-bit division and the 64-bit product, for which the LX6 has instructions that Debian's assembler, made for the LX106, does not
 * know: QUOU, QUOS, REMU, REMS and MULUH are written as bytes, first in their function:
 * firmware/stack.py takes such functions as a whole. (Xtensa ISA, "RRR format": op2 op1 r s t op0.) */
    .macro function name
    .section .text.\name, "ax", @progbits
    .align 4
    .globl \name
    .type \name, @function
\name:
    .endm

    function __udivsi3
    .byte 0x30, 0x22, 0xC2  /* quou a2, a2, a3 */
    ret
    .size __udivsi3, . - __udivsi3

    function __divsi3
    .byte 0x30, 0x22, 0xD2  /* quos a2, a2, a3 */
    ret
    .size __divsi3, . - __divsi3

    function __umodsi3
    .byte 0x30, 0x22, 0xE2  /* remu a2, a2, a3 */
    ret
    .size __umodsi3, . - __umodsi3

    function __modsi3
    .byte 0x30, 0x22, 0xF2  /* rems a2, a2, a3 */
    ret
    .size __modsi3, . - __modsi3

    function __muldi3
    .byte 0x40, 0x62, 0xA2  /* muluh a6, a2, a4 */
    mull a7, a3, a4
    add a6, a6, a7
    mull a7, a2, a5
    add a3, a6, a7
    mull a2, a2, a4
    ret
    .size __muldi3, . - __muldi3
