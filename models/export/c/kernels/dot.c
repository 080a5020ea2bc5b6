/* Four products of a row with rows of a matrix, n > 0: sums[j] = start[j] + sum of x[k] * w[4 * k + j], k = 0 .. n - 1. The
 * four rows lie interleaved, so that two pointers do. */
#define DOT4_AT(k) \
    a += x[k] * w[4 * (k)], b += x[k] * w[4 * (k) + 1], c += x[k] * w[4 * (k) + 2], d += x[k] * w[4 * (k) + 3]

static void dot4(const int8_t *x, const int8_t *w, uint32_t n, const int32_t start[4], int32_t *restrict sums)
{
    int32_t a = start[0], b = start[1], c = start[2], d = start[3];
    const int8_t *end = x + (n & ~3u);
    while (x != end) {
        DOT4_AT(0);
        DOT4_AT(1);
        DOT4_AT(2);
        DOT4_AT(3);
        x += 4, w += 16;
    }
#if MODEL_DOT_REMAINDERS
    for (end += n & 3u; x != end; x++, w += 4)
        DOT4_AT(0);
#endif
    sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
}
