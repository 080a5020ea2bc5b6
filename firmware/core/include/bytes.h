/* Bytes in memory; bare-metal compilers come without string.h. */
#ifndef BYTES_H
#define BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline void bytes_copy(void *to, const void *from, size_t count) { __builtin_memcpy(to, from, count); }

static inline void bytes_fill(void *to, uint8_t value, size_t count) { __builtin_memset(to, value, count); }

static inline void put_u16(uint8_t *to, uint32_t value) {
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static inline void put_u32(uint8_t *to, uint32_t value) {
    put_u16(to, value);
    put_u16(to + 2, value >> 16);
}

static inline int16_t get_i16(const uint8_t *from) {
    uint16_t value = (uint16_t)(from[0] | (uint16_t)(from[1] << 8));
    return (int16_t)value;
}

static inline uint32_t get_u32(const uint8_t *from) {
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

#endif
