/* x times multiplier / 2^31 / 2^(shift + 1) in two roundings: the product's high half, halves up; then the shift, halves
 * away from zero. |x| is below 2^30. */
static inline int32_t rescale(int32_t x, int32_t multiplier, int32_t shift)
{
#if MODEL_LEFT_SHIFTS
    if (shift < 0) {
        const int64_t shifted = (int64_t)(x * (1 << (-1 - shift))) * 2 * multiplier;
        return (int32_t)(shifted >> 32) + (int32_t)((uint32_t)shifted >> 31);
    }
#endif
    const int64_t product = (int64_t)(x * 2) * multiplier;
    const int32_t high = (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31);
    return (((high + (high >> 31)) >> shift) + 1) >> 1;
}
