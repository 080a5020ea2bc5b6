/* Is the sensor sound? Judged window by window, on the very samples that the network would see. */
#ifndef SENSOR_CHECK_H
#define SENSOR_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "stream.h"

/* Sensor states, the gravest last. Bit n of a set of faults stands for state n. */
enum sensor_state {
    SENSOR_OK = 0,
    SENSOR_BIAS = 1,      /* the mean moved, or gravity is not 1 g */
    SENSOR_SPIKE = 2,     /* single wild readings */
    SENSOR_RATE = 3,      /* samples come too fast or too slowly */
    SENSOR_SATURATED = 4, /* at the end of the range, or cut off below it */
    SENSOR_DROPOUT = 5,   /* samples lost, held or replaced by zeros */
    SENSOR_STUCK = 6,     /* a channel no longer moves */
    SENSOR_BUS = 7        /* nothing sensible comes over SPI */
};
#define SENSOR_STATES 8

extern const char *const sensor_state_names[SENSOR_STATES];

/* The gravest state of a set of faults. */
uint8_t sensor_state_of(uint32_t faults);

/* What a check needs to know of a sensor, and what it learns of it. */
struct sensor_check {
    int32_t reference[SENSOR_CHANNELS]; /* mean of every channel, counts; sums while learning */
    uint16_t learnt;                    /* windows that went into it */
};

/* What counts stand for. */
struct sensor_units {
    uint32_t accel_lsb_nano, gyro_lsb_nano; /* 1e-9 g, 1e-9 deg/s; gyro 0: none */
    uint8_t channels;                       /* 3 or 6 */
};

/* The set of faults seen in `count` samples from `start` on. Learns the means of windows without one, given `learn`. */
uint32_t sensor_check(struct sensor_check *check, const struct config *config, const struct sensor_units *units,
                      const struct stream *stream, uint32_t start, uint32_t count, bool learn);

#endif
