/* Windows become alerts here, and alerts become frames and lines on the console, and Bluetooth packets. */
#ifndef ALERTS_H
#define ALERTS_H

#include <stdbool.h>
#include <stdint.h>

#include "alert_policy.h"
#include "broadcaster.h"
#include "config.h"
#include "frame.h"
#include "pipeline.h"

struct alerts {
    struct alert_policy machine;
    struct alert_policy sensors[MAX_SENSORS];
    struct window held;    /* the last judged window: it counts once the next one shows no sensor's fault either */
    bool holds;
    struct window latest;  /* the last window that counted */
    uint64_t told_us;      /* of the last heartbeat or repetition */
    struct frame_header header;
    struct broadcaster *broadcaster;
};

void alerts_init(struct alerts *alerts, const struct config *config, struct broadcaster *broadcaster);

/* What stands now, and the figures of a window, for Bluetooth. */
struct bthome_report alerts_report(const struct alerts *alerts, const struct window *window, int16_t temperature_c100);

/* A window came: frames and lines for what it changes, and for itself if the configuration asks for that. */
void alerts_window(struct alerts *alerts, const struct config *config, uint32_t threshold, const struct window *window,
                   int16_t temperature_c100);

/* Heartbeat while nothing is raised, repetitions while something is, each at its time. */
void alerts_time(struct alerts *alerts, const struct config *config, uint32_t threshold, int16_t temperature_c100);

#endif
