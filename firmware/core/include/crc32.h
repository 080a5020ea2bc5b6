/* CRC-32 as of IEEE 802.3, zip and PNG: polynomial 0x04C11DB7 reflected, start and end inverted. */
#ifndef CRC32_H
#define CRC32_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32(const uint8_t *bytes, size_t count);

/* Likewise of some bytes and `count` more, where `before` is that of the former; 0 is that of none. */
uint32_t crc32_more(uint32_t before, const uint8_t *bytes, size_t count);

#endif
