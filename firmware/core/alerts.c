#include "alerts.h"

#include "hal.h"
#include "line.h"

void alerts_init(struct alerts *alerts, const struct config *config, struct broadcaster *broadcaster) {
    alerts->broadcaster = broadcaster;
    alert_policy_init(&alerts->machine, config->alert_k, config->alert_n, config->alert_clear);
    for (int i = 0; i < MAX_SENSORS; i++) {
        alert_policy_init(&alerts->sensors[i], config->sensor_k, config->sensor_n, config->sensor_clear);
    }
    alerts->told_us = hal_time_us();
}

/* The sensor with the gravest alert, the first of several; FRAME_NO_SENSOR: none stands. */
static uint8_t worst_sensor(const struct alerts *alerts) {
    uint8_t worst = FRAME_NO_SENSOR;
    for (uint8_t i = 0; i < MAX_SENSORS; i++) {
        if (alerts->sensors[i].alert && (worst == FRAME_NO_SENSOR || alerts->sensors[i].alert > alerts->sensors[worst].alert)) {
            worst = i;
        }
    }
    return worst;
}

static uint8_t worst_state(const struct alerts *alerts) {
    uint8_t worst = worst_sensor(alerts);
    return worst == FRAME_NO_SENSOR ? (uint8_t)SENSOR_OK : alerts->sensors[worst].alert;
}

static uint8_t class_of(const struct window *window) {
    return window->judged ? window->verdict.class_index : (uint8_t)FRAME_NOT_JUDGED;
}

struct bthome_report alerts_report(const struct alerts *alerts, const struct window *window, int16_t temperature_c100) {
    return (struct bthome_report){
        .rms_mg = alerts->latest.rms_mg,
        .temperature_c100 = temperature_c100,
        .machine_state = alerts->machine.alert ? alerts->machine.alert : class_of(window),
        .confidence = window->judged ? window->verdict.confidence : (uint8_t)BTHOME_NO_CONFIDENCE,
        .sensor = worst_sensor(alerts),
        .sensor_state = worst_state(alerts),
        .machine_alert = alerts->machine.alert != 0,
        .sensor_alert = worst_sensor(alerts) != FRAME_NO_SENSOR,
    };
}

static void send_frame(struct alerts *alerts, enum frame_type type, const struct window *window, uint32_t threshold,
                       int16_t temperature_c100, uint8_t machine_state, uint8_t sensor, uint8_t sensor_state) {
    const struct frame_state state = {
        .window = window->number,
        .level = window->verdict.level,
        .threshold = threshold,
        .rms_mg = window->rms_mg,
        .peak_mg = window->peak_mg,
        .temperature_c100 = temperature_c100,
        .machine_state = machine_state,
        .confidence = window->verdict.confidence,
        .sensor = sensor,
        .sensor_state = sensor_state,
        .flags = (uint8_t)((alerts->machine.alert ? FRAME_MACHINE_ALERT : 0) |
                           (worst_state(alerts) ? FRAME_SENSOR_ALERT : 0) | (window->judged ? FRAME_JUDGED : 0)),
        .sound = window->used,
    };
    frame_send_state(&alerts->header, type, &state);
    if (type != FRAME_WINDOW) {
        broadcaster_tell(alerts->broadcaster, alerts_report(alerts, window, temperature_c100));
    }
}

static void add_figures(struct line *line, const struct window *window) {
    line_value(line, "level", (int32_t)window->verdict.level);
    line_value(line, "confidence", window->verdict.confidence);
    line_value(line, "rms", window->rms_mg);
    line_word(line, "mg");
    line_value(line, "peak", window->peak_mg);
    line_word(line, "mg");
}

static void tell_machine(struct alerts *alerts, enum frame_type type, const char *what, uint8_t machine_state,
                         const struct window *window, uint32_t threshold, int16_t temperature_c100) {
    struct line line = {0};
    send_frame(alerts, type, window, threshold, temperature_c100, machine_state, FRAME_NO_SENSOR, worst_state(alerts));
    line_text(&line, "alert machine ");
    line_text(&line, what);
    line_word(&line, model_description.classes[machine_state]);
    add_figures(&line, window);
    line_value(&line, "window", (int32_t)window->number);
    line_send(&line);
}

static void tell_sensor(struct alerts *alerts, enum frame_type type, const char *what, uint8_t sensor,
                        uint8_t sensor_state, const struct window *window, uint32_t threshold,
                        int16_t temperature_c100) {
    struct line line = {0};
    uint8_t machine_state = class_of(window);
    send_frame(alerts, type, window, threshold, temperature_c100, machine_state, sensor, sensor_state);
    line_text(&line, "alert sensor ");
    line_unsigned(&line, sensor);
    line_word(&line, what);
    line_word(&line, sensor_state_names[sensor_state]);
    line_value(&line, "window", (int32_t)window->number);
    line_send(&line);
}

static void count_sensors(struct alerts *alerts, const struct config *config, uint32_t threshold,
                          const struct window *window, int16_t temperature_c100) {
    for (uint8_t i = 0; i < (uint8_t)config->sensors; i++) {
        struct alert_policy *policy = &alerts->sensors[i];
        uint8_t before = policy->alert;
        switch (alert_policy_step(policy, sensor_state_of(window->faults[i]))) {
        case ALERT_RAISED:
            tell_sensor(alerts, FRAME_SENSOR_RAISED, "raised", i, policy->alert, window, threshold, temperature_c100);
            break;
        case ALERT_CHANGED:
            tell_sensor(alerts, FRAME_SENSOR_CHANGED, "changed", i, policy->alert, window, threshold, temperature_c100);
            break;
        case ALERT_CLEARED:
            tell_sensor(alerts, FRAME_SENSOR_CLEARED, "cleared", i, before, window, threshold, temperature_c100);
            break;
        case ALERT_SAME:
            break;
        }
    }
}

static void count_machine(struct alerts *alerts, uint32_t threshold, const struct window *window,
                          int16_t temperature_c100) {
    uint8_t before = alerts->machine.alert;
    alerts->latest = *window;
    switch (alert_policy_step(&alerts->machine, window->verdict.class_index)) {
    case ALERT_RAISED:
        tell_machine(alerts, FRAME_MACHINE_RAISED, "raised", alerts->machine.alert, window, threshold, temperature_c100);
        break;
    case ALERT_CHANGED:
        tell_machine(alerts, FRAME_MACHINE_CHANGED, "changed", alerts->machine.alert, window, threshold,
                     temperature_c100);
        break;
    case ALERT_CLEARED:
        tell_machine(alerts, FRAME_MACHINE_CLEARED, "cleared", before, window, threshold, temperature_c100);
        break;
    case ALERT_SAME:
        break;
    }
}

static void report_window(struct alerts *alerts, const struct config *config, uint32_t threshold,
                          const struct window *window, int16_t temperature_c100) {
    struct line line = {0};
    uint8_t worst = SENSOR_OK;
    for (int32_t i = 0; i < config->sensors; i++) {
        uint8_t state = sensor_state_of(window->faults[i]);
        worst = state > worst ? state : worst;
    }
    uint8_t machine_state = class_of(window);
    send_frame(alerts, FRAME_WINDOW, window, threshold, temperature_c100, machine_state, FRAME_NO_SENSOR, worst);
    line_text(&line, "window ");
    line_unsigned(&line, window->number);
    line_word(&line, window->judged ? model_description.classes[machine_state] : "not-judged");
    add_figures(&line, window);
    line_word(&line, "sensors");
    line_word(&line, sensor_state_names[worst]);
    line_send(&line);
}

static void count_window(struct alerts *alerts, const struct config *config, uint32_t threshold,
                         const struct window *window, int16_t temperature_c100) {
    count_sensors(alerts, config, threshold, window, temperature_c100);
    if (!window->judged) {
        alerts->holds = false;
        return;
    }
    if (!config->settle_windows) {
        count_machine(alerts, threshold, window, temperature_c100);
        return;
    }
    if (alerts->holds) {
        count_machine(alerts, threshold, &alerts->held, temperature_c100);
    }
    alerts->held = *window;
    alerts->holds = true;
}

static bool any_raised(const struct alerts *alerts) { return alerts->machine.alert || worst_state(alerts); }

void alerts_window(struct alerts *alerts, const struct config *config, uint32_t threshold, const struct window *window,
                   int16_t temperature_c100) {
    bool raised = any_raised(alerts);
    if (config->report_windows) {
        report_window(alerts, config, threshold, window, temperature_c100);
    }
    count_window(alerts, config, threshold, window, temperature_c100);
    if (any_raised(alerts) != raised) {
        alerts->told_us = hal_time_us(); /* what came or went was just told */
    }
}

void alerts_time(struct alerts *alerts, const struct config *config, uint32_t threshold, int16_t temperature_c100) {
    bool raised = any_raised(alerts);
    uint32_t period_s = (uint32_t)(raised ? config->alert_repeat_s : config->heartbeat_s);
    uint64_t now_us = hal_time_us();
    if (!period_s || now_us - alerts->told_us < (uint64_t)period_s * 1000000u) {
        return;
    }
    alerts->told_us = now_us;
    if (alerts->machine.alert) {
        tell_machine(alerts, FRAME_MACHINE_REPEATED, "repeated", alerts->machine.alert, &alerts->latest, threshold,
                     temperature_c100);
    }
    for (uint8_t i = 0; i < MAX_SENSORS; i++) {
        if (alerts->sensors[i].alert) {
            tell_sensor(alerts, FRAME_SENSOR_REPEATED, "repeated", i, alerts->sensors[i].alert, &alerts->latest,
                        threshold, temperature_c100);
        }
    }
    if (!raised) {
        struct line line = {0};
        send_frame(alerts, FRAME_HEARTBEAT, &alerts->latest, threshold, temperature_c100, class_of(&alerts->latest),
                   FRAME_NO_SENSOR, SENSOR_OK);
        line_text(&line, "heartbeat");
        add_figures(&line, &alerts->latest);
        line_value(&line, "window", (int32_t)alerts->latest.number);
        line_send(&line);
    }
}
