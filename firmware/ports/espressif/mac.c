/* The address that the maker burnt into the eFuses. */
#include "hal.h"
#include "registers.h"

void hal_mac_address(uint8_t address[6]) {
    uint32_t high = EFUSE_MAC_HIGH, low = EFUSE_MAC_LOW;
    for (unsigned i = 0; i < 6; i++) {
        address[i] = (uint8_t)(i < 2 ? high >> 8 * (1 - i) : low >> 8 * (5 - i));
    }
}
