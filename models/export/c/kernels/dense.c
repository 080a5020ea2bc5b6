/* A row through a matrix of weights; the input's zero point is in the bias. Rows of weights, interleaved by
 * fours, and biases are there for a multiple of four outputs. */
struct dense {
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *right;
    uint16_t inputs, outputs;
    int16_t zero, low, high;
};

static void dense(const struct dense *p, const int8_t *x, int8_t *out)
{
    const uint32_t n = p->inputs, outputs = p->outputs;
    const int8_t *w = p->weights;
    for (uint32_t j = 0; j < outputs; w += 4 * n) {
        int32_t sums[4];
        dot4(x, w, n, p->bias + j, sums);
        for (uint32_t i = 0; i < 4 && j < outputs; i++, j++) {
            const int32_t y = rescale(sums[i], p->multiplier[j], p->right[j]) + p->zero;
            out[j] = (int8_t)clamp(y, p->low, p->high);
        }
    }
}
