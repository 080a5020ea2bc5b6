/* When what is on the air: packets, their numbers, and the controller that advertises them. docs/bluetooth.md, "When". */
#ifndef BROADCASTER_H
#define BROADCASTER_H

#include <stdbool.h>
#include <stdint.h>

#include "bthome.h"
#include "hci.h"
#include "store.h"

#define BROADCAST_QUEUE 4u   /* frames that come at the same moment: of the machine and of three sensors */
#define BROADCAST_AIR_MS 220u /* a packet stays on the air for at least an interval and the random delay after it */

/* Where the controller is: which command waits for its answer. */
enum broadcast_stage {
    BROADCAST_OFF = 0, /* none answers; the next new packet begins again with Reset */
    BROADCAST_RESET,
    BROADCAST_ADDRESS,
    BROADCAST_PARAMETERS,
    BROADCAST_FIRST_DATA,
    BROADCAST_ENABLE,
    BROADCAST_ON /* it advertises */
};

struct broadcaster {
    struct hci hci;
    struct store *store;   /* the bind key, and the bound that the counter has not reached */
    uint64_t handed_us;    /* when the latest packet was handed to the controller */
    uint32_t counter;      /* the last one used */
    uint8_t address[BTHOME_ADDRESS_BYTES];
    uint8_t packet_id;     /* of the next packet */
    uint8_t stage;         /* enum broadcast_stage */
    uint8_t waiting;       /* packets in the queue */
    bool enabled;
    bool exhausted;        /* no counter is left, or its bound cannot be saved: nothing is sent any more */
    struct advertisement queue[BROADCAST_QUEUE]; /* made and not yet handed to the controller, the oldest first */
};

/* `store` is loaded; counters above `counter` and below the bound in flash were never used. Sends nothing yet. */
void broadcaster_init(struct broadcaster *broadcaster, struct store *store, uint32_t counter, bool enabled);

/* Makes a new packet of a report, whose packet id is filled in here, and sends what can be sent. */
void broadcaster_tell(struct broadcaster *broadcaster, struct bthome_report report);

/* Listens to the controller and goes on as it allows. */
void broadcaster_poll(struct broadcaster *broadcaster);

/* Sets the bind key, or clears it given null, and saves that. The next packet, with it, begins again with Reset; the counter goes
 * on. Returns 0, or ERROR_FLASH and all is as before. */
int broadcaster_set_key(struct broadcaster *broadcaster, const uint8_t *key);

#endif
