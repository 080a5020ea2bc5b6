/* Sigmoid of x / 2^12 in Q15, from a table of sigmoid(i / 24) in Q16. */
static int32_t sigmoid_q15(int32_t x)
{
    const uint32_t size = (uint32_t)(x < 0 ? -x : x) * 3, at = size >> 9;
    uint32_t y = 0x7FFFu << 10;
    if (at < 255)
        y = ((uint32_t)sigmoids[at] << 9) + (size & 511) * (uint32_t)(sigmoids[at + 1] - sigmoids[at]);
    return (int32_t)((x < 0 ? (1u << 25) - y + 511 : y + 512) >> 10);
}

/* tanh of x / 2^12 in Q15, of x scaled by 3: tanh(z) is 2 sigmoid(2 z) - 1. */
static int32_t tanh_q15(int32_t x_by_3)
{
    const int32_t size = x_by_3 < 0 ? -x_by_3 : x_by_3, at = size >> 8;
    int32_t y = 0xFFFF << 8;
    if (at < 255)
        y = (sigmoids[at] << 8) + (size & 255) * (sigmoids[at + 1] - sigmoids[at]);
    return (x_by_3 < 0 ? (1 << 23) - y + 127 : y - (1 << 23) + 128) >> 8;
}

struct lstm {
    const int8_t *input_weights, *state_weights; /* interleaved rows, four for each unit: input, forget, cell, output gate */
    const int32_t *input_bias, *state_bias;      /* in the same order; state_step 0: one for all units */
    int32_t input_multiplier[4], state_multiplier[4];
    int8_t input_shift[4], state_shift[4];
    int32_t keep_multiplier, new_multiplier, out_multiplier; /* forget * cell, input * candidate, output * tanh(cell) */
    int8_t keep_shift, new_shift, out_shift;
    uint8_t state_step;
    uint8_t tanh_factor, tanh_shift; /* the cell's scale to 3 / 2^12 */
    uint16_t inputs, units;
    int16_t zero;
    int32_t clip;
};

static int32_t int16(int32_t x)
{
    return clamp(x, -32768, 32767);
}

/* One step: from the last outputs `state` to `out`; the cells are changed in place. */
static void lstm(const struct lstm *p, const int8_t *x, const int8_t *state, int16_t *restrict cells, int8_t *restrict out)
{
    const int8_t *w = p->input_weights, *v = p->state_weights;
    const int32_t *state_bias = p->state_bias;
    for (uint32_t unit = 0; unit < p->units; unit++) {
        int32_t gate[4], from_state[4];
        dot4(x, w, p->inputs, p->input_bias + 4 * unit, gate);
        dot4(state, v, p->units, state_bias, from_state);
        w += 4 * (uint32_t)p->inputs, v += 4 * (uint32_t)p->units, state_bias += p->state_step;
        for (uint32_t i = 0; i < 4; i++)
            gate[i] = int16(int16(rescale(gate[i], p->input_multiplier[i], p->input_shift[i])) +
                            int16(rescale(from_state[i], p->state_multiplier[i], p->state_shift[i])));
        const int32_t kept = int16(rescale(sigmoid_q15(gate[1]) * cells[unit], p->keep_multiplier, p->keep_shift));
        const int32_t added =
            int16(rescale(sigmoid_q15(gate[0]) * tanh_q15(gate[2] * 3), p->new_multiplier, p->new_shift));
        const int32_t cell = clamp(int16(kept + added), -p->clip, p->clip);
        cells[unit] = (int16_t)cell;
        const int32_t scaled = (cell * p->tanh_factor + ((1 << p->tanh_shift) >> 1)) >> p->tanh_shift;
        const int32_t y = rescale(tanh_q15(scaled) * sigmoid_q15(gate[3]), p->out_multiplier, p->out_shift);
        out[unit] = (int8_t)clamp(y + p->zero, -128, 127);
    }
}
