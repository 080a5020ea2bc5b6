/* The little of an ESP32-C3 that the test programs need. */
#pragma once
#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(address))
#define UART0 0x60000000u
#define UART1 0x60010000u
#define SPI1 0x60002000u
#define GPIO 0x60004000u
#define RTC 0x60008000u
#define TIMG0 0x6001F000u
#define SYSTIMER 0x60023000u
#define SPI2 0x60024000u
#define INTERRUPTS 0x600C2000u

enum { SYSTIMER_SOURCE = 37, UART1_SOURCE = 22, SPI2_SOURCE = 19, FROM_CPU_SOURCE = 50, TG0_WDT_SOURCE = 33 };

extern volatile uint32_t ticks;
uint32_t trap(uint32_t cause, uint32_t epc);

static inline void put(char c)
{
    while ((REG(UART0 + 0x1C) >> 16 & 0x3FF) >= 126) {
    }
    REG(UART0) = (uint8_t)c;
}
static inline void text(const char *s)
{
    while (*s) {
        put(*s++);
    }
}
static inline void hex(uint32_t value)
{
    for (int i = 28; i >= 0; i -= 4) {
        put("0123456789abcdef"[value >> i & 15]);
    }
}
static inline void line(const char *name, uint32_t value)
{
    text(name);
    put(' ');
    hex(value);
    put('\n');
}
static inline void wait(void)
{
    __asm__ volatile("wfi");
}
static inline void interrupts_on(void)
{
    __asm__ volatile("csrsi mstatus, 8");
}
static inline uint64_t now(void)
{
    REG(SYSTIMER + 0x04) = 1u << 30;
    while (!(REG(SYSTIMER + 0x04) & 1u << 29)) {
    }
    return (uint64_t)REG(SYSTIMER + 0x40) << 32 | REG(SYSTIMER + 0x44);
}
static inline void route(uint32_t source, uint32_t line_number, uint32_t priority)
{
    REG(INTERRUPTS + 4 * source) = line_number;
    REG(INTERRUPTS + 0x114 + 4 * line_number) = priority;
    REG(INTERRUPTS + 0x104) |= 1u << line_number;
    REG(INTERRUPTS + 0x194) = 1;
}
static inline void every(uint32_t period_us)
{
    route(SYSTIMER_SOURCE, 7, 5);
    REG(SYSTIMER + 0x34) = 1u << 30 | period_us * 16;
    REG(SYSTIMER + 0x50) = 1;
    REG(SYSTIMER + 0x64) = 1;
    REG(SYSTIMER) |= 1u << 24;
}
static inline void spi_init(void)
{
    REG(SPI2 + 0xE8) = 7;                           /* clock on, 80 MHz */
    REG(SPI2 + 0x0C) = 7u << 12 | 3u << 6 | 7u;     /* 10 MHz */
    REG(SPI2 + 0x10) = 1u << 27 | 1u;               /* full duplex, data only */
}
static inline void spi_select(uint32_t n)
{
    REG(SPI2 + 0x20) = 0x3F & ~(1u << n);
}
static inline void spi(uint8_t *bytes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 4) {
        REG(SPI2 + 0x98 + i) = bytes[i] | (uint32_t)bytes[i + 1] << 8 | (uint32_t)bytes[i + 2] << 16 | (uint32_t)bytes[i + 3] << 24;
    }
    REG(SPI2 + 0x1C) = 8 * n - 1;
    REG(SPI2) = 1u << 23;
    while (REG(SPI2) & 1u << 23) {
    }
    REG(SPI2) = 1u << 24;
    while (REG(SPI2) & 1u << 24) {
    }
    for (uint32_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)(REG(SPI2 + 0x98 + i / 4 * 4) >> 8 * (i % 4));
    }
}
static inline uint8_t imu_read(uint8_t address)
{
    uint8_t bytes[4] = {0x80 | address};
    spi(bytes, 2);
    return bytes[1];
}
static inline void imu_write(uint8_t address, uint8_t value)
{
    uint8_t bytes[4] = {address, value};
    spi(bytes, 2);
}
