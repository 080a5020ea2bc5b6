/* All that can be set on a device. Kept in flash; changed by the command `config NAME VALUE`. */
#ifndef CONFIG_H
#define CONFIG_H

#include <stddef.h>
#include <stdint.h>

/* Every field is an int32_t; its comment ends with unit, valid range and default. A field may only be added at the end. */
struct config {
    int32_t sensors;         /* IMUs on the bus, at chip selects 0 and up [count, 1 .. 3, default 1] */
    int32_t imu0_axes;       /* the sensor's axes that are the machine's x, y, z, as three digits: 1 2 3 for x y z, 4 5 6 for
                              * -x -y -z; 123 is a sensor mounted straight [digits, 123 .. 654, default 123] */
    int32_t imu1_axes;       /* likewise, of the second IMU [digits, 123 .. 654, default 123] */
    int32_t imu2_axes;       /* likewise, of the third IMU [digits, 123 .. 654, default 123] */
    int32_t batch_ms;        /* between two readings of the FIFO [ms, 10 .. 50, default 20] */
    int32_t threshold;       /* a window whose level is above this is flagged; -1: the model's own
                              * [level, -1 .. 2147483647, default -1] */
    int32_t alert_k;         /* flagged windows that raise a machine alert ... [windows, 1 .. 32, default 4] */
    int32_t alert_n;         /* ... among so many judged last; at least alert_k [windows, 1 .. 32, default 6] */
    int32_t alert_clear;     /* unflagged windows in a row that clear it [windows, 1 .. 255, default 6] */
    int32_t alert_repeat_s;  /* between two repetitions while an alert stands; 0: none [s, 0 .. 86400, default 10] */
    int32_t heartbeat_s;     /* between two signs of life; 0: none [s, 0 .. 86400, default 10] */
    int32_t sensor_k;        /* windows with a sensor's fault that raise a sensor alert ... [windows, 1 .. 32, default 2] */
    int32_t sensor_n;        /* ... among its last so many; at least sensor_k [windows, 1 .. 32, default 8] */
    int32_t sensor_clear;    /* windows without one in a row that clear it [windows, 1 .. 255, default 6] */
    int32_t settle_windows;  /* windows not judged after one with a sensor's fault; above 0, the one before it does not count
                              * either, for it may hold the fault's beginning [windows, 0 .. 100, default 1] */
    int32_t stuck_run;       /* equal readings in a row on one channel: stuck; 0: off [samples, 0 .. 4096, default 48] */
    int32_t dropout_run;     /* samples in a row equal to the one before on all channels: dropout; 0: off
                              * [samples, 0 .. 4096, default 4] */
    int32_t saturated_pairs; /* pairs of neighbours both at a channel's largest or both at its smallest reading of a window: a
                              * signal cut off; 0: off [pairs, 0 .. 4096, default 4] */
    int32_t bias_mg;         /* shift of an acceleration's mean from what was learnt; 0: off [mg, 0 .. 16000, default 100] */
    int32_t bias_dps;        /* shift of an angular rate's mean; 0: off [deg/s, 0 .. 2000, default 4] */
    int32_t gravity_mg;      /* mean acceleration off 1 g by more is not learnt but a bias; 0: off
                              * [mg, 0 .. 1000, default 250] */
    int32_t learn_windows;   /* sound windows after the start whose means are learnt [windows, 1 .. 1000, default 8] */
    int32_t spike_mg;        /* height of a single wild reading of acceleration, far beyond the rest of its window; 0: off
                              * [mg, 0 .. 32000, default 1000] */
    int32_t spike_dps;       /* likewise, of angular rate; 0: off [deg/s, 0 .. 4000, default 30] */
    int32_t rate_ppm;        /* deviation of the sampling rate, over some 2 s; 0: off [ppm, 0 .. 500000, default 25000] */
    int32_t silent_ms;       /* without a sample: the sensor is set up again [ms, 60 .. 5000, default 150] */
    int32_t watchdog_ms;     /* without progress: the chip restarts [ms, 1000 .. 60000, default 8000] */
    int32_t report_windows;  /* 1: a frame and a line for every window [flag, 0 .. 1, default 0] */
    int32_t bluetooth;       /* 1: alerts are broadcast over Bluetooth too [flag, 0 .. 1, default 1] */
};

/* A field of it, for commands and checks. */
struct config_field {
    const char *name;
    const char *unit;
    int32_t low, high, preset; /* preset: its default */
};

#define CONFIG_FIELDS (sizeof(struct config) / sizeof(int32_t))
extern const struct config_field config_fields[CONFIG_FIELDS];

/* The field with that number, 0 .. CONFIG_FIELDS - 1. */
int32_t *config_at(struct config *config, size_t field);

void config_defaults(struct config *config);

/* The number of the first field whose value is not allowed, by its range or in relation to another; -1 if none. */
int config_check(const struct config *config);

#endif
