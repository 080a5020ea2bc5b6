/* Configuration and boot counter in flash, safe against a power cut at any byte.
 *
 * Two sectors of 16 slots. A record is written to the next blank slot; when its sector is full, the other one is erased
 * first. The newest valid record is thus never touched: after a cut it is still there, or the new one is whole. */
#ifndef STORE_H
#define STORE_H

#include <stdint.h>

#include "config.h"

#define STORE_SLOT_BYTES 256u

struct store {
    uint32_t sequence; /* of the newest record; 0: none */
    uint32_t slot;     /* where it is */
};

/* Reads the newest record. Returns 0; or ERROR_EMPTY and defaults and no boots where there is none that is valid. */
int store_load(struct store *store, struct config *config, uint32_t *boots);

/* Writes a record and reads it back. Returns 0, or ERROR_FLASH when neither sector takes it. */
int store_save(struct store *store, const struct config *config, uint32_t boots);

#endif
