#include "pipeline.h"

#include "bytes.h"
#include "errors.h"
#include "hal.h"
#include "integer_root.h"
#include "median.h"
#include "preprocess.h"

#define RING_MARGIN 128u /* samples that may come while a window is copied out of the ring */

/* The sensor's channel that a model's channel is: its name ends in the axis and the unit, "x_g" or "z_dps". */
static int channel_of(const struct model_channel *channel) {
    size_t length = 0, tail = channel->unit == MODEL_UNIT_G ? 2 : 4;
    while (length < 64 && channel->name[length]) {
        length++;
    }
    if (length <= tail || (channel->unit != MODEL_UNIT_G && channel->unit != MODEL_UNIT_DPS)) {
        return ERROR_ARGUMENT;
    }
    int axis = channel->name[length - tail - 1] - 'x';
    if (axis < 0 || axis > 2) {
        return ERROR_ARGUMENT;
    }
    return axis + (channel->unit == MODEL_UNIT_DPS ? 3 : 0);
}

int pipeline_init(struct pipeline *pipeline, struct lsm6dso_setup *setup) {
    const struct model_description *model = &model_description;
    bytes_fill(pipeline, 0, sizeof *pipeline);
    pipeline->leader = -1;
    if (model->format != SIMTWIN_MODEL_FORMAT || model->channel_count != MODEL_CHANNELS || !model->rate_millihz) {
        return ERROR_ARGUMENT;
    }
    uint32_t lsb_nano[2] = {0, 0}; /* of accelerometer and gyroscope: the same on all axes */
    for (uint32_t c = 0; c < model->channel_count; c++) {
        int channel = channel_of(&model->channels[c]);
        if (channel < 0 || channel >= SENSOR_CHANNELS) {
            return ERROR_ARGUMENT;
        }
        uint32_t *lsb = &lsb_nano[channel / 3];
        if (*lsb && *lsb != model->channels[c].lsb_nano) {
            return ERROR_ARGUMENT;
        }
        *lsb = model->channels[c].lsb_nano;
        pipeline->channel[c] = (uint8_t)channel;
    }
    pipeline->units = (struct sensor_units){lsb_nano[0], lsb_nano[1], lsb_nano[1] ? 6 : 3};
    pipeline->hop_us = (uint32_t)((uint64_t)model->hop * 1000000000u / model->rate_millihz);
    return lsm6dso_setup_for(model->rate_millihz, lsb_nano[0], lsb_nano[1], setup);
}

/* Samples that have come since the next window's beginning; negative while that lies ahead. */
static int32_t waiting(const struct pipeline *pipeline, const struct acquire *acquire, int32_t i) {
    return (int32_t)(acquire->sources[i].stream.head - pipeline->start[i]);
}

/* After an interruption a stream's window begins anew; so it does when the main loop came too late and the ring ran over. */
static void follow_gaps(struct pipeline *pipeline, const struct acquire *acquire) {
    for (int32_t i = 0; i < acquire->config->sensors; i++) {
        uint32_t gap = acquire->sources[i].stream.gap;
        if (gap != pipeline->gap[i]) {
            pipeline->gap[i] = pipeline->start[i] = gap;
            pipeline->leader = pipeline->leader == i ? -1 : pipeline->leader;
        }
        if (waiting(pipeline, acquire, i) > (int32_t)(RING_SAMPLES - RING_MARGIN)) {
            pipeline->start[i] = acquire->sources[i].stream.head - MODEL_WINDOW;
            pipeline->late++;
        }
    }
}

/* The sensor whose samples pace the windows; it stays as long as its stream is not interrupted. -1: none runs. */
static int32_t leader_of(struct pipeline *pipeline, const struct acquire *acquire) {
    if (pipeline->leader >= 0 && acquire->sources[pipeline->leader].state == ACQUIRE_RUNNING) {
        return pipeline->leader;
    }
    pipeline->leader = -1;
    for (int32_t i = 0; i < acquire->config->sensors; i++) {
        bool most = pipeline->leader < 0 || waiting(pipeline, acquire, i) > waiting(pipeline, acquire, pipeline->leader);
        if (acquire->sources[i].state == ACQUIRE_RUNNING && most) {
            pipeline->leader = (int8_t)i;
        }
    }
    return pipeline->leader;
}

/* Which sensors have the next window; 0 while there is none. Streams that drifted away from the leader's are shifted. */
static uint32_t with_window(struct pipeline *pipeline, const struct acquire *acquire) {
    int32_t leader = leader_of(pipeline, acquire);
    if (leader < 0 || waiting(pipeline, acquire, leader) < MODEL_WINDOW) {
        return 0;
    }
    uint32_t with = 0;
    for (int32_t i = 0; i < acquire->config->sensors; i++) {
        if (acquire->sources[i].state != ACQUIRE_RUNNING) {
            continue;
        }
        int32_t behind = waiting(pipeline, acquire, leader) - waiting(pipeline, acquire, i);
        if (behind > ALIGN_SAMPLES || behind < -ALIGN_SAMPLES) {
            uint32_t aligned = pipeline->start[i] - (uint32_t)behind;
            if ((int32_t)(aligned - pipeline->gap[i]) < 0) {
                continue; /* it has not been back for a whole window */
            }
            pipeline->start[i] = aligned;
        }
        if (waiting(pipeline, acquire, i) < MODEL_WINDOW) {
            return 0; /* a few samples that come with the next tick */
        }
        with |= 1u << i;
    }
    return with;
}

/* The median of the sensors in `used`, channel by channel in the model's order. */
static void fuse(struct pipeline *pipeline, const struct acquire *acquire, uint32_t used) {
    int16_t *to = pipeline->counts;
    for (uint32_t i = 0; i < MODEL_WINDOW; i++) {
        const int16_t *samples[MAX_SENSORS];
        uint32_t count = 0;
        for (uint32_t s = 0; s < MAX_SENSORS; s++) {
            if (used >> s & 1u) {
                samples[count++] = stream_at(&acquire->sources[s].stream, pipeline->start[s] + i);
            }
        }
        for (uint32_t c = 0; c < MODEL_CHANNELS; c++) {
            int16_t readings[MAX_SENSORS];
            for (uint32_t s = 0; s < count; s++) {
                readings[s] = samples[s][pipeline->channel[c]];
            }
            *to++ = median_of(readings, count);
        }
    }
}

static uint16_t milli_g(uint32_t counts, uint32_t lsb_nano) {
    uint32_t mg = (uint32_t)((uint64_t)counts * lsb_nano / 1000000u);
    return (uint16_t)(mg > UINT16_MAX ? UINT16_MAX : mg);
}

/* RMS and peak of the accelerations among the model's channels. */
static void measure(const struct pipeline *pipeline, struct window *window) {
    uint64_t squares = 0;
    uint32_t peak = 0;
    for (uint32_t c = 0; c < MODEL_CHANNELS; c++) {
        if (pipeline->channel[c] >= 3) {
            continue;
        }
        int32_t sum = 0;
        for (uint32_t i = 0; i < MODEL_WINDOW; i++) {
            sum += pipeline->counts[i * MODEL_CHANNELS + c];
        }
        int32_t mean = sum / MODEL_WINDOW;
        for (uint32_t i = 0; i < MODEL_WINDOW; i++) {
            int32_t d = pipeline->counts[i * MODEL_CHANNELS + c] - mean;
            uint32_t size = (uint32_t)(d < 0 ? -d : d);
            peak = size > peak ? size : peak;
            squares += (uint64_t)size * size;
        }
    }
    window->rms_mg = milli_g(integer_root(squares / MODEL_WINDOW), pipeline->units.accel_lsb_nano);
    window->peak_mg = milli_g(peak, pipeline->units.accel_lsb_nano);
}

/* The faults of every sensor in this window; the set of those that may be used. */
static uint32_t check_sensors(struct pipeline *pipeline, struct acquire *acquire, uint32_t with, struct window *window) {
    const struct config *config = acquire->config;
    uint32_t used = 0;
    for (int32_t i = 0; i < config->sensors; i++) {
        struct source *source = &acquire->sources[i];
        uint32_t faults = acquire_take_latched(source) & ~(1u << SENSOR_OK);
        faults |= source->bad_rate ? 1u << SENSOR_RATE : 0u;
        faults |= source->state != ACQUIRE_RUNNING ? 1u << SENSOR_BUS : 0u;
        if (with >> i & 1u) {
            faults |= sensor_check(&pipeline->checks[i], config, &pipeline->units, &source->stream, pipeline->start[i],
                                   MODEL_WINDOW, !faults);
        }
        window->faults[i] = (uint8_t)faults;
        if (faults) {
            pipeline->settle[i] = (uint8_t)config->settle_windows;
        } else if (pipeline->settle[i]) {
            pipeline->settle[i]--;
        } else if (with >> i & 1u) {
            used |= 1u << i;
        }
    }
    return used;
}

bool pipeline_step(struct pipeline *pipeline, struct acquire *acquire, uint32_t threshold, struct window *window) {
    follow_gaps(pipeline, acquire);
    uint32_t with = with_window(pipeline, acquire);
    uint64_t now_us = hal_time_us();
    if (!pipeline->window_us) {
        pipeline->window_us = now_us;
    }
    uint64_t longest_us = 2u * (uint64_t)pipeline->hop_us;
    if (pipeline->windows == 0) {
        longest_us += (uint64_t)pipeline->hop_us * MODEL_WINDOW / MODEL_HOP; /* the first one takes longer to fill */
    }
    if (!with && now_us - pipeline->window_us < longest_us) {
        return false;
    }
    pipeline->window_us = now_us;
    bytes_fill(window, 0, sizeof *window);
    window->number = ++pipeline->windows;
    window->used = (uint8_t)check_sensors(pipeline, acquire, with, window);
    if (window->used) {
        fuse(pipeline, acquire, window->used);
        measure(pipeline, window);
        preprocess(&model_description, pipeline->counts, pipeline->input);
        model_infer(pipeline->input, pipeline->output, &pipeline->scratch);
        window->verdict = verdict_of(&model_description, pipeline->input, pipeline->output, threshold);
        window->judged = true;
    }
    for (uint32_t i = 0; i < MAX_SENSORS; i++) {
        pipeline->start[i] += with >> i & 1u ? MODEL_HOP : 0u;
    }
    return true;
}
