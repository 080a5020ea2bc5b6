/* A row through a matrix of weights; the input's zero point is in the bias. Rows of weights, interleaved by
 * fours, and biases are there for a multiple of four outputs. */
struct dense {
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
    uint16_t inputs, outputs;
    int16_t zero, low, high;
};

static void dense(const struct dense *p, const int8_t *x, int8_t *restrict out)
{
    const uint32_t n = p->inputs;
    const int32_t zero = p->zero, low = p->low, high = p->high;
    const int8_t *w = p->weights, *shift = p->shift;
    const int32_t *bias = p->bias, *multiplier = p->multiplier;
    for (const int8_t *end = out + p->outputs; out != end; w += 4 * n, bias += 4) {
        int32_t sums[4];
        dot4(x, w, n, bias, sums);
        for (const int32_t *sum = sums; sum != sums + 4 && out != end; sum++)
            *out++ = (int8_t)clamp(rescale(*sum, *multiplier++, *shift++) + zero, low, high);
    }
}
