/* Copy; `to` may lie before `from` in the same memory. */
static void copy_bytes(int8_t *to, const int8_t *from, uint32_t n)
{
    for (const int8_t *end = from + n; from != end;)
        *to++ = *from++;
}
