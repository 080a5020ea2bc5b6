/* Product; an operand of step 0 is one value for the whole row. */
struct multiply {
    int32_t multiplier;
    int16_t a_zero, b_zero, zero, low, high;
    int8_t shift;
    uint8_t a_step, b_step;
    uint16_t n;
};

static void multiply(const struct multiply *p, const int8_t *a, const int8_t *b, int8_t *restrict out)
{
    for (uint32_t i = 0; i < p->n; i++, a += p->a_step, b += p->b_step) {
        const int32_t y = rescale((*a - p->a_zero) * (*b - p->b_zero), p->multiplier, p->shift) + p->zero;
        out[i] = (int8_t)clamp(y, p->low, p->high);
    }
}
