/* What the device says over Bluetooth: objects and advertisement in the format BTHome v2. Every byte: docs/bluetooth.md. */
#ifndef BTHOME_H
#define BTHOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aes.h"

#define BTHOME_OBJECTS_BYTES 15u /* at most: 13 without a temperature */
#define BTHOME_ADDRESS_BYTES 6u
#define BTHOME_NO_CONFIDENCE 127u

struct bthome_report {
    uint16_t rms_mg;         /* of the acceleration without its mean */
    int16_t temperature_c100; /* LSM6DSO_NO_TEMPERATURE: unknown, and not sent */
    uint8_t packet_id;
    uint8_t machine_state;   /* class, or FRAME_NOT_JUDGED */
    uint8_t confidence;      /* of that class, percent, or BTHOME_NO_CONFIDENCE */
    uint8_t sensor;          /* with the gravest sensor alert, or FRAME_NO_SENSOR */
    uint8_t sensor_state;    /* of that one: enum sensor_state */
    bool machine_alert, sensor_alert;
};

/* What an encrypted packet is made with. */
struct bthome_seal {
    const uint8_t *key;     /* AES_KEY_BYTES: the bind key */
    const uint8_t *address; /* BTHOME_ADDRESS_BYTES: of the device, the most significant byte first */
    uint32_t counter;       /* never used before with this key */
};

/* An advertisement as it is on the air. */
#define ADVERTISEMENT_BYTES 31u
struct advertisement {
    uint8_t bytes[ADVERTISEMENT_BYTES]; /* zeros after the last */
    uint8_t count;
};

/* The objects of a report; returns how many bytes. */
size_t bthome_objects(const struct bthome_report *report, uint8_t objects[BTHOME_OBJECTS_BYTES]);

/* The whole advertisement of a report; encrypted unless `seal` is null. */
struct advertisement bthome_advertisement(const struct bthome_report *report, const struct bthome_seal *seal);

#endif
