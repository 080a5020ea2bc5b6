/* From streams to a verdict, window by window. */
#ifndef PIPELINE_H
#define PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "acquire.h"
#include "sensor_check.h"
#include "verdict.h"

/* Streams may differ by so many samples before one is shifted to meet the others: their clocks are their own. */
#define ALIGN_SAMPLES 8

/* What came of a window. */
struct window {
    uint32_t number; /* 1 is the first */
    struct verdict verdict;
    uint16_t rms_mg, peak_mg; /* of the acceleration less its mean: RMS of its magnitude, largest on one axis */
    uint8_t faults[MAX_SENSORS]; /* sets of sensor faults */
    uint8_t used;                /* bit n: IMU n was sound, and was used */
    bool judged;                 /* the network was asked; else nothing above `faults` is set but `number` */
};

struct pipeline {
    uint32_t start[MAX_SENSORS]; /* first sample of the next window in each stream */
    uint32_t gap[MAX_SENSORS];   /* the stream's interruption that `start` knows of */
    int8_t leader;               /* the sensor that paces the windows; -1: none yet */
    struct sensor_check checks[MAX_SENSORS];
    uint8_t settle[MAX_SENSORS]; /* windows for which a sensor is not used yet */
    uint8_t channel[MODEL_CHANNELS]; /* of a sensor's six, for each of the model's */
    uint64_t window_us;              /* when the last window came */
    uint32_t hop_us;
    uint32_t windows;
    uint32_t late; /* times that samples were lost because the main loop was busy for too long */
    struct sensor_units units;
    int16_t counts[MODEL_WINDOW * MODEL_CHANNELS];
    int8_t input[MODEL_INPUT_SIZE];
    int8_t output[MODEL_OUTPUT_SIZE];
    model_scratch_t scratch;
};

/* Takes the model's channels and rate; fills in the sensors' setup. Returns 0, or ERROR_ARGUMENT for a model that an
 * LSM6DSO cannot serve. */
int pipeline_init(struct pipeline *pipeline, struct lsm6dso_setup *setup);

/* Works on the next window, if there is one. When no window has come for twice its time, gives an empty one, not judged,
 * with the sensors' faults. Returns whether `window` was filled in. */
bool pipeline_step(struct pipeline *pipeline, struct acquire *acquire, uint32_t threshold, struct window *window);

#endif
