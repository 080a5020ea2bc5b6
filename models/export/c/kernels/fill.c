static void fill_bytes(int8_t *to, int32_t value, uint32_t n)
{
    for (int8_t *end = to + n; to != end;)
        *to++ = (int8_t)value;
}
