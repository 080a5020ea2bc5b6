static int8_t mean_row(const struct mean *p, const int8_t *x, uint32_t n)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += x[i];
    return mean_of(p, sum);
}
