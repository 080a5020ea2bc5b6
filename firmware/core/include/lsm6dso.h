/* Driver of ST's LSM6DSO over SPI; registers by its datasheet (DS12140), chapter 9. */
#ifndef LSM6DSO_H
#define LSM6DSO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LSM6DSO_FIFO_WORDS 512u
#define LSM6DSO_BURST_WORDS 9u /* of 7 bytes, read by one transfer: HAL_SPI_BYTES less the address */
#define LSM6DSO_NO_TEMPERATURE INT16_MIN

enum lsm6dso_kind { LSM6DSO_GYRO = 1, LSM6DSO_ACCEL = 2 }; /* the FIFO's tags, without counter and parity */

struct lsm6dso_word {
    uint8_t kind; /* enum lsm6dso_kind */
    int16_t xyz[3];
};

/* Rate and ranges as the registers hold them. */
struct lsm6dso_setup {
    uint8_t rate;        /* ODR and batch rate, code 1 (12.5 Hz) .. 10 (6664 Hz) */
    uint8_t accel_range; /* FS_XL, 0 .. 3 */
    uint8_t gyro_range;  /* FS_G and FS_125, bits 3:1 of CTRL2_G */
    bool gyro;           /* whether the gyroscope runs */
};

/* The setup for a rate and what one count stands for (1e-9 g; 1e-9 deg/s, 0: no gyroscope). Returns 0 or ERROR_ARGUMENT. */
int lsm6dso_setup_for(uint32_t rate_millihz, uint32_t accel_lsb_nano, uint32_t gyro_lsb_nano, struct lsm6dso_setup *setup);

/* Whether an LSM6DSO answers: 0, ERROR_BUS for all zeros or ones, ERROR_DEVICE for something else. */
int lsm6dso_probe(unsigned device);

/* Starts a software reset; lsm6dso_configure may follow 1 ms later. */
int lsm6dso_reset(unsigned device);

/* Sets ranges, rate, and the FIFO in continuous mode, as the last step; holds every register against what was written.
 * Returns 0, ERROR_BUS or ERROR_DEVICE. */
int lsm6dso_configure(unsigned device, const struct lsm6dso_setup *setup);

/* Whether a configured device is still there as it was set up, and every bit of the wire can be 0 and 1: 0, ERROR_BUS. */
int lsm6dso_verify(unsigned device);

/* Words waiting in the FIFO, 0 .. 512; ERROR_OVERRUN when some were lost; ERROR_BUS. */
int lsm6dso_waiting(unsigned device);

/* Reads `count` words, 1 .. LSM6DSO_BURST_WORDS. Returns 0, or ERROR_BUS when one has no known tag. */
int lsm6dso_read(unsigned device, struct lsm6dso_word *words, size_t count);

/* Temperature in 1/100 degrees C, or LSM6DSO_NO_TEMPERATURE. */
int16_t lsm6dso_temperature_c100(unsigned device);

/* The datasheet's self-test, some 0.5 s long: `wait_ms` must let that time pass. The sensor must be configured anew
 * afterwards. Returns 0, ERROR_BUS, or ERROR_DEVICE when an axis moves less or more than the datasheet allows; the
 * accelerometer's shift in mg and the gyroscope's in deg/s, x y z each, go to `shift`. */
int lsm6dso_self_test(unsigned device, void (*wait_ms)(uint32_t ms), int32_t shift[6]);

#endif
