/* Timer group 0: time, and the tick of acquisition. */
#include "chip.h"

#include "core.h"
#include "hal.h"
#include "registers.h"

#define POLLS 100u /* an update takes a few cycles */

static void (*tick)(void *);
static void *tick_context;

void tick_init(void) {
    chip_enable(SYSTEM_TIMERGROUP);
    TIMG0_T1_CONFIG = TIMG_EN | TIMG_INCREASE | TIMG_PER_US;
}

uint64_t hal_time_us(void) {
    uint32_t state = chip_interrupts_off(); /* the snapshot is one for all */
    TIMG0_T1_UPDATE = TIMG_UPDATE;
    for (uint32_t i = 0; i < POLLS && TIMG0_T1_UPDATE & TIMG_UPDATE; i++) {
    }
    uint32_t low = TIMG0_T1_LO, high = TIMG0_T1_HI;
    chip_interrupts_restore(state);
    return (uint64_t)high << 32 | low;
}

void hal_tick_start(uint32_t period_us, void (*function)(void *context), void *context) {
    tick = function;
    tick_context = context;
    TIMG0_T0_CONFIG = TIMG_INCREASE | TIMG_AUTORELOAD | TIMG_PER_US;
    TIMG0_T0_ALARM_LO = period_us;
    TIMG0_T0_ALARM_HI = 0;
    TIMG0_T0_LOAD_LO = 0;
    TIMG0_T0_LOAD_HI = 0;
    TIMG0_T0_LOAD = 1;
    TIMG0_INT_CLR = TIMG_T0;
    TIMG0_INT_ENA = TIMG_T0;
    TIMG0_T0_CONFIG |= TIMG_EN | TIMG_LEVEL_INT_EN | TIMG_ALARM_EN;
    chip_route(SOURCE_TG0_T0, LINE_TICK);
    hal_unlock();
}

void tick_interrupt(void) {
    TIMG0_INT_CLR = TIMG_T0;
    TIMG0_T0_CONFIG |= TIMG_ALARM_EN; /* every alarm switches it off */
    tick(tick_context);
}
