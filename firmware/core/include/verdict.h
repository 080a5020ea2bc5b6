/* What the network's output says of a window. */
#ifndef VERDICT_H
#define VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "simtwin_model.h"

struct verdict {
    uint32_t level;      /* as defined at model_description.threshold_int8 */
    bool flagged;        /* the level is above the threshold */
    uint8_t class_index; /* 0, normal, unless flagged; else the likeliest other class, 1 of an autoencoder */
    uint8_t confidence;  /* percent: of a classifier the probability of what was decided; of an autoencoder how far the level
                          * is from the threshold, 50 at it, 100 at twice it or at 0 */
};

struct verdict verdict_of(const struct model_description *model, const int8_t *input, const int8_t *output,
                          uint32_t threshold);

#endif
