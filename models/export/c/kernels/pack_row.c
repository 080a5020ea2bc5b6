/* A row becomes row number `number` of a matrix of rows of n elements, which lie interleaved by fours. */
static void pack_row(int8_t *restrict to, const int8_t *row, uint32_t number, uint32_t n)
{
    to += (number & ~3u) * n + (number & 3u);
    for (uint32_t i = 0; i < n; i++)
        to[4 * i] = row[i];
}
