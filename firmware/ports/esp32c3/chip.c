/* Clocks, watchdogs of the ROM, interrupts. */
#include "chip.h"

#include "hal.h"
#include "registers.h"

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

void chip_enable(uint32_t peripheral) {
    SYSTEM_PERIP_CLK_EN0 |= peripheral;
    SYSTEM_PERIP_RST_EN0 &= ~peripheral;
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
