/* What lasts over a restart, in flash: configuration, starts, bind key and the bound of its counter; safe against a power cut
 * at any byte.
 *
 * Two sectors of 16 slots. A record is written to the next blank slot; when its sector is full, the other one is erased
 * first. The newest valid record is thus never touched: after a cut it is still there, or the new one is whole. */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "aes.h"
#include "config.h"

#define STORE_SLOT_BYTES 256u
#define STORE_COUNTER_STEP 1021u /* odd: docs/bluetooth.md says why */

struct store {
    uint32_t sequence;      /* of the newest record; 0: none */
    uint32_t slot;          /* where it is */
    struct config config;   /* as set; what takes effect at the next start may not be in force yet */
    uint32_t boots;         /* starts so far */
    uint32_t counter_bound; /* no encrypted packet had a counter as high as this */
    uint8_t key[AES_KEY_BYTES];
    bool has_key;
};

/* Reads the newest record. Returns 0; or ERROR_EMPTY and defaults, no boots and no key where there is none that is valid.
 *
 * What was written after that record and is not valid may have been a record once, whose bound was a step higher: the bound
 * is raised by a step for each. */
int store_load(struct store *store);

/* Writes a record and reads it back. Returns 0, or ERROR_FLASH when neither sector takes it. */
int store_save(struct store *store);

/* The bound a step after this one, UINT32_MAX at most. */
uint32_t store_next_bound(uint32_t bound);

#endif
