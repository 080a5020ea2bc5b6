/* A row times a matrix that was computed: one row of it for each output, interleaved by fours. Rows and biases are there
 * for a multiple of four outputs; what those rows hold that no output has does not matter. */
struct product {
    int32_t multiplier;
    uint16_t inputs, outputs;
    int16_t a_zero, b_zero, zero;
    int8_t shift;
};

/* What the zero point of `a` adds, for each output: the rows of `b` lie interleaved. */
static void product_bias(const struct product *p, const int8_t *b, int32_t *restrict bias)
{
    const uint32_t n = p->inputs;
    for (uint32_t j = 0; j < p->outputs; j++) {
        const int8_t *row = b + (j & ~3u) * n + (j & 3u);
        int32_t sum = 0;
        for (uint32_t k = 0; k < n; k++)
            sum += row[4 * k] - p->b_zero;
        bias[j] = -p->a_zero * sum;
    }
    for (uint32_t j = p->outputs; j & 3u; j++)
        bias[j] = 0;
}

static void product(const struct product *p, const int8_t *a, const int8_t *b, const int32_t *bias, int8_t *restrict out)
{
    const uint32_t n = p->inputs, outputs = p->outputs;
    int32_t sum = 0;
    for (uint32_t k = 0; k < n; k++)
        sum += a[k];
    sum *= p->b_zero;
    for (uint32_t j = 0; j < outputs; b += 4 * n) {
        int32_t sums[4];
        dot4(a, b, n, bias + j, sums);
        for (uint32_t i = 0; i < 4 && j < outputs; i++, j++)
            out[j] = (int8_t)clamp(rescale(sums[i] - sum, p->multiplier, p->shift) + p->zero, -128, 127);
    }
}
