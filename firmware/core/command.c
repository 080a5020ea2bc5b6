#include "command.h"

#include "bytes.h"
#include "errors.h"
#include "hal.h"
#include "line.h"

#define MOST_WORDS 4

static bool equal(const char *a, const char *b) {
    for (size_t i = 0; i < COMMAND_BYTES; i++) {
        if (a[i] != b[i]) {
            return false;
        }
        if (!a[i]) {
            return true;
        }
    }
    return false;
}

/* A decimal number, with or without minus; false for anything else or what does not fit. */
static bool parse_number(const char *text, int32_t *value) {
    bool negative = text[0] == '-';
    const char *digits = text + negative;
    uint32_t magnitude = 0, most = (uint32_t)INT32_MAX + negative;
    if (!digits[0]) {
        return false;
    }
    for (; *digits; digits++) { /* at most COMMAND_BYTES times */
        uint32_t digit = (uint32_t)(*digits - '0');
        if (digit > 9 || magnitude > (most - digit) / 10u) {
            return false;
        }
        magnitude = magnitude * 10u + digit;
    }
    *value = negative ? (int32_t)(0u - magnitude) : (int32_t)magnitude;
    return true;
}

static void answer(const char *text) {
    struct line line = {0};
    line_text(&line, text);
    line_send(&line);
}

/* ---- the commands ---- */

typedef void run_command(struct app *app, int words, char *const *word);

static run_command help, version, status, threshold, config, defaults, bind_key, self_test, reboot;

static const struct {
    const char *name;
    run_command *run;
    int most_words;
    const char *usage;
} commands[] = {
    {"help", help, 1, "help - lists the commands"},
    {"version", version, 1, "version - firmware, build, model, starts"},
    {"status", status, 1, "status - what is going on"},
    {"threshold", threshold, 2, "threshold [LEVEL or model] - shows or sets the level above which a window is flagged"},
    {"config", config, 3, "config [NAME [VALUE]] - shows all fields or one, or sets it"},
    {"defaults", defaults, 1, "defaults - all fields as they came"},
    {"bindkey", bind_key, 2, "bindkey [KEY or none] - shows whether Bluetooth is encrypted; sets its key, 32 hexadecimal digits"},
    {"selftest", self_test, 1, "selftest - moves the proof masses of every IMU and looks"},
    {"reboot", reboot, 1, "reboot - starts again"},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void help(struct app *app, int words, char *const *word) {
    (void)app;
    (void)words;
    (void)word;
    for (size_t i = 0; i < COMMANDS; i++) {
        answer(commands[i].usage);
    }
    answer("ok");
}

static void version(struct app *app, int words, char *const *word) {
    (void)words;
    (void)word;
    app_tell_identity(app, "ok");
}

static void tell_radio(const struct app *app) {
    const struct broadcaster *radio = &app->broadcaster;
    struct line line = {0};
    line_text(&line, "bluetooth");
    line_word(&line, !radio->enabled ? "off" : radio->stage == BROADCAST_ON ? "on" : "no-controller");
    line_word(&line, "address ");
    for (size_t i = 0; i < sizeof radio->address; i++) {
        line_text(&line, i ? ":" : "");
        line_hex(&line, radio->address + i, 1);
    }
    line_word(&line, app->store.has_key ? "encrypted" : "plain");
    line_word(&line, "counter ");
    line_unsigned(&line, radio->counter);
    line_send(&line);
}

static void status(struct app *app, int words, char *const *word) {
    (void)words;
    (void)word;
    struct line line = {0};
    uint8_t alert = app->alerts.machine.alert;
    line_text(&line, "machine");
    line_word(&line, alert ? "alert" : "normal");
    line_word(&line, model_description.classes[alert]);
    line_value(&line, "windows", (int32_t)app->pipeline.windows);
    line_value(&line, "late", (int32_t)app->pipeline.late);
    line_value(&line, "level", (int32_t)app->alerts.latest.verdict.level);
    line_value(&line, "threshold", (int32_t)app->threshold);
    line_value(&line, "uptime", (int32_t)(hal_time_us() / 1000000u));
    line_word(&line, "s");
    line_send(&line);
    for (int32_t i = 0; i < app->config.sensors; i++) {
        static const char *const states[] = {"starting", "resetting", "running", "away"};
        const struct source *source = &app->acquire.sources[i];
        line_text(&line, "imu ");
        line_number(&line, i);
        line_word(&line, states[source->state]);
        line_word(&line, sensor_state_names[app->alerts.sensors[i].alert]);
        line_value(&line, "samples", (int32_t)source->stream.head);
        line_value(&line, "bus-errors", source->bus_errors);
        line_value(&line, "overruns", source->overruns);
        if (source->temperature_c100 != LSM6DSO_NO_TEMPERATURE) {
            line_value(&line, "temperature", source->temperature_c100 / 100);
            line_word(&line, "C");
        }
        line_send(&line);
    }
    tell_radio(app);
    answer("ok");
}

static void save(struct app *app, const char *name, int32_t value, const char *remark) {
    struct line line = {0};
    if (store_save(&app->store)) {
        answer("error flash: not saved");
        return;
    }
    line_text(&line, "ok ");
    line_text(&line, name);
    line_text(&line, " ");
    line_number(&line, value);
    line_text(&line, remark);
    line_send(&line);
}

/* Fields that need no new start. */
static bool is_live(const struct config *config, const int32_t *field) {
    return field == &config->threshold || field == &config->report_windows || field == &config->alert_repeat_s ||
           field == &config->heartbeat_s || (field >= &config->settle_windows && field <= &config->silent_ms);
}

static void set_field(struct app *app, size_t field, int32_t value) {
    struct config changed = app->store.config;
    *config_at(&changed, field) = value;
    if (config_check(&changed) >= 0) {
        const struct config_field *about = &config_fields[field];
        struct line line = {0};
        line_text(&line, "error ");
        line_text(&line, about->name);
        line_value(&line, "must be", about->low);
        line_value(&line, "to", about->high);
        line_word(&line, about->unit);
        line_text(&line, value >= about->low && value <= about->high ? ", and fit the other fields" : "");
        line_send(&line);
        return;
    }
    app->store.config = changed;
    bool live = is_live(&app->config, config_at(&app->config, field));
    if (live) {
        *config_at(&app->config, field) = value;
        app_apply_threshold(app);
    }
    save(app, config_fields[field].name, value, live ? "" : ", from the next start on");
}

static void threshold(struct app *app, int words, char *const *word) {
    int32_t value = -1;
    if (words == 1) {
        struct line line = {0};
        line_text(&line, "ok threshold ");
        line_unsigned(&line, app->threshold);
        line_send(&line);
        return;
    }
    if (!equal(word[1], "model") && (!parse_number(word[1], &value) || value < 0)) {
        answer("error threshold must be 0 to 2147483647, or model");
        return;
    }
    set_field(app, offsetof(struct config, threshold) / sizeof(int32_t), value);
}

static void tell_field(struct app *app, const char *before, size_t field) {
    struct line line = {0};
    line_text(&line, before);
    line_text(&line, config_fields[field].name);
    line_text(&line, " ");
    line_number(&line, *config_at(&app->store.config, field));
    line_word(&line, config_fields[field].unit);
    line_send(&line);
}

static void config(struct app *app, int words, char *const *word) {
    if (words == 1) {
        for (size_t i = 0; i < CONFIG_FIELDS; i++) {
            tell_field(app, "", i);
        }
        answer("ok");
        return;
    }
    for (size_t i = 0; i < CONFIG_FIELDS; i++) {
        int32_t value;
        if (!equal(word[1], config_fields[i].name)) {
            continue;
        }
        if (words == 2) {
            tell_field(app, "ok ", i);
        } else if (parse_number(word[2], &value)) {
            set_field(app, i, value);
        } else {
            answer("error value must be a whole number");
        }
        return;
    }
    answer("error no such field; config lists them");
}

static void defaults(struct app *app, int words, char *const *word) {
    (void)words;
    (void)word;
    config_defaults(&app->store.config);
    save(app, "defaults", (int32_t)CONFIG_FIELDS, " fields, from the next start on");
}

/* Two hexadecimal digits; -1 if they are none. */
static int32_t parse_byte(const char *text) {
    int32_t value = 0;
    for (int i = 0; i < 2; i++) {
        char c = text[i];
        int32_t digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
        if (digit < 0) {
            return -1;
        }
        value = value << 4 | digit;
    }
    return value;
}

static bool parse_key(const char *text, uint8_t key[AES_KEY_BYTES]) {
    for (size_t i = 0; i < AES_KEY_BYTES; i++) {
        int32_t value = parse_byte(text + 2 * i); /* a text that ends early ends here too: its last byte is no digit */
        if (value < 0) {
            return false;
        }
        key[i] = (uint8_t)value;
    }
    return !text[2 * AES_KEY_BYTES];
}

/* The key itself is never told. */
static void bind_key(struct app *app, int words, char *const *word) {
    uint8_t key[AES_KEY_BYTES];
    bool clear = words == 2 && equal(word[1], "none");
    if (words == 2 && !clear && !parse_key(word[1], key)) {
        answer("error the key must be 32 hexadecimal digits, or none");
        return;
    }
    if (words == 2 && broadcaster_set_key(&app->broadcaster, clear ? NULL : key)) {
        answer("error flash: not saved");
        return;
    }
    answer(app->store.has_key ? "ok bindkey set" : "ok bindkey none");
}

static void wait_ms(uint32_t ms) {
    uint64_t end_us = hal_time_us() + (uint64_t)ms * 1000u;
    while (hal_time_us() < end_us) { /* the tick wakes the chip at least every 50 ms */
        hal_watchdog_feed();
        hal_wait_for_event();
    }
}

static void self_test(struct app *app, int words, char *const *word) {
    (void)words;
    (void)word;
    bool passed = true;
    app->acquire.paused = true;
    for (int32_t i = 0; i < app->config.sensors; i++) {
        int32_t shift[6] = {0};
        struct line line = {0};
        int failed = lsm6dso_self_test((unsigned)i, wait_ms, shift);
        passed = passed && !failed;
        line_text(&line, "imu ");
        line_number(&line, i);
        line_word(&line, failed == 0 ? "passed" : failed == ERROR_DEVICE ? "failed" : "away");
        line_word(&line, "mg");
        for (int axis = 0; axis < 3; axis++) {
            line_text(&line, " ");
            line_number(&line, shift[axis]);
        }
        line_word(&line, "deg/s");
        for (int axis = 3; axis < 6; axis++) {
            line_text(&line, " ");
            line_number(&line, shift[axis]);
        }
        line_send(&line);
    }
    acquire_restart(&app->acquire);
    app->pipeline.window_us = hal_time_us(); /* the silence was ours */
    answer(passed ? "ok" : "error self-test failed");
}

static void reboot(struct app *app, int words, char *const *word) {
    (void)app;
    (void)words;
    (void)word;
    answer("ok");
    hal_reboot();
}

/* ---- lines ---- */

static void run_line(struct app *app) {
    char *word[MOST_WORDS];
    int words = 0;
    bool in_word = false;
    for (size_t i = 0; i < app->command_used; i++) {
        char *c = &app->command[i];
        bool space = *c == ' ' || *c == '\t';
        if (!space && !in_word) {
            if (words == MOST_WORDS) {
                answer("error too many words; help lists the commands");
                return;
            }
            word[words++] = c;
        }
        in_word = !space;
        *c = space ? '\0' : *c;
    }
    app->command[app->command_used] = '\0';
    if (words == 0) {
        return;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (equal(word[0], commands[i].name)) {
            if (words > commands[i].most_words) {
                answer("error too many words; help lists the commands");
            } else {
                commands[i].run(app, words, word);
            }
            return;
        }
    }
    answer("error no such command; help lists them");
}

void command_poll(struct app *app) {
    uint8_t bytes[64];
    size_t count = hal_uart_read(HAL_UART_CONSOLE, bytes, sizeof bytes);
    for (size_t i = 0; i < count; i++) {
        char c = (char)bytes[i];
        if (c == '\n' || c == '\r') {
            if (app->command_too_long) {
                answer("error line too long");
            } else {
                run_line(app);
            }
            app->command_used = 0;
            app->command_too_long = false;
        } else if (bytes[i] < 0x20 || bytes[i] > 0x7E || app->command_used == COMMAND_BYTES - 1) {
            app->command_too_long = true; /* or no text at all */
        } else {
            app->command[app->command_used++] = c;
        }
    }
}
