/* Port `host`: the same core as a shared library, its hardware given by callbacks. Used from Python by firmware/host.py. */
#ifndef HOST_H
#define HOST_H

#include <stddef.h>
#include <stdint.h>

#include "bthome.h"

/* As in hal.h. A function that returns HOST_POWER_CUT ends the run there and then, as a power cut would. */
#define HOST_POWER_CUT (-1000)

struct host_callbacks {
    int (*spi_transfer)(unsigned device, uint8_t *bytes, size_t count, size_t sent);
    void (*uart_write)(unsigned port, const uint8_t *bytes, size_t count);
    size_t (*uart_read)(unsigned port, uint8_t *bytes, size_t room);
    uint64_t (*time_us)(void);
    void (*wait_for_event)(void); /* may call host_tick */
    int (*flash_read)(uint32_t offset, uint8_t *bytes, size_t count);
    int (*flash_program)(uint32_t offset, const uint8_t *bytes, size_t count);
    int (*flash_erase_sector)(uint32_t offset);
    void (*watchdog_feed)(uint32_t timeout_ms);
    void (*tick_start)(uint32_t period_us);
    void (*mac_address)(uint8_t *address);
};

/* How a call ended: 0, or why the chip would now start again. */
enum host_end { HOST_RUNS = 0, HOST_REBOOT = 1, HOST_FATAL = 2, HOST_CUT = 3 };

int host_start(const struct host_callbacks *callbacks, int reset_cause); /* enum host_end */
int host_step(void);                                                     /* enum host_end */
void host_tick(void);

/* Bytes of what the core keeps in memory. */
size_t host_app_bytes(void);

/* Parts of the core by themselves, for tests. */
void host_preprocess(int16_t *counts, int8_t *input);
void host_infer(const int8_t *input, int8_t *output);
uint32_t host_verdict(const int8_t *input, const int8_t *output, uint32_t threshold, uint8_t said[3]);
void host_alert_policy(int32_t flagged, int32_t of, int32_t quiet, const uint8_t *classes, uint8_t *changes,
                       uint8_t *alerts, size_t count);
void host_aes(const uint8_t *key, uint8_t *block);
int host_ccm(const uint8_t *key, const uint8_t *nonce, uint8_t *bytes, size_t count, uint8_t *tag);
size_t host_advertisement(const struct bthome_report *report, const struct bthome_seal *seal, uint8_t *bytes);

#endif
