/* The firmware as a whole. A port's main is
 *
 *     static struct app app;
 *     app_start(&app);
 *     for (;;) { app_step(&app); hal_wait_for_event(); }
 */
#ifndef APP_H
#define APP_H

#include <stdbool.h>
#include <stdint.h>

#include "acquire.h"
#include "alerts.h"
#include "broadcaster.h"
#include "config.h"
#include "pipeline.h"
#include "store.h"

#define COMMAND_BYTES 80u

struct app {
    struct config config; /* in force */
    struct store store;   /* whose configuration differs in what takes effect at the next start */
    struct acquire acquire;
    struct pipeline pipeline;
    struct broadcaster broadcaster;
    struct alerts alerts;
    struct window window;
    uint32_t threshold;              /* in force */
    uint32_t fed_tick;               /* the tick at which the watchdog was last fed */
    uint8_t told_state[MAX_SENSORS]; /* the state of each sensor that was last told */
    bool told_ready;
    char command[COMMAND_BYTES]; /* a line that is still coming in */
    uint8_t command_used;
    bool command_too_long;
};

/* Loads the configuration, says hello, starts acquisition and watchdog. `app` needs no value before. */
void app_start(struct app *app);

/* Does all that is to be done now: windows, commands, repetitions, watchdog. */
void app_step(struct app *app);

/* The threshold in force, from the configuration or the model. */
void app_apply_threshold(struct app *app);

/* Version, build and model, as of the hello: shared with the command `version`. */
void app_tell_identity(const struct app *app, const char *word);

#endif
