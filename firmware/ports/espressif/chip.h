/* What the parts of a bare-metal port tell each other. In this folder is what Espressif's chips share: UART, flash, watchdog and
 * resets differ in nothing but registers.h. */
#ifndef CHIP_H
#define CHIP_H

#include <stdbool.h>
#include <stdint.h>

/* Clocks, watchdogs of the ROM off, interrupts routed but masked. */
void chip_init(void);

/* Passes some time, for hardware that is known to need it: asking it all the while would keep the bus busy. At least `us` at
 * 160 MHz. */
void chip_delay_us(uint32_t us);

/* Clock on, reset off: one of SYSTEM_*. */
void chip_enable(uint32_t peripheral);

/* Routes a source of the interrupt matrix to a line of the CPU. */
void chip_route(uint32_t source, uint32_t line);

/* Interrupts off; gives what chip_interrupts_restore takes. */
uint32_t chip_interrupts_off(void);
void chip_interrupts_restore(uint32_t state);

/* A slice of code and constants held against their CRC; all of them. Ends in hal_fatal where a bit has turned over. */
void image_check(void);
void image_check_all(void);

void spi_init(void);
void uart_init(void);
void uart_interrupt(unsigned port);
void tick_interrupt(void);

/* From start.S: an interrupt, as the core tells of it (RISC-V: mcause; Xtensa: a bit for each open line that asks); an exception, with
 * its cause, the address of the instruction, and the address that it would have used, if any. */
void trap(uint32_t cause);
_Noreturn void exception(uint32_t cause, uint32_t pc, uint32_t value);

#endif
