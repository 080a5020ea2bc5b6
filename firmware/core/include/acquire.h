/* From the sensors' FIFOs into the streams, once a tick; brings up sensors that are away, again and again. */
#ifndef ACQUIRE_H
#define ACQUIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "lsm6dso.h"
#include "stream.h"

#define RETRY_MS 500u     /* between two attempts to bring up a sensor */
#define RATE_SPAN_MS 2000u /* over which the sampling rate is measured */

enum acquire_state { ACQUIRE_START = 0, ACQUIRE_RESETTING = 1, ACQUIRE_RUNNING = 2, ACQUIRE_AWAY = 3 };

struct source {
    struct stream stream;
    uint64_t since_us;        /* of the state; while running: the last sample */
    uint64_t rate_since_us;   /* the measurement of the rate began; 0: it has not */
    uint32_t rate_head;       /* the stream's head then */
    int16_t half[6];          /* a reading of one kind waits for the other */
    uint8_t has;              /* which kinds wait: bit 0 accelerometer, bit 1 gyroscope */
    volatile uint8_t state;   /* enum acquire_state */
    volatile uint8_t latched; /* faults (sensor_check.h) since the main loop last took them */
    volatile bool bad_rate;   /* at the last measurement */
    volatile int16_t temperature_c100;
    volatile uint16_t bus_errors, overruns; /* since the start; stop at 65535 */
};

struct acquire {
    struct source sources[MAX_SENSORS];
    const struct config *config;
    struct lsm6dso_setup setup;
    uint32_t rate_millihz;
    volatile uint32_t ticks;
    uint8_t channels; /* 3 or 6 */
    volatile bool paused; /* the main loop has the bus */
};

/* As described by the model; `acquire->setup` must be set. */
void acquire_init(struct acquire *acquire, const struct config *config, uint32_t rate_millihz);

/* The tick. */
void acquire_tick(void *acquire);

/* After the main loop had the bus (`paused`): all sensors are set up anew. */
void acquire_restart(struct acquire *acquire);

/* Takes the faults latched by a source. */
uint8_t acquire_take_latched(struct source *source);

#endif
