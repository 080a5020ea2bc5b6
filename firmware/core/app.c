#include "app.h"

#include "build_identity.h"
#include "bytes.h"
#include "command.h"
#include "frame.h"
#include "hal.h"
#include "line.h"

void app_apply_threshold(struct app *app) {
    app->threshold = app->config.threshold < 0 ? model_description.threshold_int8 : (uint32_t)app->config.threshold;
}

void app_tell_identity(const struct app *app, const char *word) {
    static const char *const causes[] = {"power", "software", "watchdog", "brownout", "other"};
    struct line line = {0};
    uint8_t build[4] = {BUILD_ID >> 24, BUILD_ID >> 16 & 255, BUILD_ID >> 8 & 255, BUILD_ID & 255};
    line_text(&line, word);
    line_text(&line, " simtwin " BUILD_VERSION " build ");
    line_hex(&line, build, sizeof build);
    line_word(&line, "model ");
    line_hex(&line, model_description.sha256, 8);
    line_word(&line, model_description.architecture);
    line_value(&line, "boot", (int32_t)app->alerts.header.boots);
    line_word(&line, "reset");
    line_word(&line, causes[hal_reset_cause()]);
    line_send(&line);
}

static void say_hello(struct app *app) {
    struct frame_identity identity = {
        .version = {BUILD_VERSION_BYTES},
        .reset_cause = (uint8_t)hal_reset_cause(),
        .build_id = BUILD_ID,
    };
    bytes_copy(identity.model_sha256, model_description.sha256, sizeof identity.model_sha256);
    frame_send_hello(&app->alerts.header, &identity);
    app_tell_identity(app, "hello");
    broadcaster_tell(&app->broadcaster, alerts_report(&app->alerts, &app->alerts.latest, LSM6DSO_NO_TEMPERATURE));
}

/* Also in use when flash is broken: a monitor that runs with defaults is better than none. Returns the counter of encrypted
 * packets to go on from; the bound above it is saved together with the start. */
static uint32_t load_store(struct app *app) {
    struct store *store = &app->store;
    struct line line = {0};
    (void)store_load(store);
    int wrong = config_check(&store->config);
    if (wrong >= 0) {
        line_text(&line, "stored value not allowed, defaults used: ");
        line_text(&line, config_fields[wrong].name);
        line_send(&line);
        config_defaults(&store->config);
    }
    app->config = store->config;
    uint32_t counter = store->counter_bound;
    store->counter_bound = store->has_key ? store_next_bound(counter) : counter;
    store->boots++;
    app->alerts.header.boots = store->boots;
    if (store_save(store)) {
        line_text(&line, "flash: configuration not saved");
        line_send(&line);
        store->counter_bound = counter;
    }
    return counter;
}

/* Half of the FIFO at most between two readings, whatever the configuration says. */
static uint32_t batch_us(const struct app *app) {
    uint32_t words = app->acquire.channels / 3u;
    uint64_t half_nano = (uint64_t)(LSM6DSO_FIFO_WORDS / 2u) * 1000000000u;
    uint32_t longest_us = (uint32_t)(half_nano / (model_description.rate_millihz * words));
    uint32_t wanted_us = (uint32_t)app->config.batch_ms * 1000u;
    return wanted_us < longest_us ? wanted_us : longest_us;
}

void app_start(struct app *app) {
    bytes_fill(app, 0, sizeof *app);
    app->alerts.header.model_id = get_u32(model_description.sha256);
    uint32_t counter = load_store(app);
    app_apply_threshold(app);
    broadcaster_init(&app->broadcaster, &app->store, counter, app->config.bluetooth);
    say_hello(app);
    if (pipeline_init(&app->pipeline, &app->acquire.setup)) {
        hal_fatal("the model's channels or rate are none of an LSM6DSO's", model_description.rate_millihz);
    }
    alerts_init(&app->alerts, &app->config, &app->broadcaster);
    acquire_init(&app->acquire, &app->config, model_description.rate_millihz);
    hal_watchdog_start((uint32_t)app->config.watchdog_ms);
    hal_tick_start(batch_us(app), acquire_tick, &app->acquire);
}

/* Sensors that come and go; `ready` once all are there or given up, right after their batch rate was set. */
static void tell_sensors(struct app *app) {
    int32_t running = 0, undecided = 0;
    for (int32_t i = 0; i < app->config.sensors; i++) {
        uint8_t state = app->acquire.sources[i].state;
        running += state == ACQUIRE_RUNNING;
        undecided += state == ACQUIRE_START || state == ACQUIRE_RESETTING;
        if (state != app->told_state[i] && (state == ACQUIRE_RUNNING || state == ACQUIRE_AWAY)) {
            struct line line = {0};
            app->told_state[i] = state;
            line_text(&line, "imu ");
            line_number(&line, i);
            line_word(&line, state == ACQUIRE_RUNNING ? "running" : "away");
            line_send(&line);
        }
    }
    if (!app->told_ready && running && !undecided) {
        struct line line = {0};
        app->told_ready = true;
        line_text(&line, "ready");
        line_value(&line, "imus", running);
        line_value(&line, "rate", (int32_t)model_description.rate_millihz);
        line_word(&line, "mHz");
        line_send(&line);
    }
}

static int16_t temperature_c100(const struct app *app) {
    for (int32_t i = 0; i < app->config.sensors; i++) {
        if (app->acquire.sources[i].state == ACQUIRE_RUNNING) {
            return app->acquire.sources[i].temperature_c100;
        }
    }
    return LSM6DSO_NO_TEMPERATURE;
}

void app_step(struct app *app) {
    tell_sensors(app);
    for (int i = 0; i < 4 && pipeline_step(&app->pipeline, &app->acquire, app->threshold, &app->window); i++) {
        alerts_window(&app->alerts, &app->config, app->threshold, &app->window, temperature_c100(app));
    }
    alerts_time(&app->alerts, &app->config, app->threshold, temperature_c100(app));
    broadcaster_poll(&app->broadcaster);
    command_poll(app);
    /* Both the tick and this loop must be alive: whichever hangs, the watchdog is no longer fed. */
    if (app->acquire.ticks != app->fed_tick) {
        app->fed_tick = app->acquire.ticks;
        hal_watchdog_feed();
    }
}
