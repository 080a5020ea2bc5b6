/* Fusion of several IMUs: the median sample by sample, so that one that goes wrong cannot pull the result away. */
#ifndef MEDIAN_H
#define MEDIAN_H

#include <stdint.h>

/* Median of 1 .. 3 readings; of two their mean, rounded towards minus infinity. */
int16_t median_of(const int16_t *readings, uint32_t count);

#endif
