#include "median.h"

int16_t median_of(const int16_t *readings, uint32_t count) {
    int32_t a = readings[0];
    if (count == 1) {
        return (int16_t)a;
    }
    int32_t b = readings[1];
    int32_t low = a < b ? a : b, high = a < b ? b : a;
    if (count == 2) {
        return (int16_t)((low + high) >> 1);
    }
    int32_t c = readings[2];
    return (int16_t)(c < low ? low : c > high ? high : c);
}
