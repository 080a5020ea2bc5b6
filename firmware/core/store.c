#include "store.h"

#include <stdbool.h>

#include "bytes.h"
#include "crc32.h"
#include "errors.h"
#include "hal.h"

#define MAGIC 0x32435453u /* "STC2" */
#define SLOTS_PER_SECTOR (HAL_FLASH_SECTOR_BYTES / STORE_SLOT_BYTES)
#define SLOTS (SLOTS_PER_SECTOR * HAL_FLASH_SECTORS)

/* A record, by offset: magic, sequence, boots, bound of the counter, 1 if there is a key, the key, number of fields, the
 * fields, CRC-32 of all before it. */
enum { SEQUENCE_AT = 4, BOOTS_AT = 8, BOUND_AT = 12, HAS_KEY_AT = 16, KEY_AT = 20, COUNT_AT = 36, FIELDS_AT = 40 };
#define MOST_FIELDS ((STORE_SLOT_BYTES - FIELDS_AT - 4u) / 4u)
_Static_assert(CONFIG_FIELDS <= MOST_FIELDS, "the configuration does not fit in a slot");

static bool read_slot(uint32_t slot, uint8_t *bytes) {
    return hal_flash_read(slot * STORE_SLOT_BYTES, bytes, STORE_SLOT_BYTES) == 0;
}

static bool is_valid(const uint8_t *bytes) {
    uint32_t fields = get_u32(bytes + COUNT_AT);
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

static void take_record(struct store *store, uint32_t slot, const uint8_t *bytes) {
    store->sequence = get_u32(bytes + SEQUENCE_AT);
    store->slot = slot;
    store->boots = get_u32(bytes + BOOTS_AT);
    store->counter_bound = get_u32(bytes + BOUND_AT);
    store->has_key = get_u32(bytes + HAS_KEY_AT) == 1u;
    bytes_copy(store->key, bytes + KEY_AT, sizeof store->key);
    /* A record of older firmware has fewer fields, one of newer firmware more. */
    config_defaults(&store->config);
    uint32_t fields = get_u32(bytes + COUNT_AT);
    for (uint32_t i = 0; i < fields && i < CONFIG_FIELDS; i++) {
        *config_at(&store->config, i) = (int32_t)get_u32(bytes + FIELDS_AT + 4u * i);
    }
}

uint32_t store_next_bound(uint32_t bound) {
    return bound < UINT32_MAX - STORE_COUNTER_STEP ? bound + STORE_COUNTER_STEP : UINT32_MAX;
}

int store_load(struct store *store) {
    uint8_t bytes[STORE_SLOT_BYTES];
    *store = (struct store){.slot = SLOTS - 1};
    config_defaults(&store->config);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        if (read_slot(slot, bytes) && is_valid(bytes) && get_u32(bytes + SEQUENCE_AT) > store->sequence) {
            take_record(store, slot, bytes);
        }
    }
    if (!store->sequence) {
        return ERROR_EMPTY;
    }
    for (uint32_t i = 1; i < SLOTS; i++) {
        bool readable = read_slot((store->slot + i) % SLOTS, bytes);
        if (readable && (is_blank(bytes) || is_valid(bytes))) {
            break;
        }
        store->counter_bound = store_next_bound(store->counter_bound);
    }
    return 0;
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

int store_save(struct store *store) {
    uint8_t record[FIELDS_AT + 4u * CONFIG_FIELDS + 4u];
    put_u32(record, MAGIC);
    put_u32(record + SEQUENCE_AT, store->sequence + 1u);
    put_u32(record + BOOTS_AT, store->boots);
    put_u32(record + BOUND_AT, store->counter_bound);
    put_u32(record + HAS_KEY_AT, store->has_key);
    bytes_copy(record + KEY_AT, store->key, sizeof store->key);
    put_u32(record + COUNT_AT, CONFIG_FIELDS);
    for (size_t i = 0; i < CONFIG_FIELDS; i++) {
        put_u32(record + FIELDS_AT + 4u * i, (uint32_t)*config_at(&store->config, i));
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
            store->sequence++;
            store->slot = slot;
            return 0;
        }
    }
    return ERROR_FLASH;
}
