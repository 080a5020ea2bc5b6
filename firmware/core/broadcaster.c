#include "broadcaster.h"

#include "bytes.h"
#include "hal.h"
#include "line.h"

#define RANDOM_STATIC 0xC0u /* the two highest bits of such an address (Core Specification, volume 6, part B, 1.3.2.1) */

void broadcaster_init(struct broadcaster *broadcaster, struct store *store, uint32_t counter, bool enabled) {
    *broadcaster = (struct broadcaster){.store = store, .counter = counter, .enabled = enabled};
    hal_mac_address(broadcaster->address);
    broadcaster->address[0] |= RANDOM_STATIC;
}

/* The next counter, below a bound that is in flash. False: there is none. */
static bool next_counter(struct broadcaster *broadcaster) {
    struct store *store = broadcaster->store;
    uint32_t before = store->counter_bound;
    if (broadcaster->exhausted) {
        return false;
    }
    if ((uint64_t)broadcaster->counter + 1u >= before) {
        store->counter_bound = store_next_bound(before);
        if (store->counter_bound == before || store_save(store)) {
            struct line line = {0};
            line_text(&line, "bluetooth: silent, for its counter ");
            line_text(&line, store->counter_bound == before ? "is at its end" : "could not be saved");
            line_send(&line);
            store->counter_bound = before;
            broadcaster->exhausted = true;
            return false;
        }
    }
    broadcaster->counter++;
    return true;
}

static void drop_oldest(struct broadcaster *broadcaster) {
    broadcaster->waiting--;
    for (size_t i = 0; i < broadcaster->waiting; i++) {
        broadcaster->queue[i] = broadcaster->queue[i + 1];
    }
}

/* A controller that is not set up yet gets the latest packet when it is. */
static void enqueue(struct broadcaster *broadcaster, const struct advertisement *packet) {
    if (broadcaster->stage < BROADCAST_FIRST_DATA) {
        broadcaster->waiting = 0;
    } else if (broadcaster->waiting == BROADCAST_QUEUE) {
        drop_oldest(broadcaster);
    }
    broadcaster->queue[broadcaster->waiting++] = *packet;
}

static void hand_over(struct broadcaster *broadcaster) {
    hci_set_advertising_data(&broadcaster->hci, &broadcaster->queue[0]);
    broadcaster->handed_us = hal_time_us();
    drop_oldest(broadcaster);
}

/* The controller has done what it was told: what comes next. */
static void go_on(struct broadcaster *broadcaster) {
    switch (broadcaster->stage) {
    case BROADCAST_RESET:
        hci_set_random_address(&broadcaster->hci, broadcaster->address);
        break;
    case BROADCAST_ADDRESS:
        hci_set_advertising_parameters(&broadcaster->hci);
        break;
    case BROADCAST_PARAMETERS:
        hand_over(broadcaster);
        break;
    case BROADCAST_FIRST_DATA:
        hci_enable_advertising(&broadcaster->hci);
        break;
    case BROADCAST_ON:
        if (broadcaster->waiting &&
            hal_time_us() - broadcaster->handed_us >= (uint64_t)BROADCAST_AIR_MS * 1000u) {
            hand_over(broadcaster);
        }
        return;
    case BROADCAST_ENABLE:
    default:
        break;
    }
    broadcaster->stage++;
}

void broadcaster_poll(struct broadcaster *broadcaster) {
    if (!broadcaster->enabled) {
        return;
    }
    switch (hci_poll(&broadcaster->hci)) {
    case HCI_IDLE:
        if (broadcaster->stage != BROADCAST_OFF) {
            go_on(broadcaster);
        }
        break;
    case HCI_FAILED:
        broadcaster->stage = BROADCAST_OFF;
        break;
    case HCI_WAITING:
        break;
    }
}

void broadcaster_tell(struct broadcaster *broadcaster, struct bthome_report report) {
    const struct store *store = broadcaster->store;
    if (!broadcaster->enabled || (store->has_key && !next_counter(broadcaster))) {
        return;
    }
    const struct bthome_seal seal = {store->key, broadcaster->address, broadcaster->counter};
    report.packet_id = broadcaster->packet_id++;
    const struct advertisement packet = bthome_advertisement(&report, store->has_key ? &seal : NULL);
    enqueue(broadcaster, &packet);
    if (broadcaster->stage == BROADCAST_OFF) {
        hci_reset(&broadcaster->hci);
        broadcaster->stage = BROADCAST_RESET;
    }
    broadcaster_poll(broadcaster);
}

int broadcaster_set_key(struct broadcaster *broadcaster, const uint8_t *key) {
    struct store *store = broadcaster->store;
    const struct store before = *store;
    store->has_key = key != NULL;
    bytes_fill(store->key, 0, sizeof store->key);
    if (key) {
        bytes_copy(store->key, key, sizeof store->key);
    }
    int failed = store_save(store);
    if (failed) {
        *store = before;
        return failed;
    }
    broadcaster->waiting = 0; /* what was made with the former key is not sent any more */
    broadcaster->stage = BROADCAST_OFF;
    return 0;
}
