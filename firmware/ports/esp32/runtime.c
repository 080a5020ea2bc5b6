/* What the compilers expect of a library, as far as this firmware needs it: neither compiler brings all of it for this chip. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *a, const void *b, size_t count);
uint64_t __udivdi3(uint64_t a, uint64_t b);
uint64_t __umoddi3(uint64_t a, uint64_t b);
int64_t __divdi3(int64_t a, int64_t b);
int64_t __moddi3(int64_t a, int64_t b);

/* So that no loop here is taken for the very function that it is. */
#define KEEP_LOOP() __asm__ volatile("" ::: "memory")

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    uint8_t *target = to;
    const uint8_t *source = from;
    size_t i = 0;
    if ((((uintptr_t)to | (uintptr_t)from) & 3u) == 0) {
        for (; i + 4 <= count; i += 4) {
            *(uint32_t *)(void *)(target + i) = *(const uint32_t *)(const void *)(source + i);
            KEEP_LOOP();
        }
    }
    for (; i < count; i++) {
        target[i] = source[i];
        KEEP_LOOP();
    }
    return to;
}

void *memmove(void *to, const void *from, size_t count) {
    uint8_t *target = to;
    const uint8_t *source = from;
    bool is_behind = (uintptr_t)to > (uintptr_t)from;
    for (size_t i = 0; i < count; i++) {
        size_t at = is_behind ? count - 1 - i : i;
        target[at] = source[at];
        KEEP_LOOP();
    }
    return to;
}

void *memset(void *to, int value, size_t count) {
    uint8_t *target = to;
    for (size_t i = 0; i < count; i++) {
        target[i] = (uint8_t)value;
        KEEP_LOOP();
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t count) {
    const uint8_t *left = a, *right = b;
    for (size_t i = 0; i < count; i++) {
        if (left[i] != right[i]) {
            return left[i] - right[i];
        }
    }
    return 0;
}

/* Long division by bits; the remainder goes to `rest`. */
static uint64_t divide(uint64_t a, uint64_t b, uint64_t *rest) {
    if ((a | b) >> 32 == 0) {
        *rest = (uint32_t)a % (uint32_t)b;
        return (uint32_t)a / (uint32_t)b;
    }
    uint64_t quotient = 0, left = 0;
    for (uint32_t i = 0; i < 64; i++) {
        left = left << 1 | a >> 63;
        a <<= 1;
        quotient <<= 1;
        if (left >= b) {
            left -= b;
            quotient |= 1u;
        }
    }
    *rest = left;
    return quotient;
}

uint64_t __udivdi3(uint64_t a, uint64_t b) {
    uint64_t rest;
    return divide(a, b, &rest);
}

uint64_t __umoddi3(uint64_t a, uint64_t b) {
    uint64_t rest;
    (void)divide(a, b, &rest);
    return rest;
}

static uint64_t magnitude(int64_t a) { return a < 0 ? 0u - (uint64_t)a : (uint64_t)a; }

int64_t __divdi3(int64_t a, int64_t b) {
    uint64_t rest, quotient = divide(magnitude(a), magnitude(b), &rest);
    return (int64_t)((a < 0) != (b < 0) ? 0u - quotient : quotient);
}

int64_t __moddi3(int64_t a, int64_t b) {
    uint64_t rest;
    (void)divide(magnitude(a), magnitude(b), &rest);
    return (int64_t)(a < 0 ? 0u - rest : rest);
}
