/* Product of two numbers in Q31, or of one in Q31 and one in another format; halves up. */
static int32_t high_product(int32_t one, int32_t other)
{
    return (int32_t)(((int64_t)one * other + (1 << 30)) >> 31);
}

/* 2^62 / x in about 2^31 .. 2^30, for x = 2^31 .. 2^32 - 1: three steps of Newton's method from 48/17 - 32/17 * x / 2^32,
 * in Q29. */
static int32_t reciprocal(uint32_t x)
{
    const int32_t half = (int32_t)(((int64_t)(x - 0x80000000u) + INT32_MAX + 1) / 2);
    int32_t y = 1515870810 + high_product(half, -1010580540);
    for (int32_t step = 0; step < 3; step++)
        y += high_product(y, (1 << 29) - high_product(half, y)) * 4;
    return y > INT32_MAX / 2 ? INT32_MAX : y * 2;
}

/* Probabilities of a row, in 1/256 from -128; powers[d] is exp of -d steps of the input, in Q31. */
static void softmax(const int32_t *powers, uint32_t depth, const int8_t *x, int8_t *restrict out, uint32_t n)
{
    int32_t top = -128;
    for (uint32_t i = 0; i < n; i++)
        top = x[i] > top ? x[i] : top;
    uint32_t sum = 0; /* Q19 */
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t below = (uint32_t)(top - x[i]);
        if (below < depth)
            sum += ((uint32_t)powers[below] + (1u << 11)) >> 12;
    }
    uint32_t right = 35; /* 12 bits before the point of sum, 23 from Q31 to 1/256 */
    for (; sum < 0x80000000u; right--)
        sum <<= 1;
    const int32_t scale = reciprocal(sum);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t below = (uint32_t)(top - x[i]);
        uint32_t p = 0; /* unsigned: rounding up may reach 2^31 */
        if (below < depth)
            p = ((uint32_t)high_product(scale, powers[below]) + (1u << (right - 1))) >> right;
        out[i] = (int8_t)clamp((int32_t)p - 128, -128, 127);
    }
}
