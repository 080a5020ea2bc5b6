/* SPI2 as master at 10 MHz, mode 0, one IMU on each of chip selects 0, 1 and 2. */
#include "chip.h"

#include "errors.h"
#include "hal.h"
#include "registers.h"

#define DEVICES 3u
#define POLLS 100000u /* a second and more */

/* Signals of SPI2 ("HSPI") in the GPIO matrix (TRM 4, table of peripheral signals). SPI2's own pins are not used: one of them, 12,
 * chooses the flash's voltage at a reset, and a sensor must not pull at it. */
enum { SIGNAL_CLOCK = 8, SIGNAL_MISO = 9, SIGNAL_MOSI = 10, SIGNAL_CS0 = 11, SIGNAL_CS1 = 61, SIGNAL_CS2 = 62 };
enum { PIN_CS0 = 5, PIN_CLOCK = 18, PIN_MISO = 19, PIN_CS1 = 21, PIN_CS2 = 22, PIN_MOSI = 23 };

#define BY_MATRIX (IO_MUX_FUNCTION(2u) | IO_MUX_DRIVE_20_MA)

static void drive(uint32_t pin, uint32_t signal) {
    GPIO_FUNC_OUT_SEL(pin) = signal;
    GPIO_ENABLE_W1TS = 1u << pin;
}

void spi_init(void) {
    chip_enable(SYSTEM_SPI2);
    IO_MUX_GPIO5 = BY_MATRIX;
    IO_MUX_GPIO18 = BY_MATRIX;
    IO_MUX_GPIO21 = BY_MATRIX;
    IO_MUX_GPIO22 = BY_MATRIX;
    IO_MUX_GPIO23 = BY_MATRIX;
    IO_MUX_GPIO19 = BY_MATRIX | IO_MUX_INPUT;
    drive(PIN_CLOCK, SIGNAL_CLOCK);
    drive(PIN_MOSI, SIGNAL_MOSI);
    drive(PIN_CS0, SIGNAL_CS0);
    drive(PIN_CS1, SIGNAL_CS1);
    drive(PIN_CS2, SIGNAL_CS2);
    GPIO_FUNC_IN_SEL(SIGNAL_MISO) = GPIO_IN_BY_MATRIX | PIN_MISO;
    SPI2_CLOCK = 7u << 12 | 3u << 6 | 7u; /* 80 MHz divided by 8: CLKCNT_N, _H, _L */
    SPI2_USER = SPI2_USER_MOSI | SPI2_USER_MISO | SPI2_USER_DOUTDIN;
}

int hal_spi_transfer(unsigned device, uint8_t *bytes, size_t count, size_t sent) {
    if (count < 1 || count > HAL_SPI_BYTES || device >= DEVICES) {
        return ERROR_ARGUMENT;
    }
    for (size_t i = 0; i < sent; i += 4) {
        uint32_t word = 0;
        for (size_t k = 0; k < 4 && i + k < count; k++) {
            word |= (uint32_t)bytes[i + k] << 8 * k;
        }
        SPI2_W(i / 4) = word;
    }
    SPI2_PIN = SPI2_CS_ALL_OFF & ~(1u << device);
    SPI2_MOSI_DLEN = 8u * count - 1u;
    SPI2_MISO_DLEN = 8u * count - 1u;
    SPI2_CMD = SPI2_CMD_USR;
    chip_delay_us(8u * count / 10u); /* of 10 MHz */
    for (uint32_t i = 0; SPI2_CMD & SPI2_CMD_USR; i++) {
        if (i == POLLS) {
            return ERROR_TIMEOUT;
        }
    }
    uint32_t word = 0;
    for (size_t i = 0; i < count; i++) {
        word = i % 4 ? word >> 8 : SPI2_W(i / 4);
        bytes[i] = (uint8_t)word;
    }
    return 0;
}
