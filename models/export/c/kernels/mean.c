/* Means: the sum, less the zero points in it, rescaled; the division is in the multiplier. */
struct mean {
    int32_t zeros; /* input's zero point times the number of values */
    int32_t multiplier;
    int8_t shift;
    int16_t zero;
};

static int8_t mean_of(const struct mean *p, int32_t sum)
{
    return (int8_t)clamp(rescale(sum - p->zeros, p->multiplier, p->shift) + p->zero, -128, 127);
}
