/* A row becomes a column. */
static void put_column(int8_t *restrict to, const int8_t *row, uint32_t rows, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++, to += rows)
        *to = row[i];
}
