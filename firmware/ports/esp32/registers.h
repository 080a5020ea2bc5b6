/* Every register of the ESP32 that this port touches; nothing else may be written or read.
 * Addresses and bits: ESP32 Technical Reference Manual, chapter named at each block; cross-checked with Espressif's SVD file. */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* UART controller (TRM 13); UART0 is the console, UART1 carries HCI. The FIFO is read through the peripheral bus and written through
 * the other one: of writes in a row to one address the peripheral bus may lose some (errata 3.3), and reads ahead on the other
 * would take bytes. */
#define UART0_BASE 0x3FF40000u
#define UART1_BASE 0x3FF50000u
#define UART_FIFO(base) REGISTER((base) + 0x00u)
#define UART_FIFO_IN(base) REGISTER((base) + 0x200C0000u)
#define UART_INT_ENA(base) REGISTER((base) + 0x0Cu)
#define UART_INT_CLR(base) REGISTER((base) + 0x10u)
#define UART_CLKDIV(base) REGISTER((base) + 0x14u)
#define UART_STATUS(base) REGISTER((base) + 0x1Cu)
#define UART_CONF1(base) REGISTER((base) + 0x24u)
#define UART_MEM_RX_STATUS(base) REGISTER((base) + 0x60u)
#define UART_RXFIFO_FULL (1u << 0)
#define UART_RXFIFO_TOUT (1u << 8)
#define UART_FIFO_SIZE 128u
#define UART_UNSENT(base) (UART_STATUS(base) >> 16 & 0xFFu) /* bytes that wait to be sent */
#define UART_CONF1_RECEIVE(fill) (1u << 31 | 2u << 24 | (fill)) /* an interrupt at so many bytes, or after a pause of two */
#define UART_DIVIDER (694u | 7u << 20)                          /* 115,200 baud of the 80 MHz bus clock: 694 and 7/16 */

/* Bytes that wait to be read: by the FIFO's ends, since STATUS does not follow reads through the peripheral bus. */
static inline uint32_t uart_received(uint32_t base) {
    uint32_t ends = UART_MEM_RX_STATUS(base), read = ends >> 2 & 0x7FFu, write = ends >> 13 & 0x7FFu;
    if (read == write) {
        return UART_STATUS(base) & 0xFFu ? UART_FIFO_SIZE : 0u;
    }
    return (write - read) & (UART_FIFO_SIZE - 1u);
}
#define UART_RECEIVED(base) uart_received(base)

/* Flash controller SPI1 (TRM 7): one user-defined transaction at a time. */
#define FLASH_CMD REGISTER(0x3FF42000u)
#define FLASH_ADDR REGISTER(0x3FF42004u)
#define FLASH_CTRL REGISTER(0x3FF42008u)
#define FLASH_USER REGISTER(0x3FF4201Cu)
#define FLASH_USER1 REGISTER(0x3FF42020u)
#define FLASH_USER2 REGISTER(0x3FF42024u)
#define FLASH_MOSI_DLEN REGISTER(0x3FF42028u)
#define FLASH_MISO_DLEN REGISTER(0x3FF4202Cu)
#define FLASH_W(n) REGISTER(0x3FF42080u + 4u * (n)) /* n 0 .. 15 */
#define FLASH_ONE_BIT_WIDE() (FLASH_CTRL &= ~(1u << 24 | 1u << 23 | 1u << 20 | 1u << 14 | 1u << 13)) /* no QIO, DIO, QUAD, DUAL */
#define FLASH_ADDRESS(address) ((address) << 8) /* 24 bits, sent from the top */
#define FLASH_CMD_USR (1u << 18)
#define FLASH_USER_COMMAND (1u << 31)
#define FLASH_USER_ADDR (1u << 30)
#define FLASH_USER_MISO (1u << 28)
#define FLASH_USER_MOSI (1u << 27)

/* GPIO matrix and IO MUX (TRM 4). */
#define GPIO_ENABLE_W1TS REGISTER(0x3FF44024u)
#define GPIO_FUNC_IN_SEL(signal) REGISTER(0x3FF44130u + 4u * (signal))
#define GPIO_FUNC_OUT_SEL(pin) REGISTER(0x3FF44530u + 4u * (pin))
#define GPIO_IN_BY_MATRIX (1u << 7) /* of FUNC_IN_SEL */
#define IO_MUX_GPIO5 REGISTER(0x3FF4906Cu)
#define IO_MUX_GPIO18 REGISTER(0x3FF49070u)
#define IO_MUX_GPIO19 REGISTER(0x3FF49074u)
#define IO_MUX_GPIO21 REGISTER(0x3FF4907Cu)
#define IO_MUX_GPIO22 REGISTER(0x3FF49080u)
#define IO_MUX_GPIO23 REGISTER(0x3FF4908Cu)
#define IO_MUX_INPUT (1u << 9)
#define IO_MUX_DRIVE_20_MA (2u << 10)
#define IO_MUX_FUNCTION(n) ((n) << 12)

/* Low-power management: resets and the RTC watchdog (TRM 9.2, 11.3, 31). */
#define RTC_OPTIONS0 REGISTER(0x3FF48000u)
#define RTC_RESET_STATE REGISTER(0x3FF48034u)
#define RTC_WDT_CONFIG0 REGISTER(0x3FF4808Cu)
#define RTC_WDT_CONFIG1 REGISTER(0x3FF48090u)
#define RTC_WDT_FEED REGISTER(0x3FF480A0u)
#define RTC_WDT_PROTECT REGISTER(0x3FF480A4u)
#define RTC_SW_SYS_RST (1u << 31)       /* of OPTIONS0 */
#define RTC_WDT_EN (1u << 31)           /* of CONFIG0 */
#define RTC_WDT_STAGE0_SYSTEM (3u << 28) /* stage 0 resets the system */
#define RTC_WDT_SYS_LENGTH (7u << 11)
#define RTC_WDT_FEED_NOW (1u << 31)
#define RTC_WDT_KEY 0x50D83AA1u
#define RTC_WDT_STAGE0_FACTOR 1u
#define SLOW_CLOCK_KHZ 150u /* RTC_SLOW_CLK, which counts for this watchdog (TRM 3) */

/* eFuse controller (TRM 20): the MAC address, its last four bytes and its first two. */
#define EFUSE_MAC_LOW REGISTER(0x3FF5A004u)
#define EFUSE_MAC_HIGH REGISTER(0x3FF5A008u)

/* Timer group 0 (TRM 18): timer 0 ticks, timer 1 tells the time; and its watchdog, which the boot loader leaves running. */
#define TIMG0_T0_CONFIG REGISTER(0x3FF5F000u)
#define TIMG0_T0_ALARM_LO REGISTER(0x3FF5F010u)
#define TIMG0_T0_ALARM_HI REGISTER(0x3FF5F014u)
#define TIMG0_T0_LOAD_LO REGISTER(0x3FF5F018u)
#define TIMG0_T0_LOAD_HI REGISTER(0x3FF5F01Cu)
#define TIMG0_T0_LOAD REGISTER(0x3FF5F020u)
#define TIMG0_T1_CONFIG REGISTER(0x3FF5F024u)
#define TIMG0_T1_LO REGISTER(0x3FF5F028u)
#define TIMG0_T1_HI REGISTER(0x3FF5F02Cu)
#define TIMG0_T1_UPDATE REGISTER(0x3FF5F030u)
#define TIMG0_WDT_CONFIG0 REGISTER(0x3FF5F048u)
#define TIMG0_WDT_PROTECT REGISTER(0x3FF5F064u)
#define TIMG0_INT_ENA REGISTER(0x3FF5F098u)
#define TIMG0_INT_CLR REGISTER(0x3FF5F0A4u)
#define TIMG_WDT_KEY 0x50D83AA1u
#define TIMG_T0 (1u << 0)                /* of INT_ENA, INT_CLR */
#define TIMG_UPDATE (1u << 31)           /* of UPDATE, until it is done */
#define TIMG_EN (1u << 31)               /* of CONFIG */
#define TIMG_INCREASE (1u << 30)
#define TIMG_AUTORELOAD (1u << 29)
#define TIMG_PER_US (80u << 13)          /* divides the 80 MHz bus clock */
#define TIMG_LEVEL_INT_EN (1u << 11)
#define TIMG_ALARM_EN (1u << 10)

/* General-purpose SPI2 (TRM 7). */
#define SPI2_CMD REGISTER(0x3FF64000u)
#define SPI2_CLOCK REGISTER(0x3FF64018u)
#define SPI2_USER REGISTER(0x3FF6401Cu)
#define SPI2_MOSI_DLEN REGISTER(0x3FF64028u)
#define SPI2_MISO_DLEN REGISTER(0x3FF6402Cu)
#define SPI2_PIN REGISTER(0x3FF64034u)
#define SPI2_W(n) REGISTER(0x3FF64080u + 4u * (n)) /* n 0 .. 15 */
#define SPI2_CMD_USR (1u << 18)
#define SPI2_USER_MOSI (1u << 27)
#define SPI2_USER_MISO (1u << 28)
#define SPI2_USER_DOUTDIN (1u << 0) /* full duplex */
#define SPI2_CS_ALL_OFF 7u          /* of PIN: one disable bit a chip select */

/* DPORT: clocks and the interrupt matrix of core 0 (TRM 3, 5). */
#define DPORT_CPU_PER_CONF REGISTER(0x3FF0003Cu)
#define DPORT_PERIP_CLK_EN REGISTER(0x3FF000C0u)
#define DPORT_PERIP_RST_EN REGISTER(0x3FF000C4u)
#define INTERRUPT_MAP(source) REGISTER(0x3FF00104u + 4u * (source))
#define SYSTEM_UART1 (1u << 5)
#define SYSTEM_SPI2 (1u << 6)
#define SYSTEM_TIMERGROUP (1u << 13)
#define LINE_TICK 2u /* lines of the CPU: any of level 1 that follow the source's level */
#define LINE_UART0 12u
#define LINE_UART1 13u
#define SOURCE_TG0_T0 14u
#define SOURCE_UART0 34u
#define SOURCE_UART1 35u

#endif
