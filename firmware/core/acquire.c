#include "acquire.h"

#include "bytes.h"
#include "errors.h"
#include "hal.h"
#include "sensor_check.h"

#define RESET_US 1000u         /* the software reset takes 50 us (AN5192) */
#define TEMPERATURE_TICKS 64u  /* between two readings of the temperature */

void acquire_init(struct acquire *acquire, const struct config *config, uint32_t rate_millihz) {
    acquire->config = config;
    acquire->rate_millihz = rate_millihz;
    acquire->channels = acquire->setup.gyro ? 6 : 3;
    for (int32_t i = 0; i < MAX_SENSORS; i++) {
        acquire->sources[i].temperature_c100 = LSM6DSO_NO_TEMPERATURE;
    }
}

uint8_t acquire_take_latched(struct source *source) {
    hal_lock();
    uint8_t latched = source->latched;
    source->latched = 0;
    hal_unlock();
    return latched;
}

static void enter(struct source *source, enum acquire_state state, uint64_t now_us) {
    source->state = (uint8_t)state;
    source->since_us = now_us;
}

/* The samples that follow do not continue those before. */
static void interrupt_stream(struct source *source, uint8_t fault) {
    source->latched |= (uint8_t)(1u << fault);
    source->has = 0;
    source->rate_since_us = 0;
    stream_interrupted(&source->stream);
}

static void count_up(volatile uint16_t *counter) {
    if (*counter < UINT16_MAX) {
        (*counter)++;
    }
}

static void lose(struct source *source, uint64_t now_us) {
    count_up(&source->bus_errors);
    interrupt_stream(source, SENSOR_BUS);
    source->bad_rate = false;
    enter(source, ACQUIRE_AWAY, now_us);
}

/* The sensor's axes turned to the machine's. */
static void turned(int32_t digits, const int16_t *from, int16_t *to) {
    for (int axis = 2; axis >= 0; axis--, digits /= 10) {
        int32_t digit = digits % 10;
        int16_t value = from[(digit - 1) % 3];
        to[axis] = digit <= 3 ? value : value == INT16_MIN ? INT16_MAX : (int16_t)-value;
    }
}

static int32_t axes_of(const struct config *config, unsigned device) {
    return device == 0 ? config->imu0_axes : device == 1 ? config->imu1_axes : config->imu2_axes;
}

/* One word of the FIFO; a sample is whole when each kind has come. */
static void take_word(struct acquire *acquire, unsigned device, const struct lsm6dso_word *word) {
    struct source *source = &acquire->sources[device];
    uint8_t bit = word->kind == LSM6DSO_ACCEL ? 1 : 2;
    if (bit == 2 && acquire->channels == 3) {
        return;
    }
    if (source->has & bit) { /* two of a kind: the other is lost */
        interrupt_stream(source, SENSOR_DROPOUT);
    }
    turned(axes_of(acquire->config, device), word->xyz, source->half + (bit == 1 ? 0 : 3));
    source->has |= bit;
    if (source->has == (acquire->channels == 6 ? 3 : 1)) {
        stream_put(&source->stream, source->half, acquire->channels);
        source->has = 0;
    }
}

static void measure_rate(const struct acquire *acquire, struct source *source, uint64_t now_us) {
    uint32_t head = source->stream.head;
    if (source->rate_since_us) {
        uint64_t elapsed_us = now_us - source->rate_since_us;
        if (elapsed_us < RATE_SPAN_MS * 1000u) {
            return;
        }
        int64_t expected = (int64_t)(elapsed_us * acquire->rate_millihz / 1000u); /* samples * 1e6 */
        int64_t off = (int64_t)(head - source->rate_head) * 1000000 - expected;
        int64_t limit = expected / 1000000 * acquire->config->rate_ppm;
        source->bad_rate = acquire->config->rate_ppm && (off < 0 ? -off : off) > limit;
    }
    source->rate_since_us = now_us;
    source->rate_head = head;
}

static void drain(struct acquire *acquire, unsigned device, uint64_t now_us) {
    struct source *source = &acquire->sources[device];
    int waiting = lsm6dso_waiting(device);
    if (waiting == ERROR_OVERRUN) {
        count_up(&source->overruns);
        interrupt_stream(source, SENSOR_DROPOUT);
        waiting = (int)LSM6DSO_FIFO_WORDS;
    }
    if (waiting < 0) {
        lose(source, now_us);
        return;
    }
    if (waiting == 0) {
        if (lsm6dso_verify(device)) {
            lose(source, now_us);
            return;
        }
        if (now_us - source->since_us > (uint32_t)acquire->config->silent_ms * 1000u) {
            lose(source, now_us);
        }
        return;
    }
    for (int left = waiting; left > 0;) { /* at most 57 times */
        struct lsm6dso_word words[LSM6DSO_BURST_WORDS];
        size_t count = left < (int)LSM6DSO_BURST_WORDS ? (size_t)left : LSM6DSO_BURST_WORDS;
        if (lsm6dso_read(device, words, count)) {
            lose(source, now_us);
            return;
        }
        for (size_t i = 0; i < count; i++) {
            take_word(acquire, device, &words[i]);
        }
        left -= (int)count;
    }
    /* Afterwards, so that a wire that broke meanwhile takes the samples just read with it. */
    if (lsm6dso_verify(device)) {
        lose(source, now_us);
        return;
    }
    source->since_us = now_us;
    measure_rate(acquire, source, now_us);
}

void acquire_restart(struct acquire *acquire) {
    for (int32_t i = 0; i < acquire->config->sensors; i++) {
        interrupt_stream(&acquire->sources[i], SENSOR_OK);
        enter(&acquire->sources[i], ACQUIRE_START, hal_time_us());
    }
    acquire->paused = false;
}

static void bring_up(struct acquire *acquire, unsigned device, uint64_t now_us) {
    struct source *source = &acquire->sources[device];
    int failed = lsm6dso_probe(device);
    failed = failed ? failed : lsm6dso_reset(device);
    if (failed) {
        lose(source, now_us);
        return;
    }
    enter(source, ACQUIRE_RESETTING, now_us);
}

void acquire_tick(void *context) {
    struct acquire *acquire = context;
    if (acquire->paused) {
        acquire->ticks++;
        return;
    }
    for (unsigned device = 0; device < (unsigned)acquire->config->sensors; device++) {
        struct source *source = &acquire->sources[device];
        uint64_t now_us = hal_time_us();
        uint64_t elapsed_us = now_us - source->since_us;
        if (source->state == ACQUIRE_START || (source->state == ACQUIRE_AWAY && elapsed_us > RETRY_MS * 1000u)) {
            bring_up(acquire, device, now_us);
        } else if (source->state == ACQUIRE_RESETTING && elapsed_us > RESET_US) {
            if (lsm6dso_configure(device, &acquire->setup)) {
                lose(source, now_us);
            } else {
                interrupt_stream(source, SENSOR_OK);
                enter(source, ACQUIRE_RUNNING, hal_time_us());
            }
        } else if (source->state == ACQUIRE_RUNNING) {
            drain(acquire, device, now_us);
            bool due = acquire->ticks % TEMPERATURE_TICKS == 0 || source->temperature_c100 == LSM6DSO_NO_TEMPERATURE;
            if (due && source->state == ACQUIRE_RUNNING) {
                source->temperature_c100 = lsm6dso_temperature_c100(device);
            }
        }
    }
    acquire->ticks++;
}
