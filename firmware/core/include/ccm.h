/* AES-128 in CCM mode (RFC 3610, NIST SP 800-38C) as BTHome uses it: nonce of 13 bytes, tag of 4, nothing authenticated
 * but the message itself. */
#ifndef CCM_H
#define CCM_H

#include <stddef.h>
#include <stdint.h>

#include "aes.h"

#define CCM_NONCE_BYTES 13u
#define CCM_TAG_BYTES 4u
#define CCM_MOST_BYTES 255u

/* Encrypts `count` (0 .. CCM_MOST_BYTES) bytes in place and gives their tag. The same nonce may never be used twice with a key.
 * Returns 0 or ERROR_ARGUMENT. */
int ccm_encrypt(const uint8_t key[AES_KEY_BYTES], const uint8_t nonce[CCM_NONCE_BYTES], uint8_t *bytes, size_t count,
                uint8_t tag[CCM_TAG_BYTES]);

#endif
