/* A function of one byte, looked up; the table begins with that of -128. */
static void look_up(const int8_t table[256], const int8_t *x, int8_t *restrict out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] = table[x[i] + 128];
}
