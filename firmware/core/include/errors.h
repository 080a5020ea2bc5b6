/* What a function of the core returns: 0 or a count when all is well, one of these when not. */
#ifndef ERRORS_H
#define ERRORS_H

enum {
    ERROR_ARGUMENT = -1, /* a value outside what is allowed */
    ERROR_BUS = -2,      /* nothing sensible came back over SPI */
    ERROR_DEVICE = -3,   /* something answers, but not an LSM6DSO, or it does not keep what was written */
    ERROR_OVERRUN = -4,  /* the sensor's FIFO was full: samples are lost */
    ERROR_FLASH = -5,    /* erasing, programming or reading back failed */
    ERROR_EMPTY = -6,    /* nothing stored */
    ERROR_TIMEOUT = -7   /* hardware that never became ready */
};

#endif
