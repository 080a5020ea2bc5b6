#include "verdict.h"

/* Half of 65535 * 255 channels' worth of squares could leave 32 bits; such a level is cut off, far above any threshold. */
static uint32_t distance(const struct model_description *model, const int8_t *input, const int8_t *output) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < model->input_size; i++) {
        int32_t d = (int32_t)input[i] - (int32_t)output[i];
        uint32_t square = (uint32_t)(d * d);
        sum = sum > UINT32_MAX - square ? UINT32_MAX : sum + square;
    }
    return sum;
}

static uint8_t percent(uint32_t part, uint32_t whole) {
    if (part >= whole) {
        return 100;
    }
    while (part > UINT32_MAX / 100u) { /* at most 7 times */
        part >>= 1;
        whole >>= 1;
    }
    return (uint8_t)(part * 100u / whole);
}

struct verdict verdict_of(const struct model_description *model, const int8_t *input, const int8_t *output,
                          uint32_t threshold) {
    struct verdict verdict = {0};
    if (model->kind == MODEL_AUTOENCODER) {
        verdict.level = distance(model, input, output);
        verdict.flagged = verdict.level > threshold;
        verdict.class_index = verdict.flagged ? 1 : 0;
        uint32_t off = verdict.flagged ? verdict.level - threshold : threshold - verdict.level;
        verdict.confidence = (uint8_t)(50 + percent(off, threshold) / 2);
        return verdict;
    }
    uint8_t best = 1;
    for (uint8_t c = 1; c < model->class_count; c++) {
        verdict.level += (uint32_t)(output[c] + 128);
        best = output[c] > output[best] ? c : best;
    }
    verdict.flagged = verdict.level > threshold;
    verdict.class_index = verdict.flagged ? best : 0;
    /* Probabilities are rounded one by one: their sum may pass 256. */
    uint32_t p = verdict.flagged ? verdict.level : (uint32_t)(output[0] + 128);
    verdict.confidence = percent(p, 256);
    return verdict;
}
