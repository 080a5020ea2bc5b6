/* SPI2 as master at 10 MHz, mode 0, one IMU on each of chip selects 0, 1 and 2. */
#include "chip.h"

#include "errors.h"
#include "hal.h"
#include "registers.h"

#define SIGNAL_FSPICS1 69u /* in the GPIO matrix; FSPICS2 is the next (TRM 5, table of peripheral signals) */
#define POLLS 100000u      /* a second and more */

/* Pins with FSPI as their function 2: the fast way, past the matrix. */
enum { PIN_MISO = 2, PIN_CS1 = 3, PIN_CS2 = 4, PIN_CLOCK = 6, PIN_MOSI = 7, PIN_CS0 = 10 };

static void select_pin(uint32_t pin, uint32_t function) {
    IO_MUX_GPIO(pin) = IO_MUX_FUNCTION(function) | IO_MUX_DRIVE_20_MA | (pin == PIN_MISO ? IO_MUX_INPUT : 0u);
}

void spi_init(void) {
    chip_enable(SYSTEM_SPI2);
    select_pin(PIN_MISO, 2);
    select_pin(PIN_CLOCK, 2);
    select_pin(PIN_MOSI, 2);
    select_pin(PIN_CS0, 2);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t pin = i ? PIN_CS2 : PIN_CS1;
        select_pin(pin, 1);
        GPIO_FUNC_OUT_SEL(pin) = SIGNAL_FSPICS1 + i;
        GPIO_ENABLE_W1TS = 1u << pin;
    }
    SPI2_CLK_GATE = 3; /* clock on, from the 40 MHz crystal */
    SPI2_CLOCK = 3u << 12 | 1u << 6 | 3u; /* divided by 4: CLKCNT_N, _H, _L */
    SPI2_USER = SPI2_USER_MOSI | SPI2_USER_DOUTDIN;
}

static int wait_for(uint32_t bit) {
    for (uint32_t i = 0; i < POLLS; i++) {
        if (!(SPI2_CMD & bit)) {
            return 0;
        }
    }
    return ERROR_TIMEOUT;
}

int hal_spi_transfer(unsigned device, uint8_t *bytes, size_t count, size_t sent) {
    if (count < 1 || count > HAL_SPI_BYTES || device > 5) {
        return ERROR_ARGUMENT;
    }
    for (size_t i = 0; i < sent; i += 4) {
        uint32_t word = 0;
        for (size_t k = 0; k < 4 && i + k < count; k++) {
            word |= (uint32_t)bytes[i + k] << 8 * k;
        }
        SPI2_W(i / 4) = word;
    }
    SPI2_MISC = SPI2_CS_ALL_OFF & ~(1u << device);
    SPI2_MS_DLEN = 8u * count - 1u;
    SPI2_CMD = SPI2_CMD_UPDATE;
    if (wait_for(SPI2_CMD_UPDATE)) {
        return ERROR_TIMEOUT;
    }
    SPI2_CMD = SPI2_CMD_USR;
    chip_delay_us(8u * count / 10u); /* of 10 MHz */
    if (wait_for(SPI2_CMD_USR)) {
        return ERROR_TIMEOUT;
    }
    uint32_t word = 0;
    for (size_t i = 0; i < count; i++) {
        word = i % 4 ? word >> 8 : SPI2_W(i / 4);
        bytes[i] = (uint8_t)word;
    }
    return 0;
}
