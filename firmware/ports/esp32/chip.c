/* Clocks, watchdogs of the boot loader, interrupts. */
#include "chip.h"

#include "core.h"
#include "hal.h"
#include "registers.h"

/* 160 MHz from the PLL that the boot loader has started; on the crystal alone this changes nothing. */
static void speed_up(void) { DPORT_CPU_PER_CONF = (DPORT_CPU_PER_CONF & ~3u) | 1u; }

/* ROM and boot loader leave two watchdogs armed against an image that does not start. */
static void stop_boot_watchdogs(void) {
    TIMG0_WDT_PROTECT = TIMG_WDT_KEY;
    TIMG0_WDT_CONFIG0 = 0;
    TIMG0_WDT_PROTECT = 0;
    RTC_WDT_PROTECT = RTC_WDT_KEY;
    RTC_WDT_CONFIG0 = 0;
    RTC_WDT_PROTECT = 0;
}

void chip_delay_us(uint32_t us) {
    for (uint32_t i = 0; i < us * 80u; i++) { /* two instructions and more a turn */
        __asm__ volatile("");
    }
}

void chip_enable(uint32_t peripheral) {
    DPORT_PERIP_CLK_EN |= peripheral;
    DPORT_PERIP_RST_EN &= ~peripheral;
}

void chip_route(uint32_t source, uint32_t line) {
    INTERRUPT_MAP(source) = line;
    core_enable_lines(1u << line);
}

void chip_init(void) {
    stop_boot_watchdogs();
    speed_up();
    tick_init();
    spi_init();
    uart_init();
}

void trap(uint32_t lines) {
    if (lines & 1u << LINE_TICK) {
        tick_interrupt();
    }
    if (lines & 1u << LINE_UART0) {
        uart_interrupt(HAL_UART_CONSOLE);
    }
    if (lines & 1u << LINE_UART1) {
        uart_interrupt(HAL_UART_HCI);
    }
}
