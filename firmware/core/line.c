#include "line.h"

#include "hal.h"

static void put(struct line *line, char c) {
    if (line->used < LINE_BYTES - 1) { /* one place is kept for the line's end */
        line->text[line->used++] = c;
    }
}

void line_text(struct line *line, const char *text) {
    for (size_t i = 0; i < LINE_BYTES && text[i]; i++) {
        put(line, text[i]);
    }
}

void line_unsigned(struct line *line, uint32_t value) {
    char digits[10];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10u);
        value /= 10u;
    } while (value); /* at most 10 times */
    while (count) {
        put(line, digits[--count]);
    }
}

void line_number(struct line *line, int32_t value) {
    if (value < 0) {
        put(line, '-');
    }
    line_unsigned(line, value < 0 ? 0u - (uint32_t)value : (uint32_t)value);
}

void line_hex(struct line *line, const uint8_t *bytes, size_t count) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < count; i++) {
        put(line, digits[bytes[i] >> 4]);
        put(line, digits[bytes[i] & 15u]);
    }
}

void line_word(struct line *line, const char *text) {
    put(line, ' ');
    line_text(line, text);
}

void line_value(struct line *line, const char *name, int32_t value) {
    line_word(line, name);
    put(line, ' ');
    line_number(line, value);
}

void line_send(struct line *line) {
    line->text[line->used++] = '\n';
    (void)hal_uart_write(HAL_UART_CONSOLE, (const uint8_t *)line->text, line->used);
    line->used = 0;
}
