/* Watchdogs, resets, and what is left to do when all is lost. */
#include "chip.h"

#include "hal.h"
#include "line.h"
#include "registers.h"

#define FATAL_WAIT_US 2000000u
#define FATAL_STEP_US 10000u

void hal_watchdog_start(uint32_t timeout_ms) {
    RTC_WDT_PROTECT = RTC_WDT_KEY;
    RTC_WDT_CONFIG0 = 0;
    RTC_WDT_CONFIG1 = timeout_ms * SLOW_CLOCK_KHZ / RTC_WDT_STAGE0_FACTOR;
    RTC_WDT_CONFIG0 = RTC_WDT_EN | RTC_WDT_STAGE0_SYSTEM | RTC_WDT_SYS_LENGTH;
    RTC_WDT_FEED = RTC_WDT_FEED_NOW;
    RTC_WDT_PROTECT = 0;
}

void hal_watchdog_feed(void) {
    RTC_WDT_PROTECT = RTC_WDT_KEY;
    RTC_WDT_FEED = RTC_WDT_FEED_NOW;
    RTC_WDT_PROTECT = 0;
}

enum hal_reset_cause hal_reset_cause(void) {
    switch (RTC_RESET_STATE & 63u) { /* the manuals' reset codes, alike on both chips as far as they go */
    case 1:
        return HAL_RESET_POWER;
    case 3:
    case 12:
        return HAL_RESET_SOFTWARE;
    case 7:
    case 8:
    case 9:
    case 11:
    case 13:
    case 16:
    case 17:
    case 18:
        return HAL_RESET_WATCHDOG;
    case 15:
        return HAL_RESET_BROWNOUT;
    default:
        return HAL_RESET_OTHER;
    }
}

_Noreturn void hal_reboot(void) {
    (void)chip_interrupts_off();
    RTC_OPTIONS0 |= RTC_SW_SYS_RST;
    for (;;) { /* the reset takes a few cycles */
    }
}

static void line_word32(struct line *line, uint32_t value) {
    uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
    line_hex(line, bytes, sizeof bytes);
}

/* Sends the line, which says what broke, and restarts the chip. */
static _Noreturn void die(struct line *line) {
    (void)chip_interrupts_off();
    line_send(line);
    /* A device that starts again and again must not wear out its flash. */
    for (uint32_t waited = 0; waited < FATAL_WAIT_US; waited += FATAL_STEP_US) {
        hal_watchdog_feed();
        chip_delay_us(FATAL_STEP_US);
    }
    hal_reboot();
}

_Noreturn void hal_fatal(const char *what, uint32_t detail) {
    struct line line = {0};
    line_text(&line, "fatal ");
    line_text(&line, what);
    line_text(&line, " ");
    line_word32(&line, detail);
    die(&line);
}

/* Should this fail in its turn, it is entered again, and the watchdog ends it. */
_Noreturn void exception(uint32_t cause, uint32_t pc, uint32_t value) {
    struct line line = {0};
    line_text(&line, "fatal exception");
    line_value(&line, "cause", (int32_t)cause);
    line_word(&line, "at ");
    line_word32(&line, pc);
    line_word(&line, "value ");
    line_word32(&line, value);
    die(&line);
}
