/* The whole core under a fuzzer: what comes over UART, SPI and from flash is the fuzzer's; nothing may crash, hang or leave the
 * state invalid. With STANDALONE a main of its own mutates seeds, for compilers without libFuzzer. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "errors.h"
#include "hal.h"

#define TICKS 80
#define TICK_US 20000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input;
static size_t left;
static uint8_t mode, flash[HAL_FLASH_SECTORS * HAL_FLASH_SECTOR_BYTES], registers[128];
static uint64_t now_us;
static jmp_buf end;
static void (*tick)(void *);
static void *tick_context;

static uint8_t next(void) { return left ? (left--, *input++) : 0; }

/* Mode bit 0: the sensor answers nonsense; else it is one, whose samples and counts are the fuzzer's. */
int hal_spi_transfer(unsigned device, uint8_t *bytes, size_t count, size_t sent) {
    uint8_t address = bytes[0] & 0x7F;
    if (device > 2 || count < 1 || count > HAL_SPI_BYTES || sent > count) {
        abort();
    }
    if (mode & 1) {
        for (size_t i = 0; i < count; i++) {
            bytes[i] = next();
        }
        return next() > 250 ? ERROR_TIMEOUT : 0;
    }
    if (!(bytes[0] & 0x80)) {
        registers[address] = bytes[1];
        return 0;
    }
    for (size_t i = 1; i < count; i++) {
        size_t at = address + i - 1;
        bytes[i] = address == 0x0F   ? 0x6C
                   : address == 0x3A ? (i == 1 ? 67 : next() & 0x40)
                   : address == 0x78 ? ((i - 1) % 7 ? next() : next() > 252 ? next() : 0x10)
                   : at < 128        ? registers[at]
                                     : 0;
    }
    return 0;
}

int hal_uart_write(unsigned port, const uint8_t *bytes, size_t count) {
    if (port > 1 || count > 160 || (port == 0 && memchr(bytes, '=', count))) {
        abort();
    }
    return 0;
}

size_t hal_uart_read(unsigned port, uint8_t *bytes, size_t room) {
    size_t count = 0;
    for (size_t most = next() % (port ? 20u : 70u); left && count < room && count < most; count++) {
        bytes[count] = next();
    }
    return count;
}

uint64_t hal_time_us(void) { return now_us += 3; }

void hal_tick_start(uint32_t period_us, void (*function)(void *), void *context) {
    if (period_us < 1000 || period_us > 50000) {
        abort();
    }
    tick = function;
    tick_context = context;
}

void hal_lock(void) {}
void hal_unlock(void) {}

void hal_wait_for_event(void) {
    now_us += TICK_US;
    tick(tick_context);
}

int hal_flash_read(uint32_t offset, uint8_t *bytes, size_t count) {
    memcpy(bytes, flash + offset, count);
    return 0;
}

int hal_flash_program(uint32_t offset, const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        flash[offset + i] &= bytes[i];
    }
    return 0;
}

int hal_flash_erase_sector(uint32_t offset) {
    memset(flash + offset, 0xFF, HAL_FLASH_SECTOR_BYTES);
    return mode & 8 ? ERROR_FLASH : 0;
}

void hal_watchdog_start(uint32_t timeout_ms) { (void)timeout_ms; }
void hal_watchdog_feed(void) {}
enum hal_reset_cause hal_reset_cause(void) { return HAL_RESET_POWER; }
void hal_mac_address(uint8_t address[6]) { memset(address, 0x2A, 6); }
_Noreturn void hal_reboot(void) { longjmp(end, 1); }

_Noreturn void hal_fatal(const char *what, uint32_t detail) {
    fprintf(stderr, "%s %u\n", what, detail);
    abort();
}

static void check(const struct app *app) {
    if (config_check(&app->config) >= 0 || config_check(&app->store.config) >= 0 || app->command_used >= COMMAND_BYTES ||
        app->alerts.machine.alert >= model_description.class_count || app->broadcaster.waiting > BROADCAST_QUEUE ||
        app->broadcaster.stage > BROADCAST_ON || app->broadcaster.hci.received > 258) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct app app;
    input = data;
    left = size;
    mode = next();
    now_us = 0;
    memset(flash, 0xFF, sizeof flash);
    if (mode & 2) {
        for (size_t i = 0; i < 300; i++) {
            flash[i] = next();
        }
    }
    if (mode & 4) {
        memset(flash, 0, sizeof flash);
    }
    if (setjmp(end)) {
        return 0;
    }
    app_start(&app);
    for (int i = 0; i < TICKS; i++) {
        hal_wait_for_event();
        app_step(&app);
        check(&app);
    }
    return 0;
}

#ifdef STANDALONE
int main(int argc, char **argv) {
    static const char *const words[] = {"\x20config ", "\x20threshold ", "status\n", "selftest\n", "reboot\n", "help\n",
                                        "alert_k 3\n", "bindkey 00112233445566778899aabbccddeeff\n",
                                        "\x04\x0e\x04\x01\x03\x0c"};
    static uint8_t data[4096];
    uint32_t random = 1, runs = argc > 1 ? (uint32_t)atoi(argv[1]) : 1000;
    for (uint32_t run = 0; run < runs; run++) {
        size_t size = 0;
        while (size < sizeof data - 64) {
            random ^= random << 13, random ^= random >> 17, random ^= random << 5;
            if (random % 5 == 0) {
                const char *word = words[random / 5 % 9];
                memcpy(data + size, word, strlen(word));
                size += strlen(word);
            } else {
                data[size++] = (uint8_t)(random >> 24);
            }
            if (random % 1999 == 0) {
                break;
            }
        }
        LLVMFuzzerTestOneInput(data, size);
    }
    printf("%u runs\n", runs);
    return 0;
}
#endif
