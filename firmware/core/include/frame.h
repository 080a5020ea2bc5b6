/* Binary frames for machines, carried as `$` and upper-case hexadecimal on a line of their own. Little-endian; layout and
 * meaning of every byte: docs/firmware.md; decoded by firmware/frames.py. */
#ifndef FRAME_H
#define FRAME_H

#include <stdint.h>

#include "simtwin_model.h"

#define FRAME_VERSION 1
#define FRAME_HEADER_BYTES 16u
#define FRAME_STATE_BYTES 44u
#define FRAME_HELLO_BYTES 64u

enum frame_type {
    FRAME_HELLO = 1,
    FRAME_HEARTBEAT = 2,
    FRAME_MACHINE_RAISED = 3,
    FRAME_MACHINE_CHANGED = 4,
    FRAME_MACHINE_REPEATED = 5,
    FRAME_MACHINE_CLEARED = 6,
    FRAME_SENSOR_RAISED = 7,
    FRAME_SENSOR_CHANGED = 8,
    FRAME_SENSOR_REPEATED = 9,
    FRAME_SENSOR_CLEARED = 10,
    FRAME_WINDOW = 11
};

#define FRAME_NO_SENSOR 255u
#define FRAME_NOT_JUDGED 255u

enum frame_flag { FRAME_MACHINE_ALERT = 1, FRAME_SENSOR_ALERT = 2, FRAME_JUDGED = 4 };

/* What all frames of a run share. */
struct frame_header {
    uint32_t sequence; /* of the next frame */
    uint32_t model_id; /* first four bytes of the model's SHA-256 */
    uint32_t boots;
};

struct frame_state {
    uint32_t window, level, threshold;
    uint16_t rms_mg, peak_mg;
    int16_t temperature_c100;
    uint8_t machine_state; /* class, or FRAME_NOT_JUDGED */
    uint8_t confidence;    /* percent */
    uint8_t sensor;        /* which, or FRAME_NO_SENSOR */
    uint8_t sensor_state;  /* enum sensor_state */
    uint8_t flags;         /* enum frame_flag */
    uint8_t sound;         /* bit n: IMU n is used */
};

struct frame_identity {
    uint8_t version[3];
    uint8_t reset_cause; /* enum hal_reset_cause */
    uint32_t build_id;
    uint8_t model_sha256[SIMTWIN_MODEL_HASH_SIZE];
};

void frame_send_state(struct frame_header *header, enum frame_type type, const struct frame_state *state);
void frame_send_hello(struct frame_header *header, const struct frame_identity *identity);

#endif
