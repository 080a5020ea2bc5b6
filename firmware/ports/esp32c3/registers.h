/* Every register of the ESP32-C3 that this port touches; nothing else may be written or read.
 * Addresses and bits: ESP32-C3 Technical Reference Manual, chapter named at each block; cross-checked with Espressif's SVD file. */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* UART controller (TRM 26); UART0 is the console, UART1 carries HCI. */
#define UART0_BASE 0x60000000u
#define UART1_BASE 0x60010000u
#define UART_FIFO(base) REGISTER((base) + 0x00u)
#define UART_FIFO_IN(base) UART_FIFO(base)
#define UART_INT_ENA(base) REGISTER((base) + 0x0Cu)
#define UART_INT_CLR(base) REGISTER((base) + 0x10u)
#define UART_CLKDIV(base) REGISTER((base) + 0x14u)
#define UART_STATUS(base) REGISTER((base) + 0x1Cu)
#define UART_CONF1(base) REGISTER((base) + 0x24u)
#define UART_RXFIFO_FULL (1u << 0)
#define UART_RXFIFO_TOUT (1u << 8)
#define UART_RECEIVED(base) (UART_STATUS(base) & 0x3FFu) /* bytes that wait to be read, to be sent */
#define UART_UNSENT(base) (UART_STATUS(base) >> 16 & 0x3FFu)
#define UART_CONF1_RECEIVE(fill) (1u << 21 | (fill)) /* an interrupt at so many bytes, or after a pause */
#define UART_DIVIDER (347u | 4u << 20)                 /* 115,200 baud of the 40 MHz crystal: 347 and 4/16 */

/* Flash controller SPI1 (TRM 27, "SPI controller"): one user-defined transaction at a time. */
#define FLASH_CMD REGISTER(0x60002000u)
#define FLASH_ADDR REGISTER(0x60002004u)
#define FLASH_CTRL REGISTER(0x60002008u)
#define FLASH_USER REGISTER(0x60002018u)
#define FLASH_USER1 REGISTER(0x6000201Cu)
#define FLASH_USER2 REGISTER(0x60002020u)
#define FLASH_MOSI_DLEN REGISTER(0x60002024u)
#define FLASH_MISO_DLEN REGISTER(0x60002028u)
#define FLASH_W(n) REGISTER(0x60002058u + 4u * (n)) /* n 0 .. 15 */
#define FLASH_ONE_BIT_WIDE() (FLASH_CTRL = 0) /* in every phase */
#define FLASH_ADDRESS(address) (address)
#define FLASH_CMD_USR (1u << 18)
#define FLASH_USER_COMMAND (1u << 31)
#define FLASH_USER_ADDR (1u << 30)
#define FLASH_USER_MISO (1u << 28)
#define FLASH_USER_MOSI (1u << 27)

/* GPIO matrix and IO MUX (TRM 5). */
#define GPIO_FUNC_OUT_SEL(pin) REGISTER(0x60004554u + 4u * (pin))
#define GPIO_ENABLE_W1TS REGISTER(0x60004024u)
#define IO_MUX_GPIO(pin) REGISTER(0x60009004u + 4u * (pin))
#define IO_MUX_INPUT (1u << 9)
#define IO_MUX_DRIVE_20_MA (2u << 10)
#define IO_MUX_FUNCTION(n) ((n) << 12)

/* Low-power management: resets and the RTC watchdog (TRM 9, 12). */
#define RTC_OPTIONS0 REGISTER(0x60008000u)
#define RTC_RESET_STATE REGISTER(0x60008038u)
#define RTC_WDT_CONFIG0 REGISTER(0x60008090u)
#define RTC_WDT_CONFIG1 REGISTER(0x60008094u)
#define RTC_WDT_FEED REGISTER(0x600080A4u)
#define RTC_WDT_PROTECT REGISTER(0x600080A8u)
#define RTC_SWD_CONF REGISTER(0x600080ACu)
#define RTC_SWD_PROTECT REGISTER(0x600080B0u)
#define RTC_SW_SYS_RST (1u << 31)       /* of OPTIONS0 */
#define RTC_WDT_EN (1u << 31)           /* of CONFIG0 */
#define RTC_WDT_STAGE0_SYSTEM (3u << 28) /* stage 0 resets the system */
#define RTC_WDT_SYS_LENGTH (7u << 13)
#define RTC_WDT_FEED_NOW (1u << 31)
#define RTC_WDT_STAGE0_FACTOR 2u /* the first stage counts so many times what it is told (eFuse WDT_DELAY_SEL at its default, 0) */
#define SLOW_CLOCK_KHZ 136u      /* RC_SLOW_CLK, which counts for this watchdog (TRM 6) */
#define RTC_SWD_AUTO_FEED (1u << 31)
#define RTC_WDT_KEY 0x50D83AA1u
#define RTC_SWD_KEY 0x8F1D312Au

/* eFuse controller (TRM 4): the MAC address, its last four bytes and its first two. */
#define EFUSE_MAC_LOW REGISTER(0x60008844u)
#define EFUSE_MAC_HIGH REGISTER(0x60008848u)

/* Main watchdog of timer group 0, which the ROM leaves running (TRM 12). */
#define TIMG0_WDT_CONFIG0 REGISTER(0x6001F048u)
#define TIMG0_WDT_PROTECT REGISTER(0x6001F064u)
#define TIMG_WDT_KEY 0x50D83AA1u

/* System timer, 16 MHz (TRM 10). */
#define SYSTIMER_CONF REGISTER(0x60023000u)
#define SYSTIMER_UNIT0_OP REGISTER(0x60023004u)
#define SYSTIMER_TARGET0_CONF REGISTER(0x60023034u)
#define SYSTIMER_UNIT0_HI REGISTER(0x60023040u)
#define SYSTIMER_UNIT0_LO REGISTER(0x60023044u)
#define SYSTIMER_COMP0_LOAD REGISTER(0x60023050u)
#define SYSTIMER_INT_ENA REGISTER(0x60023064u)
#define SYSTIMER_INT_CLR REGISTER(0x6002306Cu)
#define SYSTIMER_TARGET0_WORK_EN (1u << 24)
#define SYSTIMER_UPDATE (1u << 30)
#define SYSTIMER_VALID (1u << 29)
#define SYSTIMER_PERIOD_MODE (1u << 30)
#define SYSTIMER_TICKS_PER_US 16u

/* General-purpose SPI2 (TRM 27). */
#define SPI2_CMD REGISTER(0x60024000u)
#define SPI2_CLOCK REGISTER(0x6002400Cu)
#define SPI2_USER REGISTER(0x60024010u)
#define SPI2_MS_DLEN REGISTER(0x6002401Cu)
#define SPI2_MISC REGISTER(0x60024020u)
#define SPI2_W(n) REGISTER(0x60024098u + 4u * (n)) /* n 0 .. 15 */
#define SPI2_CLK_GATE REGISTER(0x600240E8u)
#define SPI2_CMD_UPDATE (1u << 23)
#define SPI2_CMD_USR (1u << 24)
#define SPI2_USER_MOSI (1u << 27)
#define SPI2_USER_DOUTDIN (1u << 0) /* full duplex */
#define SPI2_CS_ALL_OFF 0x3Fu       /* of MISC: one disable bit a chip select */

/* System registers (TRM 16). */
#define SYSTEM_CPU_PER_CONF REGISTER(0x600C0008u)
#define SYSTEM_PERIP_CLK_EN0 REGISTER(0x600C0010u)
#define SYSTEM_PERIP_RST_EN0 REGISTER(0x600C0018u)
#define SYSTEM_SYSCLK_CONF REGISTER(0x600C0058u)
#define SYSTEM_UART1 (1u << 5)
#define SYSTEM_SPI2 (1u << 6)

/* Interrupt matrix (TRM 8). */
#define INTERRUPT_MAP(source) REGISTER(0x600C2000u + 4u * (source))
#define INTERRUPT_ENABLE REGISTER(0x600C2104u)
#define INTERRUPT_PRIORITY(line) REGISTER(0x600C2114u + 4u * (line))
#define INTERRUPT_THRESHOLD REGISTER(0x600C2194u)
#define LINE_TICK 7u /* lines of the CPU: which is which is free */
#define LINE_UART0 12u
#define LINE_UART1 13u
#define SOURCE_UART0 21u
#define SOURCE_UART1 22u
#define SOURCE_SYSTIMER_TARGET0 37u

#endif
