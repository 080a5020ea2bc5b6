#include "bthome.h"

#include "bytes.h"
#include "ccm.h"
#include "frame.h"
#include "lsm6dso.h"

enum { PACKET_ID = 0x00, PROBLEM = 0x26, VIBRATION = 0x2C, ACCELERATION = 0x51, RAW = 0x54, TEMPERATURE = 0x57 };
enum { PLAIN = 0x40, ENCRYPTED = 0x41 }; /* version 2, sent at its own times */

#define NOT_JUDGED 15u
#define NO_SENSOR 3u
#define MMPS2_PER_G 9807u

/* Flags: general discoverable, no BR/EDR. Then service data of UUID 0xFCD2, whose length is yet to come. */
static const uint8_t preamble[] = {0x02, 0x01, 0x06, 0, 0x16, 0xD2, 0xFC};
enum { LENGTH_AT = 3, UUID_AT = 5, COUNTER_BYTES = 4 };

static uint32_t accel_mmps2(uint32_t rms_mg) {
    uint32_t value = (rms_mg * MMPS2_PER_G + 500u) / 1000u;
    return value < UINT16_MAX ? value : UINT16_MAX;
}

/* To the nearest degree, halves to the even one. */
static uint8_t degrees(int32_t c100) {
    int32_t up = c100 + 50, whole = up / 100 - (up % 100 < 0);
    whole -= whole * 100 == up && whole % 2;
    whole = whole < INT8_MIN ? INT8_MIN : whole > INT8_MAX ? INT8_MAX : whole;
    return (uint8_t)whole;
}

static uint32_t state_word(const struct bthome_report *report) {
    uint32_t machine = report->machine_state < NOT_JUDGED ? report->machine_state : NOT_JUDGED - 1u;
    machine = report->machine_state == FRAME_NOT_JUDGED ? NOT_JUDGED : machine;
    uint32_t sensor = report->sensor == FRAME_NO_SENSOR ? NO_SENSOR : report->sensor;
    return machine | (uint32_t)report->sensor_state << 4 | sensor << 7 | (uint32_t)report->confidence << 9;
}

size_t bthome_objects(const struct bthome_report *report, uint8_t objects[BTHOME_OBJECTS_BYTES]) {
    objects[0] = PACKET_ID;
    objects[1] = report->packet_id;
    objects[2] = PROBLEM;
    objects[3] = report->sensor_alert;
    objects[4] = VIBRATION;
    objects[5] = report->machine_alert;
    objects[6] = ACCELERATION;
    put_u16(objects + 7, accel_mmps2(report->rms_mg));
    objects[9] = RAW;
    objects[10] = 2;
    put_u16(objects + 11, state_word(report));
    if (report->temperature_c100 == LSM6DSO_NO_TEMPERATURE) {
        return 13;
    }
    objects[13] = TEMPERATURE;
    objects[14] = degrees(report->temperature_c100);
    return 15;
}

struct advertisement bthome_advertisement(const struct bthome_report *report, const struct bthome_seal *seal) {
    struct advertisement made = {{0}, 0};
    uint8_t *at = made.bytes + sizeof preamble;
    bytes_copy(made.bytes, preamble, sizeof preamble);
    *at++ = seal ? ENCRYPTED : PLAIN;
    size_t count = bthome_objects(report, at);
    if (seal) {
        uint8_t nonce[CCM_NONCE_BYTES];
        bytes_copy(nonce, seal->address, BTHOME_ADDRESS_BYTES);
        bytes_copy(nonce + 6, made.bytes + UUID_AT, 3); /* and the device information behind it */
        put_u32(nonce + 9, seal->counter);
        put_u32(at + count, seal->counter);
        (void)ccm_encrypt(seal->key, nonce, at, count, at + count + COUNTER_BYTES);
        count += COUNTER_BYTES + CCM_TAG_BYTES;
    }
    made.count = (uint8_t)((size_t)(at - made.bytes) + count);
    made.bytes[LENGTH_AT] = (uint8_t)(made.count - LENGTH_AT - 1);
    return made;
}
