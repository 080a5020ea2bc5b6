#include "config.h"

#include <stdbool.h>

const struct config_field config_fields[CONFIG_FIELDS] = {
    {"sensors", "count", 1, 3, 1},
    {"imu0_axes", "digits", 123, 654, 123},
    {"imu1_axes", "digits", 123, 654, 123},
    {"imu2_axes", "digits", 123, 654, 123},
    {"batch_ms", "ms", 10, 50, 20},
    {"threshold", "level", -1, INT32_MAX, -1},
    {"alert_k", "windows", 1, 32, 4},
    {"alert_n", "windows", 1, 32, 6},
    {"alert_clear", "windows", 1, 255, 6},
    {"alert_repeat_s", "s", 0, 86400, 10},
    {"heartbeat_s", "s", 0, 86400, 10},
    {"sensor_k", "windows", 1, 32, 2},
    {"sensor_n", "windows", 1, 32, 8},
    {"sensor_clear", "windows", 1, 255, 6},
    {"settle_windows", "windows", 0, 100, 1},
    {"stuck_run", "samples", 0, 4096, 48},
    {"dropout_run", "samples", 0, 4096, 4},
    {"saturated_pairs", "pairs", 0, 4096, 4},
    {"bias_mg", "mg", 0, 16000, 100},
    {"bias_dps", "deg/s", 0, 2000, 4},
    {"gravity_mg", "mg", 0, 1000, 250},
    {"learn_windows", "windows", 1, 1000, 8},
    {"spike_mg", "mg", 0, 32000, 1000},
    {"spike_dps", "deg/s", 0, 4000, 30},
    {"rate_ppm", "ppm", 0, 500000, 25000},
    {"silent_ms", "ms", 60, 5000, 150},
    {"watchdog_ms", "ms", 1000, 60000, 8000},
    {"report_windows", "flag", 0, 1, 0},
    {"bluetooth", "flag", 0, 1, 1},
};

int32_t *config_at(struct config *config, size_t field) { return (int32_t *)config + field; }

void config_defaults(struct config *config) {
    for (size_t i = 0; i < CONFIG_FIELDS; i++) {
        *config_at(config, i) = config_fields[i].preset;
    }
}

/* Three digits 1 .. 6 that stand for three different axes. */
static bool are_axes(int32_t digits) {
    uint32_t seen = 0;
    for (int i = 0; i < 3; i++, digits /= 10) {
        int32_t digit = digits % 10;
        if (digit < 1 || digit > 6) {
            return false;
        }
        seen |= 1u << (digit - 1) % 3;
    }
    return seen == 7u;
}

int config_check(const struct config *config) {
    for (size_t i = 0; i < CONFIG_FIELDS; i++) {
        int32_t value = ((const int32_t *)config)[i];
        if (value < config_fields[i].low || value > config_fields[i].high) {
            return (int)i;
        }
    }
    const struct {
        bool holds;
        size_t offset;
    } relations[] = {
        {are_axes(config->imu0_axes), offsetof(struct config, imu0_axes)},
        {are_axes(config->imu1_axes), offsetof(struct config, imu1_axes)},
        {are_axes(config->imu2_axes), offsetof(struct config, imu2_axes)},
        {config->alert_n >= config->alert_k, offsetof(struct config, alert_n)},
        {config->sensor_n >= config->sensor_k, offsetof(struct config, sensor_n)},
    };
    for (size_t i = 0; i < sizeof relations / sizeof relations[0]; i++) {
        if (!relations[i].holds) {
            return (int)(relations[i].offset / sizeof(int32_t));
        }
    }
    return -1;
}
