static void sum_row(int32_t *sums, const int8_t *x, int32_t row, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        sums[i] = x[i] + (row ? sums[i] : 0);
}

static void mean_rows(const struct mean *p, const int32_t *sums, int8_t *restrict out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] = mean_of(p, sums[i]);
}
