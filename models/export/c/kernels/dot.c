/* Four products of a row with rows of a matrix: sums[j] = start[j] + sum of x[k] * w[j * n + k], k = 0 .. n - 1, n > 0. */
static void dot4(const int8_t *x, const int8_t *w, uint32_t n, const int32_t start[4], int32_t sums[4])
{
    const int8_t *v = w + n, *u = v + n, *t = u + n;
    int32_t a = start[0], b = start[1], c = start[2], d = start[3];
    const int8_t *end = x + (n & ~3u);
    while (x != end) {
        const int32_t x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
        a += x0 * w[0] + x1 * w[1] + x2 * w[2] + x3 * w[3];
        b += x0 * v[0] + x1 * v[1] + x2 * v[2] + x3 * v[3];
        c += x0 * u[0] + x1 * u[1] + x2 * u[2] + x3 * u[3];
        d += x0 * t[0] + x1 * t[1] + x2 * t[2] + x3 * t[3];
        x += 4, w += 4, v += 4, u += 4, t += 4;
    }
#if MODEL_DOT_REMAINDERS
    for (end += n & 3u; x != end; x++) {
        a += *x * *w++;
        b += *x * *v++;
        c += *x * *u++;
        d += *x * *t++;
    }
#endif
    sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
}
