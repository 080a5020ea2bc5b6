/* Samples of one IMU on their way from the tick to the main loop: one writer, one reader, no lock. */
#ifndef STREAM_H
#define STREAM_H

#include <stdint.h>

#include "sizes.h"

struct stream {
    int16_t samples[RING_SAMPLES][SENSOR_CHANNELS];
    volatile uint32_t head; /* samples written so far; runs over */
    volatile uint32_t gap;  /* head at the last interruption: samples before and after it do not belong together */
};

/* The tick's side. A sample is there once `head` has moved past it. */
static inline void stream_put(struct stream *stream, const int16_t *sample, uint32_t channels) {
    uint32_t head = stream->head;
    for (uint32_t c = 0; c < channels; c++) {
        stream->samples[head % RING_SAMPLES][c] = sample[c];
    }
    __asm__ volatile("" ::: "memory");
    stream->head = head + 1;
}

static inline void stream_interrupted(struct stream *stream) { stream->gap = stream->head; }

/* The main loop's side. */
static inline const int16_t *stream_at(const struct stream *stream, uint32_t index) {
    return stream->samples[index % RING_SAMPLES];
}

#endif
