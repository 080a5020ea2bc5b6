struct softmax {
    const int32_t *powers; /* exp of minus 0, 1, .. depth - 1 steps of the input, in Q31; null: to be computed */
    int32_t multiplier;    /* a step in Q26, as multiplier / 2^31 * 2^left */
    uint16_t depth, n;
    uint8_t left;
};

/* Product of two numbers in Q31, or of one in Q31 and one in another format; halves up. */
static int32_t high_product(int32_t one, int32_t other)
{
    return (int32_t)(((int64_t)one * other + (1 << 30)) >> 31);
}

/* exp of minus so many steps, in Q31: a polynomial for what is below 1/4, a factor for each bit above. */
static int32_t power(const struct softmax *p, uint32_t steps)
{
#if MODEL_POWER_TABLES
    if (p->powers)
        return p->powers[steps];
#endif
#if MODEL_POWERS_COMPUTED
    static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    if (steps == 0)
        return INT32_MAX;
    const int32_t x = high_product(-(int32_t)(steps << p->left), p->multiplier);
    const int32_t inside = (x & 0xFFFFFF) - (1 << 24);
    const int32_t a = inside * 32 + (1 << 28); /* from -1/8 on, Q31 */
    const int32_t a2 = high_product(a, a), a3 = high_product(a2, a), a4 = high_product(a2, a2);
    const int32_t tail = high_product(((a4 + (a4 >> 31) + 2) >> 2) + a3, 715827883) + a2;
    int32_t y = 1895147668 + high_product(1895147668, a + ((tail + (tail >> 31) + 1) >> 1));
    for (uint32_t bit = 0, rest = (uint32_t)(inside - x) >> 24; bit < 7; bit++)
        if (rest >> bit & 1u)
            y = high_product(y, factors[bit]);
    return y;
#else
    return 0;
#endif
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

/* Probabilities of a row, in 1/256 from -128. */
static void softmax(const struct softmax *p, const int8_t *x, int8_t *restrict out)
{
    const uint32_t n = p->n, depth = p->depth;
    int32_t top = -128;
    for (uint32_t i = 0; i < n; i++)
        top = x[i] > top ? x[i] : top;
    uint32_t sum = 0; /* Q19 */
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t below = (uint32_t)(top - x[i]);
        if (below < depth)
            sum += ((uint32_t)power(p, below) + (1u << 11)) >> 12;
    }
    uint32_t right = 35; /* 12 bits before the point of sum, 23 from Q31 to 1/256 */
    for (; sum < 0x80000000u; right--)
        sum <<= 1;
    const int32_t scale = reciprocal(sum);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t below = (uint32_t)(top - x[i]);
        uint32_t y = 0; /* unsigned: rounding up may reach 2^31 */
        if (below < depth)
            y = ((uint32_t)high_product(scale, power(p, below)) + (1u << (right - 1))) >> right;
        out[i] = (int8_t)clamp((int32_t)y - 128, -128, 127);
    }
}
