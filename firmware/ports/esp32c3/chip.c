/* Clocks, resets, watchdogs, interrupts. */
#include "chip.h"

#include "hal.h"
#include "line.h"
#include "registers.h"

#define SLOW_CLOCK_KHZ 136u /* RC_SLOW_CLK, which counts for the RTC watchdog (TRM 6) */
#define FATAL_WAIT_US 2000000u
#define FATAL_STEP_US 10000u
#define MSTATUS_MIE 8u

/* 160 MHz from the 480 MHz PLL, which the ROM leaves running for its USB port; else the CPU runs at 20 MHz. */
static void speed_up(void) {
    SYSTEM_CPU_PER_CONF = (SYSTEM_CPU_PER_CONF & ~7u) | 5u;
    SYSTEM_SYSCLK_CONF = (SYSTEM_SYSCLK_CONF & ~(3u << 10)) | 1u << 10;
}

/* The ROM leaves two watchdogs armed against an image that does not start, and a third that nobody feeds. */
static void stop_rom_watchdogs(void) {
    TIMG0_WDT_PROTECT = TIMG_WDT_KEY;
    TIMG0_WDT_CONFIG0 = 0;
    TIMG0_WDT_PROTECT = 0;
    RTC_WDT_PROTECT = RTC_WDT_KEY;
    RTC_WDT_CONFIG0 = 0;
    RTC_WDT_PROTECT = 0;
    RTC_SWD_PROTECT = RTC_SWD_KEY;
    RTC_SWD_CONF |= RTC_SWD_AUTO_FEED;
    RTC_SWD_PROTECT = 0;
}

void chip_delay_us(uint32_t us) {
    for (uint32_t i = 0; i < us * 80u; i++) { /* two instructions and more a turn */
        __asm__ volatile("");
    }
}

void chip_route(uint32_t source, uint32_t line) {
    INTERRUPT_MAP(source) = line;
    INTERRUPT_PRIORITY(line) = 5;
    INTERRUPT_ENABLE |= 1u << line;
}

void chip_init(void) {
    stop_rom_watchdogs();
    speed_up();
    INTERRUPT_THRESHOLD = 1;
    spi_init();
    uart_init();
}

uint32_t chip_interrupts_off(void) {
    uint32_t before;
    __asm__ volatile("csrrci %0, mstatus, 8" : "=r"(before)::"memory");
    return before;
}

void chip_interrupts_restore(uint32_t state) {
    if (state & MSTATUS_MIE) {
        __asm__ volatile("csrsi mstatus, 8" ::: "memory");
    }
}

void hal_lock(void) { (void)chip_interrupts_off(); }

void hal_unlock(void) { chip_interrupts_restore(MSTATUS_MIE); }

void hal_wait_for_event(void) { __asm__ volatile("wfi" ::: "memory"); }

void trap(uint32_t cause) {
    switch (cause) {
    case 0x80000000u + LINE_TICK:
        tick_interrupt();
        return;
    case 0x80000000u + LINE_UART0:
        uart_interrupt(HAL_UART_CONSOLE);
        return;
    case 0x80000000u + LINE_UART1:
        uart_interrupt(HAL_UART_HCI);
        return;
    default:
        hal_fatal("interrupt", cause);
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

void hal_watchdog_start(uint32_t timeout_ms) {
    RTC_WDT_PROTECT = RTC_WDT_KEY;
    RTC_WDT_CONFIG0 = 0;
    /* The first stage counts twice as long as it is told (eFuse WDT_DELAY_SEL at its default, 0). */
    RTC_WDT_CONFIG1 = timeout_ms * SLOW_CLOCK_KHZ / 2u;
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
    switch (RTC_RESET_STATE & 63u) { /* TRM 9, reset codes */
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

void hal_mac_address(uint8_t address[6]) {
    uint32_t high = EFUSE_RD_MAC_SPI_SYS_1, low = EFUSE_RD_MAC_SPI_SYS_0;
    for (unsigned i = 0; i < 6; i++) {
        address[i] = (uint8_t)(i < 2 ? high >> 8 * (1 - i) : low >> 8 * (5 - i));
    }
}

_Noreturn void hal_reboot(void) {
    (void)chip_interrupts_off();
    RTC_OPTIONS0 |= RTC_SW_SYS_RST;
    for (;;) { /* the reset takes a few cycles */
    }
}

_Noreturn void hal_fatal(const char *what, uint32_t detail) {
    struct line line = {0};
    line_text(&line, "fatal ");
    line_text(&line, what);
    line_text(&line, " ");
    line_word32(&line, detail);
    die(&line);
}
