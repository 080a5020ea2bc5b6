/* Rows first .. first + kernel - 1 of a tensor in memory: where they lie, or copied to `edge`, filled where there are none. */
struct window {
    int32_t rows;
    uint16_t width, kernel;
    int8_t zero;
};

static const int8_t *window(const struct window *p, const int8_t *x, int32_t first, int8_t *edge)
{
    const int32_t kernel = p->kernel, width = p->width;
    if (first >= 0 && first + kernel <= p->rows)
        return x + first * width;
    int8_t *to = edge;
    for (int32_t row = first; row < first + kernel; row++, to += width) {
        if (row >= 0 && row < p->rows)
            copy_bytes(to, x + row * width, p->width);
        else
            fill_bytes(to, p->zero, p->width);
    }
    return edge;
}
