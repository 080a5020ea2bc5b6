/* The last two sectors of a 4 MB flash, by the commands that every SPI NOR flash knows, one bit wide. */
#include "chip.h"

#include "errors.h"
#include "hal.h"
#include "registers.h"

#define STORE_AT 0x3FE000u
#define STORE_BYTES (HAL_FLASH_SECTORS * HAL_FLASH_SECTOR_BYTES)
#define BUFFER_BYTES 64u
#define PAGE_BYTES 256u
#define POLLS 100000u
#define ERASE_US 3000000u /* a sector takes 400 ms at most, by any data sheet */

enum { PAGE_PROGRAM = 0x02, READ_DATA = 0x03, READ_STATUS = 0x05, WRITE_ENABLE = 0x06, SECTOR_ERASE = 0x20 };
#define STATUS_BUSY 1u

/* One command: with an address unless `address` is negative, then `out` or `in` bytes through the buffer. */
static int transact(uint32_t command, int32_t address, size_t out, size_t in) {
    FLASH_ONE_BIT_WIDE();
    FLASH_USER = FLASH_USER_COMMAND | (address >= 0 ? FLASH_USER_ADDR : 0u) | (out ? FLASH_USER_MOSI : 0u) |
                 (in ? FLASH_USER_MISO : 0u);
    FLASH_USER1 = 23u << 26;            /* 24 bits of address */
    FLASH_USER2 = 7u << 28 | command;   /* 8 bits of command */
    FLASH_ADDR = address >= 0 ? FLASH_ADDRESS((uint32_t)address) : 0u;
    FLASH_MOSI_DLEN = out ? 8u * out - 1u : 0u;
    FLASH_MISO_DLEN = in ? 8u * in - 1u : 0u;
    FLASH_CMD = FLASH_CMD_USR;
    for (uint32_t i = 0; i < POLLS; i++) {
        if (!(FLASH_CMD & FLASH_CMD_USR)) {
            return 0;
        }
    }
    return ERROR_TIMEOUT;
}

/* Until the flash has done what it was told. */
static int settle(void) {
    uint64_t end_us = hal_time_us() + ERASE_US;
    do {
        int failed = transact(READ_STATUS, -1, 0, 1);
        if (failed) {
            return failed;
        }
        if (!(FLASH_W(0) & STATUS_BUSY)) {
            return 0;
        }
        chip_delay_us(100);
    } while (hal_time_us() < end_us);
    return ERROR_TIMEOUT;
}

int hal_flash_read(uint32_t offset, uint8_t *bytes, size_t count) {
    if (offset > STORE_BYTES || count > STORE_BYTES - offset) {
        return ERROR_ARGUMENT;
    }
    for (size_t done = 0; done < count;) {
        size_t part = count - done < BUFFER_BYTES ? count - done : BUFFER_BYTES;
        int failed = transact(READ_DATA, (int32_t)(STORE_AT + offset + done), 0, part);
        if (failed) {
            return failed;
        }
        for (size_t i = 0; i < part; i++) {
            bytes[done + i] = (uint8_t)(FLASH_W(i / 4) >> 8 * (i % 4));
        }
        done += part;
    }
    return 0;
}

int hal_flash_program(uint32_t offset, const uint8_t *bytes, size_t count) {
    if (offset > STORE_BYTES || count > STORE_BYTES - offset) {
        return ERROR_ARGUMENT;
    }
    for (size_t done = 0; done < count;) {
        /* Never across the end of a page: the flash would go on at the page's beginning. */
        size_t page = PAGE_BYTES - (offset + done) % PAGE_BYTES;
        size_t part = count - done < BUFFER_BYTES ? count - done : BUFFER_BYTES;
        part = part < page ? part : page;
        int failed = transact(WRITE_ENABLE, -1, 0, 0);
        for (size_t i = 0; i < part; i += 4) {
            uint32_t word = 0;
            for (size_t k = 0; k < 4 && i + k < part; k++) {
                word |= (uint32_t)bytes[done + i + k] << 8 * k;
            }
            FLASH_W(i / 4) = word;
        }
        failed = failed ? failed : transact(PAGE_PROGRAM, (int32_t)(STORE_AT + offset + done), part, 0);
        failed = failed ? failed : settle();
        if (failed) {
            return failed;
        }
        done += part;
    }
    return 0;
}

int hal_flash_erase_sector(uint32_t offset) {
    if (offset % HAL_FLASH_SECTOR_BYTES || offset >= STORE_BYTES) {
        return ERROR_ARGUMENT;
    }
    int failed = transact(WRITE_ENABLE, -1, 0, 0);
    failed = failed ? failed : transact(SECTOR_ERASE, (int32_t)(STORE_AT + offset), 0, 0);
    return failed ? failed : settle();
}
