#include "host.h"

#include <setjmp.h>

#include "alert_policy.h"
#include "app.h"
#include "bytes.h"
#include "ccm.h"
#include "errors.h"
#include "hal.h"
#include "line.h"
#include "preprocess.h"
#include "verdict.h"

static struct host_callbacks call;
static struct app app;
static jmp_buf end;
static int cause;
static uint32_t watchdog_ms;
static void (*tick)(void *);
static void *tick_context;

static int checked(int result) {
    if (result == HOST_POWER_CUT) {
        longjmp(end, HOST_CUT);
    }
    return result;
}

int hal_spi_transfer(unsigned device, uint8_t *bytes, size_t count, size_t sent) {
    return count > HAL_SPI_BYTES ? ERROR_ARGUMENT : call.spi_transfer(device, bytes, count, sent);
}

int hal_uart_write(unsigned port, const uint8_t *bytes, size_t count) {
    call.uart_write(port, bytes, count);
    return 0;
}

size_t hal_uart_read(unsigned port, uint8_t *bytes, size_t room) { return call.uart_read(port, bytes, room); }

uint64_t hal_time_us(void) { return call.time_us(); }

void hal_tick_start(uint32_t period_us, void (*function)(void *), void *context) {
    tick = function;
    tick_context = context;
    call.tick_start(period_us);
}

/* Ticks come between two steps, or in wait_for_event: nothing can interrupt the core. */
void hal_lock(void) {}
void hal_unlock(void) {}

void hal_wait_for_event(void) { call.wait_for_event(); }

int hal_flash_read(uint32_t offset, uint8_t *bytes, size_t count) {
    return checked(call.flash_read(offset, bytes, count));
}

int hal_flash_program(uint32_t offset, const uint8_t *bytes, size_t count) {
    return checked(call.flash_program(offset, bytes, count));
}

int hal_flash_erase_sector(uint32_t offset) { return checked(call.flash_erase_sector(offset)); }

void hal_watchdog_start(uint32_t timeout_ms) {
    watchdog_ms = timeout_ms;
    hal_watchdog_feed();
}

void hal_watchdog_feed(void) { call.watchdog_feed(watchdog_ms); }

enum hal_reset_cause hal_reset_cause(void) { return (enum hal_reset_cause)cause; }

void hal_mac_address(uint8_t address[6]) { call.mac_address(address); }

_Noreturn void hal_reboot(void) { longjmp(end, HOST_REBOOT); }

_Noreturn void hal_fatal(const char *what, uint32_t detail) {
    struct line line = {0};
    line_text(&line, "fatal ");
    line_text(&line, what);
    line_value(&line, ":", (int32_t)detail);
    line_send(&line);
    longjmp(end, HOST_FATAL);
}

int host_start(const struct host_callbacks *callbacks, int reset_cause) {
    call = *callbacks;
    cause = reset_cause;
    tick = 0;
    int ended = setjmp(end);
    if (!ended) {
        app_start(&app);
    }
    return ended;
}

int host_step(void) {
    int ended = setjmp(end);
    if (!ended) {
        app_step(&app);
    }
    return ended;
}

void host_tick(void) {
    if (tick) {
        tick(tick_context);
    }
}

size_t host_app_bytes(void) { return sizeof app; }

void host_preprocess(int16_t *counts, int8_t *input) { preprocess(&model_description, counts, input); }

void host_infer(const int8_t *input, int8_t *output) { model_infer(input, output, &app.pipeline.scratch); }

uint32_t host_verdict(const int8_t *input, const int8_t *output, uint32_t threshold, uint8_t said[3]) {
    struct verdict verdict = verdict_of(&model_description, input, output, threshold);
    said[0] = verdict.flagged;
    said[1] = verdict.class_index;
    said[2] = verdict.confidence;
    return verdict.level;
}

void host_alert_policy(int32_t flagged, int32_t of, int32_t quiet, const uint8_t *classes, uint8_t *changes,
                       uint8_t *alerts, size_t count) {
    struct alert_policy policy;
    alert_policy_init(&policy, flagged, of, quiet);
    for (size_t i = 0; i < count; i++) {
        changes[i] = (uint8_t)alert_policy_step(&policy, classes[i]);
        alerts[i] = policy.alert;
    }
}

void host_aes(const uint8_t *key, uint8_t *block) { aes128_encrypt(key, block); }

int host_ccm(const uint8_t *key, const uint8_t *nonce, uint8_t *bytes, size_t count, uint8_t *tag) {
    return ccm_encrypt(key, nonce, bytes, count, tag);
}

size_t host_advertisement(const struct bthome_report *report, const struct bthome_seal *seal, uint8_t *bytes) {
    const struct advertisement made = bthome_advertisement(report, seal);
    bytes_copy(bytes, made.bytes, sizeof made.bytes);
    return made.count;
}
