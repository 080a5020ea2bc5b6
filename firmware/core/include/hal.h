/* What a port gives the core: the only way from the core to hardware. A port defines all of these functions. */
#ifndef HAL_H
#define HAL_H

#include <stddef.h>
#include <stdint.h>

#define HAL_UART_CONSOLE 0u /* frames, logs, commands */
#define HAL_UART_HCI 1u     /* Bluetooth HCI packets (H4) */
#define HAL_SPI_BYTES 64u   /* longest SPI transfer */

/* Why the chip started. */
enum hal_reset_cause {
    HAL_RESET_POWER = 0,
    HAL_RESET_SOFTWARE = 1,
    HAL_RESET_WATCHDOG = 2,
    HAL_RESET_BROWNOUT = 3,
    HAL_RESET_OTHER = 4
};

/* One full-duplex transfer with chip select `device` low throughout: the `count` bytes (1 .. HAL_SPI_BYTES) are sent, and
 * replaced by those received. Only the first `sent` of them matter to the device; a port need not send the rest as
 * given. Returns 0, ERROR_ARGUMENT or ERROR_TIMEOUT. */
int hal_spi_transfer(unsigned device, uint8_t *bytes, size_t count, size_t sent);

/* Sends all bytes; waits where the transmitter is full, for a bounded time. On HAL_UART_HCI every call is one whole packet.
 * Returns 0 or ERROR_TIMEOUT. */
int hal_uart_write(unsigned port, const uint8_t *bytes, size_t count);

/* Takes up to `room` bytes that have arrived. Returns how many. */
size_t hal_uart_read(unsigned port, uint8_t *bytes, size_t room);

/* Microseconds since the start. Never goes back. */
uint64_t hal_time_us(void);

/* From now on `tick(context)` is called every `period_us` (1000 .. 1000000), by an interrupt or a task of higher priority than
 * the main loop; it may come at any point of it, but never while an earlier call still runs. */
void hal_tick_start(uint32_t period_us, void (*tick)(void *context), void *context);

/* Keeps the tick away from here to hal_unlock; short stretches only, not nested. */
void hal_lock(void);
void hal_unlock(void);

/* Sleeps until an interrupt or, on an operating system, until there is something to do. May return early. */
void hal_wait_for_event(void);

/* The part of flash set aside for the core: HAL_FLASH_SECTORS sectors, offsets from its beginning. Erased bytes read 0xFF;
 * programming turns ones to zeros. Return 0, ERROR_ARGUMENT, ERROR_FLASH or ERROR_TIMEOUT. */
#define HAL_FLASH_SECTOR_BYTES 4096u
#define HAL_FLASH_SECTORS 2u
int hal_flash_read(uint32_t offset, uint8_t *bytes, size_t count);
int hal_flash_program(uint32_t offset, const uint8_t *bytes, size_t count);
int hal_flash_erase_sector(uint32_t offset);

/* The chip restarts unless hal_watchdog_feed is called at least every `timeout_ms`. */
void hal_watchdog_start(uint32_t timeout_ms);
void hal_watchdog_feed(void);

enum hal_reset_cause hal_reset_cause(void);

/* The chip's own MAC address, the most significant byte first. */
void hal_mac_address(uint8_t address[6]);

/* Restarts the chip. */
_Noreturn void hal_reboot(void);

/* Says what broke on the console and restarts the chip. */
_Noreturn void hal_fatal(const char *what, uint32_t detail);

#endif
