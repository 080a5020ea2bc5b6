/* Sizes fixed when the firmware is built. */
#ifndef SIZES_H
#define SIZES_H

#include "build_identity.h"
#include "model.h"

#define MAX_SENSORS 3 /* IMUs on the bus: an odd number outvotes one of them */

/* SENSOR_CHANNELS, kept of every IMU, comes with the build: 3, accelerations; 6, angular rates too. */

/* A window, the hop that may arrive while it is worked on, and a batch more; a power of two, for the indices run free. */
#define RING_NEEDED (MODEL_WINDOW + MODEL_HOP + 256)
#if RING_NEEDED <= 1024
#define RING_SAMPLES 1024u
#elif RING_NEEDED <= 2048
#define RING_SAMPLES 2048u
#elif RING_NEEDED <= 4096
#define RING_SAMPLES 4096u
#elif RING_NEEDED <= 8192
#define RING_SAMPLES 8192u
#else
#error "windows of more than some 4000 samples do not fit in memory"
#endif

#endif
