/* The system timer: time, and the tick of acquisition. */
#include "chip.h"

#include "hal.h"
#include "registers.h"

#define POLLS 1000u /* a snapshot takes a few cycles */

static void (*tick)(void *);
static void *tick_context;

uint64_t hal_time_us(void) {
    uint32_t state = chip_interrupts_off(); /* the snapshot is one for all */
    SYSTIMER_UNIT0_OP = SYSTIMER_UPDATE;
    for (uint32_t i = 0; i < POLLS && !(SYSTIMER_UNIT0_OP & SYSTIMER_VALID); i++) {
    }
    uint32_t low = SYSTIMER_UNIT0_LO, high = SYSTIMER_UNIT0_HI;
    chip_interrupts_restore(state);
    return ((uint64_t)high << 32 | low) / SYSTIMER_TICKS_PER_US;
}

void hal_tick_start(uint32_t period_us, void (*function)(void *context), void *context) {
    tick = function;
    tick_context = context;
    SYSTIMER_TARGET0_CONF = SYSTIMER_PERIOD_MODE | period_us * SYSTIMER_TICKS_PER_US;
    SYSTIMER_COMP0_LOAD = 1;
    SYSTIMER_CONF |= SYSTIMER_TARGET0_WORK_EN;
    SYSTIMER_INT_CLR = 1;
    SYSTIMER_INT_ENA = 1;
    chip_route(SOURCE_SYSTIMER_TARGET0, LINE_TICK);
    chip_interrupts_restore(8);
}

void tick_interrupt(void) {
    SYSTIMER_INT_CLR = 1;
    tick(tick_context);
}
