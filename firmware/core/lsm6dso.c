#include "lsm6dso.h"

#include "bytes.h"
#include "errors.h"
#include "hal.h"

enum {
    FIFO_CTRL1 = 0x07,
    FIFO_CTRL3 = 0x09,
    FIFO_CTRL4 = 0x0A,
    WHO_AM_I = 0x0F,
    CTRL1_XL = 0x10,
    CTRL2_G = 0x11,
    CTRL3_C = 0x12,
    CTRL5_C = 0x14,
    OUT_TEMP_L = 0x20,
    OUTX_L_G = 0x22,
    OUTX_L_A = 0x28,
    FIFO_STATUS1 = 0x3A,
    FIFO_DATA_OUT_TAG = 0x78
};

#define READ 0x80u
#define IDENTITY 0x6Cu
#define COMPLEMENT 0x93u /* kept in a register whose value matters to nobody here, the FIFO's watermark */
#define WORD_BYTES 7u
#define BYPASS 0u
#define CONTINUOUS 6u
#define CTRL3_BDU_IF_INC 0x44u
#define CTRL3_SW_RESET 0x01u
#define STATUS2_OVERRUN 0x48u /* FIFO_OVR_IA and its latch */

/* Reads `count` registers; the first byte of `bytes` is the address's place, the values follow. */
static int read_registers(unsigned device, uint8_t address, uint8_t *bytes, size_t count) {
    bytes[0] = (uint8_t)(READ | address);
    return hal_spi_transfer(device, bytes, count + 1, 1);
}

static int write_register(unsigned device, uint8_t address, uint8_t value) {
    uint8_t bytes[2] = {address, value};
    return hal_spi_transfer(device, bytes, 2, 2);
}

/* Writes and reads back. */
static int set_register(unsigned device, uint8_t address, uint8_t value) {
    uint8_t bytes[2];
    int failed = write_register(device, address, value);
    failed = failed ? failed : read_registers(device, address, bytes, 1);
    return failed ? failed : bytes[1] == value ? 0 : ERROR_DEVICE;
}

int lsm6dso_setup_for(uint32_t rate_millihz, uint32_t accel_lsb_nano, uint32_t gyro_lsb_nano,
                      struct lsm6dso_setup *setup) {
    static const uint32_t rates[10] = {12500, 26000, 52000, 104000, 208000, 416000, 833000, 1666000, 3332000, 6664000};
    static const uint32_t accel[4] = {61000, 488000, 122000, 244000};
    static const struct {
        uint32_t lsb_nano;
        uint8_t bits;
    } gyro[5] = {{4375000, 0x02}, {8750000, 0x00}, {17500000, 0x04}, {35000000, 0x08}, {70000000, 0x0C}};

    *setup = (struct lsm6dso_setup){.accel_range = 4, .gyro_range = 0xFF, .gyro = gyro_lsb_nano != 0};
    for (uint8_t i = 0; i < 10; i++) {
        if (rates[i] == rate_millihz) {
            setup->rate = (uint8_t)(i + 1);
        }
    }
    for (uint8_t i = 0; i < 4; i++) {
        if (accel[i] == accel_lsb_nano) {
            setup->accel_range = i;
        }
    }
    for (uint8_t i = 0; i < 5; i++) {
        if (gyro[i].lsb_nano == gyro_lsb_nano) {
            setup->gyro_range = gyro[i].bits;
        }
    }
    bool known = setup->rate && setup->accel_range < 4 && (!setup->gyro || setup->gyro_range != 0xFF);
    return known ? 0 : ERROR_ARGUMENT;
}

int lsm6dso_probe(unsigned device) {
    uint8_t bytes[2];
    int failed = read_registers(device, WHO_AM_I, bytes, 1);
    if (failed) {
        return failed;
    }
    if (bytes[1] == 0x00 || bytes[1] == 0xFF) {
        return ERROR_BUS;
    }
    return bytes[1] == IDENTITY ? 0 : ERROR_DEVICE;
}

int lsm6dso_reset(unsigned device) { return write_register(device, CTRL3_C, CTRL3_SW_RESET); }

int lsm6dso_configure(unsigned device, const struct lsm6dso_setup *setup) {
    uint8_t ctrl1 = (uint8_t)(setup->rate << 4 | setup->accel_range << 2);
    uint8_t ctrl2 = (uint8_t)(setup->gyro ? setup->rate << 4 | setup->gyro_range : 0);
    uint8_t batch = (uint8_t)((setup->gyro ? setup->rate << 4 : 0) | setup->rate);
    /* The FIFO is emptied by passing through bypass: it may still hold words and an overrun from before. */
    const uint8_t settings[][2] = {
        {FIFO_CTRL1, COMPLEMENT}, {CTRL1_XL, ctrl1}, {CTRL2_G, ctrl2},
        {FIFO_CTRL3, batch},      {FIFO_CTRL4, BYPASS}, {FIFO_CTRL4, CONTINUOUS},
    };
    int failed = write_register(device, CTRL3_C, CTRL3_BDU_IF_INC); /* not read back: an emulated one keeps IF_INC only */
    for (size_t i = 0; i < sizeof settings / sizeof settings[0] && !failed; i++) {
        failed = set_register(device, settings[i][0], settings[i][1]);
    }
    return failed;
}

int lsm6dso_verify(unsigned device) {
    uint8_t bytes[2];
    int failed = read_registers(device, FIFO_CTRL1, bytes, 1);
    if (failed || bytes[1] != COMPLEMENT) {
        return ERROR_BUS;
    }
    return lsm6dso_probe(device) ? ERROR_BUS : 0;
}

int lsm6dso_waiting(unsigned device) {
    uint8_t bytes[3];
    int failed = read_registers(device, FIFO_STATUS1, bytes, 2);
    if (failed) {
        return failed;
    }
    int words = bytes[1] | (bytes[2] & 3) << 8;
    if (words > (int)LSM6DSO_FIFO_WORDS) { /* a line at rest at 1 reads as 1023 */
        return ERROR_BUS;
    }
    return bytes[2] & STATUS2_OVERRUN ? ERROR_OVERRUN : words;
}

int lsm6dso_read(unsigned device, struct lsm6dso_word *words, size_t count) {
    uint8_t bytes[1 + LSM6DSO_BURST_WORDS * WORD_BYTES];
    if (count < 1 || count > LSM6DSO_BURST_WORDS) {
        return ERROR_ARGUMENT;
    }
    /* The address goes from the last data register back to the tag by itself. */
    int failed = read_registers(device, FIFO_DATA_OUT_TAG, bytes, count * WORD_BYTES);
    if (failed) {
        return failed;
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t *word = bytes + 1 + i * WORD_BYTES;
        words[i].kind = word[0] >> 3;
        if (words[i].kind != LSM6DSO_ACCEL && words[i].kind != LSM6DSO_GYRO) {
            return ERROR_BUS;
        }
        for (size_t axis = 0; axis < 3; axis++) {
            words[i].xyz[axis] = get_i16(word + 1 + 2 * axis);
        }
    }
    return 0;
}

int16_t lsm6dso_temperature_c100(unsigned device) {
    uint8_t bytes[3];
    if (read_registers(device, OUT_TEMP_L, bytes, 2)) {
        return LSM6DSO_NO_TEMPERATURE;
    }
    return (int16_t)(2500 + (int32_t)get_i16(bytes + 1) * 100 / 256); /* 256 LSB/C, 0 is 25 C */
}

/* The mean of five readings of three axes, `wait_ms` apart. */
static int averaged(unsigned device, uint8_t address, void (*wait_ms)(uint32_t ms), uint32_t period_ms, int32_t mean[3]) {
    mean[0] = mean[1] = mean[2] = 0;
    for (int reading = 0; reading < 5; reading++) {
        uint8_t bytes[7];
        wait_ms(period_ms);
        int failed = read_registers(device, address, bytes, 6);
        if (failed) {
            return failed;
        }
        for (size_t axis = 0; axis < 3; axis++) {
            mean[axis] += get_i16(bytes + 1 + 2 * axis);
        }
    }
    for (size_t axis = 0; axis < 3; axis++) {
        mean[axis] /= 5;
    }
    return 0;
}

/* One of the two self-tests: sensor on, mean, force applied, mean. Register values: AN5192, section 9. */
static int half_test(unsigned device, uint8_t control, uint8_t on, uint8_t output, uint8_t force,
                     void (*wait_ms)(uint32_t ms), uint32_t period_ms, int32_t shift[3]) {
    int32_t without[3], with[3];
    int failed = set_register(device, CTRL5_C, 0);
    failed = failed ? failed : set_register(device, control, on);
    wait_ms(100);
    failed = failed ? failed : averaged(device, output, wait_ms, period_ms, without);
    failed = failed ? failed : set_register(device, CTRL5_C, force);
    wait_ms(100);
    failed = failed ? failed : averaged(device, output, wait_ms, period_ms, with);
    if (failed) {
        return failed;
    }
    for (size_t axis = 0; axis < 3; axis++) {
        int32_t moved = with[axis] - without[axis];
        shift[axis] = moved < 0 ? -moved : moved;
    }
    return set_register(device, CTRL5_C, 0);
}

int lsm6dso_self_test(unsigned device, void (*wait_ms)(uint32_t ms), int32_t shift[6]) {
    int failed = lsm6dso_reset(device);
    wait_ms(10);
    failed = failed ? failed : set_register(device, CTRL3_C, CTRL3_BDU_IF_INC);
    /* 52 Hz, +-4 g, positive; 208 Hz, +-2000 deg/s, positive. */
    failed = failed ? failed : half_test(device, CTRL1_XL, 0x38, OUTX_L_A, 0x01, wait_ms, 20, shift);
    failed = failed ? failed : half_test(device, CTRL2_G, 0x5C, OUTX_L_G, 0x04, wait_ms, 5, shift + 3);
    if (failed) {
        return failed;
    }
    for (size_t axis = 0; axis < 3; axis++) {
        shift[axis] = shift[axis] * 122 / 1000;        /* mg, table 2: 50 .. 1700 */
        shift[3 + axis] = shift[3 + axis] * 70 / 1000; /* deg/s, table 2: 150 .. 700 */
        if (shift[axis] < 50 || shift[axis] > 1700 || shift[3 + axis] < 150 || shift[3 + axis] > 700) {
            failed = ERROR_DEVICE;
        }
    }
    return failed;
}
