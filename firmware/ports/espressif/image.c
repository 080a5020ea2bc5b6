/* Code and constants lie in RAM for as long as the chip runs. Bits there may turn over, so they are held against the CRC-32 that
 * firmware/build.py put into the ELF: all of them at the start, then slice by slice, again and again. */
#include "chip.h"

#include "bytes.h"
#include "crc32.h"
#include "hal.h"

#define SLICE_WORDS 384u /* all of it in less than half a second, within which no machine alert can come of wrong constants */

/* From memory.ld. */
extern const uint32_t __text_start[], __text_end[], __rodata_start[], __rodata_end[];

__attribute__((section(".image_crc"), used)) static const volatile uint32_t built;

static const uint32_t *next = __text_start;
static uint32_t crc;

void image_check(void) {
    for (uint32_t i = 0; i < SLICE_WORDS; i++) {
        if (next == __text_end) {
            next = __rodata_start;
        }
        if (next == __rodata_end) {
            if (crc != built) {
                hal_fatal("image altered, CRC", crc);
            }
            next = __text_start;
            crc = 0;
            return;
        }
        uint8_t bytes[4];
        put_u32(bytes, *next++); /* code can be read by whole words only */
        crc = crc32_more(crc, bytes, sizeof bytes);
    }
}

void image_check_all(void) {
    do {
        image_check();
    } while (next != __text_start);
}
