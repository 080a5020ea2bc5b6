/* The same of a row that holds element number `number` of each of the matrix' n rows, which have `length` elements. */
static void pack_column(int8_t *restrict to, const int8_t *column, uint32_t number, uint32_t length, uint32_t n)
{
    to += 4 * number;
    for (uint32_t i = 0; i < n; i++)
        to[(i & ~3u) * length + (i & 3u)] = column[i];
}
