#include "preprocess.h"

/* round(32768 * log2(1 + i / 32)) */
static const uint16_t log2_table[33] = {
    0, 1455, 2866, 4236, 5568, 6863, 8124, 9352, 10549, 11716, 12855,
    13968, 15055, 16117, 17156, 18173, 19168, 20143, 21098, 22034, 22952, 23852,
    24736, 25604, 26455, 27292, 28114, 28922, 29717, 30498, 31267, 32024, 32768,
};

int32_t log2_q8(uint32_t u) {
    uint32_t zeros = (uint32_t)__builtin_clz(u);
    uint32_t n = u << zeros;
    uint32_t i = n >> 26 & 31u;
    int32_t r = (int32_t)(n >> 16 & 1023u);
    int32_t step = (int32_t)log2_table[i + 1] - (int32_t)log2_table[i];
    int32_t q = (int32_t)log2_table[i] + ((step * r + 512) >> 10);
    return (int32_t)(256u * (31u - zeros)) + ((q + 64) >> 7);
}

static int32_t clamp(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : value > high ? high : value;
}

/* Step 1 for one channel, in place: sample i is written when no later one needs what stood there. */
static void decimate(const struct model_description *model, int16_t *counts) {
    uint32_t channels = model->channel_count;
    for (uint32_t i = 0; i < model->length; i++) {
        const int16_t *x = counts + i * model->decimation * channels;
        int32_t total = 1 << 14;
        for (uint32_t k = 0; k < model->tap_count; k++) {
            total += (int32_t)model->taps[k] * (int32_t)x[k * channels];
        }
        counts[i * channels] = (int16_t)clamp(total >> 15, -32768, 32767);
    }
}

static int32_t mean(const struct model_description *model, const int16_t *counts) {
    int32_t length = model->length, sum = 0;
    for (int32_t i = 0; i < length; i++) {
        sum += counts[i * model->channel_count];
    }
    /* This division rounds towards minus infinity, C's towards zero. */
    int32_t value = sum + (length >> 1);
    return value / length - (value % length < 0);
}

static int8_t scaled(const struct model_description *model, const struct model_channel *channel, int32_t d) {
    int32_t half = (int32_t)1 << (channel->shift - 1);
    if (model->scaling == MODEL_SCALING_LOG) {
        uint32_t u = (uint32_t)(d < 0 ? -d : d) + (1u << channel->knee);
        int32_t octaves = log2_q8(u) - 256 * (int32_t)channel->knee;
        int32_t y = ((int32_t)channel->gain * octaves + half) >> channel->shift;
        y = y > 127 ? 127 : y;
        return (int8_t)(d < 0 ? -y : y);
    }
    return (int8_t)clamp(((int32_t)channel->gain * d + half) >> channel->shift, -127, 127);
}

void preprocess(const struct model_description *model, int16_t *counts, int8_t *input) {
    uint32_t channels = model->channel_count;
    for (uint32_t c = 0; c < channels; c++) {
        const struct model_channel *channel = &model->channels[c];
        if (model->decimation > 1) {
            decimate(model, counts + c);
        }
        int32_t middle = model->detrend ? mean(model, counts + c) : channel->offset;
        for (uint32_t i = 0; i < model->length; i++) {
            input[i * channels + c] = scaled(model, channel, counts[i * channels + c] - middle);
        }
    }
}
