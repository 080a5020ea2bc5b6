#include "store.h"

#include <stdbool.h>

#include "bytes.h"
#include "crc32.h"
#include "errors.h"
#include "hal.h"

#define MAGIC 0x46435453u /* "STCF" */
#define SLOTS_PER_SECTOR (HAL_FLASH_SECTOR_BYTES / STORE_SLOT_BYTES)
#define SLOTS (SLOTS_PER_SECTOR * HAL_FLASH_SECTORS)

/* A record: magic, sequence, boots, number of fields, the fields, CRC-32 of all before it. */
#define FIELDS_AT 16u
#define MOST_FIELDS ((STORE_SLOT_BYTES - FIELDS_AT - 4u) / 4u)
_Static_assert(CONFIG_FIELDS <= MOST_FIELDS, "the configuration does not fit in a slot");

static bool read_slot(uint32_t slot, uint8_t *bytes) {
    return hal_flash_read(slot * STORE_SLOT_BYTES, bytes, STORE_SLOT_BYTES) == 0;
}

static bool is_valid(const uint8_t *bytes) {
    uint32_t fields = get_u32(bytes + 12);
    if (get_u32(bytes) != MAGIC || fields > MOST_FIELDS) {
        return false;
    }
    size_t count = FIELDS_AT + 4u * fields;
    return get_u32(bytes + count) == crc32(bytes, count);
}

static bool is_blank(const uint8_t *bytes) {
    for (size_t i = 0; i < STORE_SLOT_BYTES; i++) {
        if (bytes[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

int store_load(struct store *store, struct config *config, uint32_t *boots) {
    uint8_t bytes[STORE_SLOT_BYTES];
    *store = (struct store){0, SLOTS - 1};
    *boots = 0;
    config_defaults(config);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        if (!read_slot(slot, bytes) || !is_valid(bytes) || get_u32(bytes + 4) <= store->sequence) {
            continue;
        }
        *store = (struct store){get_u32(bytes + 4), slot};
        *boots = get_u32(bytes + 8);
        /* A record of older firmware has fewer fields, one of newer firmware more. */
        config_defaults(config);
        uint32_t fields = get_u32(bytes + 12);
        for (uint32_t i = 0; i < fields && i < CONFIG_FIELDS; i++) {
            *config_at(config, i) = (int32_t)get_u32(bytes + FIELDS_AT + 4u * i);
        }
    }
    return store->sequence ? 0 : ERROR_EMPTY;
}

static bool write_slot(uint32_t slot, const uint8_t *record, size_t count) {
    uint8_t bytes[STORE_SLOT_BYTES];
    if (!read_slot(slot, bytes) || !is_blank(bytes)) {
        return false;
    }
    if (hal_flash_program(slot * STORE_SLOT_BYTES, record, count) || !read_slot(slot, bytes)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != record[i]) {
            return false;
        }
    }
    return true;
}

int store_save(struct store *store, const struct config *config, uint32_t boots) {
    uint8_t record[FIELDS_AT + 4u * CONFIG_FIELDS + 4u];
    put_u32(record, MAGIC);
    put_u32(record + 4, store->sequence + 1u);
    put_u32(record + 8, boots);
    put_u32(record + 12, CONFIG_FIELDS);
    for (size_t i = 0; i < CONFIG_FIELDS; i++) {
        put_u32(record + FIELDS_AT + 4u * i, (uint32_t)((const int32_t *)config)[i]);
    }
    put_u32(record + sizeof record - 4u, crc32(record, sizeof record - 4u));

    /* What is left of the newest record's sector, then the other one, erased. */
    uint32_t sector = store->slot / SLOTS_PER_SECTOR;
    uint32_t other = (sector + 1u) % HAL_FLASH_SECTORS;
    for (uint32_t i = store->slot % SLOTS_PER_SECTOR + 1u; i < 2u * SLOTS_PER_SECTOR; i++) {
        uint32_t slot = (i < SLOTS_PER_SECTOR ? sector : other) * SLOTS_PER_SECTOR + i % SLOTS_PER_SECTOR;
        if (i == SLOTS_PER_SECTOR && hal_flash_erase_sector(other * HAL_FLASH_SECTOR_BYTES)) {
            return ERROR_FLASH;
        }
        if (write_slot(slot, record, sizeof record)) {
            *store = (struct store){store->sequence + 1u, slot};
            return 0;
        }
    }
    return ERROR_FLASH;
}
