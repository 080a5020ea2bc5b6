#include "sensor_check.h"

#include "integer_root.h"

#define RAIL 32700 /* counts: what an LSM6DSO gives at the end of its range, less its offset */
#define SPIKE_TIMES 8u /* bends of a spike against the mean one; noise alone reaches some 4 in a window */
#define ZEROS 2u   /* samples of exactly zero on three axes at once: no accelerometer on earth gives them */

const char *const sensor_state_names[SENSOR_STATES] = {"ok",        "bias",    "spike", "rate",
                                                       "saturated", "dropout", "stuck", "bus"};

uint8_t sensor_state_of(uint32_t faults) {
    uint8_t state = SENSOR_STATES - 1;
    while (state > 0 && !(faults >> state & 1u)) {
        state--;
    }
    return state;
}

static int32_t magnitude(int32_t value) { return value < 0 ? -value : value; }

/* Counts for so many thousandths of a unit. */
static int32_t counts_of(int32_t milli, uint32_t lsb_nano) {
    return (int32_t)((uint64_t)(uint32_t)milli * 1000000u / lsb_nano);
}

struct span {
    const struct stream *stream;
    uint32_t start, count;
};

/* What one pass over a channel finds. */
struct scan {
    int32_t low, high, sum, longest_run;
    int32_t low_pairs, high_pairs; /* neighbours both at the extreme */
    int32_t lonely;                /* largest bend at a reading whose neighbours agree with one another far better */
    uint32_t bends;                /* sum of all bends, |2 x - before - after| */
};

static int32_t reading(const struct span *span, uint32_t i, uint32_t channel) {
    return stream_at(span->stream, span->start + i)[channel];
}

/* Whether the bend at sample i, x[2], stands alone: neighbours agree, and no other axis of the triad moves with it, as it would
 * in a shock. */
static bool is_lonely(const struct span *span, uint32_t i, uint32_t channel, const int32_t x[5], int32_t bend) {
    int32_t close = bend / 16;
    if (magnitude(x[3] - x[1]) >= close || magnitude(x[1] - x[0]) >= close || magnitude(x[4] - x[3]) >= close) {
        return false;
    }
    uint32_t triad = channel / 3 * 3;
    for (uint32_t c = triad; c < triad + 3; c++) {
        int32_t other = 2 * reading(span, i, c) - reading(span, i - 1, c) - reading(span, i + 1, c);
        if (c != channel && magnitude(other) >= bend / 8) {
            return false;
        }
    }
    return true;
}

static struct scan scan_channel(const struct span *span, uint32_t channel) {
    struct scan scan = {.low = INT16_MAX, .high = INT16_MIN};
    int32_t x[5] = {0}, run = 0;
    for (uint32_t i = 0; i < span->count; i++) {
        int32_t here = stream_at(span->stream, span->start + i)[channel], before = x[4];
        x[0] = x[1], x[1] = x[2], x[2] = x[3], x[3] = x[4], x[4] = here;
        bool same = i && here == before;
        scan.sum += here;
        run = same ? run + 1 : 1;
        scan.longest_run = run > scan.longest_run ? run : scan.longest_run;
        if (here >= scan.high) {
            scan.high_pairs = here > scan.high ? 0 : scan.high_pairs + same;
            scan.high = here;
        }
        if (here <= scan.low) {
            scan.low_pairs = here < scan.low ? 0 : scan.low_pairs + same;
            scan.low = here;
        }
        if (i >= 4) {
            int32_t bend = magnitude(2 * x[2] - x[1] - x[3]);
            scan.bends += (uint32_t)bend;
            if (bend > scan.lonely && is_lonely(span, i - 2, channel, x, bend)) {
                scan.lonely = bend;
            }
        }
    }
    return scan;
}

/* Faults that show on one channel alone. */
static uint32_t faults_of(const struct config *config, const struct scan *scan, uint32_t count, int32_t spike_height) {
    uint32_t faults = 0;
    uint32_t usual = scan->bends / count;
    if (spike_height && scan->lonely > 2 * spike_height && (uint32_t)scan->lonely > SPIKE_TIMES * usual) {
        faults |= 1u << SENSOR_SPIKE;
    }
    if (config->stuck_run && scan->longest_run >= config->stuck_run) {
        faults |= 1u << SENSOR_STUCK;
    }
    bool cut_off = config->saturated_pairs && scan->low_pairs + scan->high_pairs >= config->saturated_pairs;
    if (scan->low < -RAIL || scan->high > RAIL || cut_off) {
        faults |= 1u << SENSOR_SATURATED;
    }
    return faults;
}

/* Samples held, or replaced by zeros. */
static bool has_dropout(const struct config *config, const struct span *span, uint32_t channels) {
    int32_t run = 0;
    uint32_t zeros = 0;
    const int16_t *before = 0;
    for (uint32_t i = 0; i < span->count; i++) {
        const int16_t *here = stream_at(span->stream, span->start + i);
        zeros += here[0] == 0 && here[1] == 0 && here[2] == 0;
        bool same = before != 0;
        for (uint32_t c = 0; same && c < channels; c++) {
            same = here[c] == before[c];
        }
        before = here;
        run = same ? run + 1 : 0;
        if (run >= config->dropout_run) {
            return true;
        }
    }
    return zeros >= ZEROS;
}

/* Means against what was learnt, or against gravity while learning. */
static bool is_biased(const struct sensor_check *check, const struct config *config, const struct sensor_units *units,
                      const int32_t *mean) {
    if (check->learnt < config->learn_windows) {
        uint64_t square = 0;
        for (uint32_t c = 0; c < 3; c++) {
            square += (uint64_t)((int64_t)mean[c] * mean[c]);
        }
        int32_t off = (int32_t)integer_root(square) - counts_of(1000, units->accel_lsb_nano);
        return config->gravity_mg && magnitude(off) > counts_of(config->gravity_mg, units->accel_lsb_nano);
    }
    for (uint32_t c = 0; c < units->channels; c++) {
        int32_t limit = c < 3 ? config->bias_mg : config->bias_dps * 1000;
        uint32_t lsb_nano = c < 3 ? units->accel_lsb_nano : units->gyro_lsb_nano;
        if (limit && magnitude(mean[c] - check->reference[c]) > counts_of(limit, lsb_nano)) {
            return true;
        }
    }
    return false;
}

static void learn_means(struct sensor_check *check, const struct config *config, uint32_t channels, const int32_t *mean) {
    for (uint32_t c = 0; c < channels; c++) {
        check->reference[c] += mean[c];
    }
    check->learnt++;
    if (check->learnt == config->learn_windows) {
        for (uint32_t c = 0; c < channels; c++) {
            check->reference[c] /= config->learn_windows;
        }
    }
}

uint32_t sensor_check(struct sensor_check *check, const struct config *config, const struct sensor_units *units,
                      const struct stream *stream, uint32_t start, uint32_t count, bool learn) {
    const struct span span = {stream, start, count};
    int32_t mean[SENSOR_CHANNELS];
    uint32_t faults = 0;
    for (uint32_t c = 0; c < units->channels; c++) {
        int32_t spike = c < 3 ? counts_of(config->spike_mg, units->accel_lsb_nano)
                              : counts_of(config->spike_dps * 1000, units->gyro_lsb_nano);
        struct scan scan = scan_channel(&span, c);
        mean[c] = scan.sum / (int32_t)count;
        faults |= faults_of(config, &scan, count, spike);
    }
    if (config->dropout_run && has_dropout(config, &span, units->channels)) {
        faults |= 1u << SENSOR_DROPOUT;
    }
    if (is_biased(check, config, units, mean)) {
        faults |= 1u << SENSOR_BIAS;
    }
    if (!faults && learn && check->learnt < config->learn_windows) {
        learn_means(check, config, units->channels, mean);
    }
    return faults;
}
