/* AES-128 (FIPS 197), encryption only: all that CCM needs. Not constant in time: nobody who can time it is away from the device. */
#ifndef AES_H
#define AES_H

#include <stdint.h>

#define AES_BLOCK_BYTES 16u
#define AES_KEY_BYTES 16u

/* Encrypts one block in place. Round keys are made on the way: nothing of the key is kept. */
void aes128_encrypt(const uint8_t key[AES_KEY_BYTES], uint8_t block[AES_BLOCK_BYTES]);

#endif
