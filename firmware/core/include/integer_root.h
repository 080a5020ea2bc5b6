#ifndef INTEGER_ROOT_H
#define INTEGER_ROOT_H

#include <stdint.h>

/* The square root, rounded down. */
static inline uint32_t integer_root(uint64_t square) {
    uint64_t root = 0;
    for (uint64_t bit = (uint64_t)1 << 62; bit; bit >>= 2) { /* 32 times */
        if (square >= root + bit) {
            square -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (uint32_t)root;
}

#endif
