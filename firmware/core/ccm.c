#include "ccm.h"

#include "bytes.h"
#include "errors.h"

/* First byte of a block: two bytes are left for lengths (L' is 1) and, of the first one, a tag of 4 bytes (M' is 1). */
#define FLAGS_COUNTER 0x01u
#define FLAGS_FIRST (FLAGS_COUNTER | 0x08u)

/* Flags, nonce, 16 bits. */
static void start_block(uint8_t block[AES_BLOCK_BYTES], uint8_t flags, const uint8_t nonce[CCM_NONCE_BYTES], size_t number) {
    block[0] = flags;
    bytes_copy(block + 1, nonce, CCM_NONCE_BYTES);
    block[14] = (uint8_t)(number >> 8);
    block[15] = (uint8_t)number;
}

int ccm_encrypt(const uint8_t key[AES_KEY_BYTES], const uint8_t nonce[CCM_NONCE_BYTES], uint8_t *bytes, size_t count,
                uint8_t tag[CCM_TAG_BYTES]) {
    uint8_t sum[AES_BLOCK_BYTES], stream[AES_BLOCK_BYTES];
    if (count > CCM_MOST_BYTES) {
        return ERROR_ARGUMENT;
    }
    start_block(sum, FLAGS_FIRST, nonce, count);
    aes128_encrypt(key, sum);
    for (size_t at = 0; at < count; at += AES_BLOCK_BYTES) {
        start_block(stream, FLAGS_COUNTER, nonce, at / AES_BLOCK_BYTES + 1u);
        aes128_encrypt(key, stream);
        for (size_t i = 0; i < AES_BLOCK_BYTES && at + i < count; i++) {
            sum[i] ^= bytes[at + i];
            bytes[at + i] ^= stream[i];
        }
        aes128_encrypt(key, sum);
    }
    start_block(stream, FLAGS_COUNTER, nonce, 0);
    aes128_encrypt(key, stream);
    for (size_t i = 0; i < CCM_TAG_BYTES; i++) {
        tag[i] = sum[i] ^ stream[i];
    }
    return 0;
}
