/* From a window of counts to the network's input: models/preprocessing.py, integer by integer. */
#ifndef PREPROCESS_H
#define PREPROCESS_H

#include <stdint.h>

#include "simtwin_model.h"

/* counts: (window, channels), time-major, overwritten by a decimation; input: (length, channels), time-major.
 * Shifts of negative numbers are taken to be arithmetic, as every compiler for these chips has them. */
void preprocess(const struct model_description *model, int16_t *counts, int8_t *input);

/* 256 * log2(u), 0 < u < 2^17, to within 0.56. */
int32_t log2_q8(uint32_t u);

#endif
