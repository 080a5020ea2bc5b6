#include "frame.h"

#include "bytes.h"
#include "crc32.h"
#include "hal.h"
#include "line.h"

static void put_header(struct frame_header *header, enum frame_type type, uint8_t *frame) {
    frame[0] = FRAME_VERSION;
    frame[1] = (uint8_t)type;
    put_u16(frame + 2, header->boots);
    put_u32(frame + 4, header->sequence++);
    put_u32(frame + 8, (uint32_t)(hal_time_us() / 1000u));
    put_u32(frame + 12, header->model_id);
}

static void send(uint8_t *frame, size_t count) {
    struct line line = {0};
    put_u32(frame + count - 4, crc32(frame, count - 4));
    line_text(&line, "$");
    line_hex(&line, frame, count);
    line_send(&line);
}

void frame_send_state(struct frame_header *header, enum frame_type type, const struct frame_state *state) {
    uint8_t frame[FRAME_STATE_BYTES];
    put_header(header, type, frame);
    put_u32(frame + 16, state->window);
    put_u32(frame + 20, state->level);
    put_u32(frame + 24, state->threshold);
    frame[28] = state->machine_state;
    frame[29] = state->confidence;
    frame[30] = state->sensor;
    frame[31] = state->sensor_state;
    put_u16(frame + 32, state->rms_mg);
    put_u16(frame + 34, state->peak_mg);
    put_u16(frame + 36, (uint16_t)state->temperature_c100);
    frame[38] = state->flags;
    frame[39] = state->sound;
    send(frame, sizeof frame);
}

void frame_send_hello(struct frame_header *header, const struct frame_identity *identity) {
    uint8_t frame[FRAME_HELLO_BYTES];
    put_header(header, FRAME_HELLO, frame);
    bytes_copy(frame + 16, identity->version, 3);
    frame[19] = identity->reset_cause;
    put_u32(frame + 20, header->boots);
    put_u32(frame + 24, identity->build_id);
    bytes_copy(frame + 28, identity->model_sha256, SIMTWIN_MODEL_HASH_SIZE);
    send(frame, sizeof frame);
}
