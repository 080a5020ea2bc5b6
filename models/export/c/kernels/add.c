/* Sum or difference: both operands in a common scale, twice that of the coarser one, which is `a`; 20 bits more. An operand
 * of step 0 is one value for the whole row. */
struct add {
    int32_t a_factor; /* exact: 2^19, or -2^19 */
    int32_t b_factor; /* 2^20 or 2^21 */
    int32_t b_multiplier, multiplier;
    int16_t a_zero, b_zero, zero, low, high;
    int8_t b_shift, shift;
    int8_t b_sign;
    uint8_t a_step, b_step;
    uint16_t n;
};

static void add(const struct add *p, const int8_t *a, const int8_t *b, int8_t *restrict out)
{
    int32_t from_b = 0;
    for (uint32_t i = 0; i < p->n; i++, a += p->a_step) {
        if (i == 0 || p->b_step) {
            from_b = rescale((*b++ - p->b_zero) * p->b_factor, p->b_multiplier, p->b_shift) * p->b_sign;
        }
        const int32_t sum = (*a - p->a_zero) * p->a_factor + from_b;
        out[i] = (int8_t)clamp(rescale(sum, p->multiplier, p->shift) + p->zero, p->low, p->high);
    }
}
