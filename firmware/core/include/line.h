/* Lines of text for the console, built piece by piece. No piece may hold an equals sign: test tools read it as an assignment. */
#ifndef LINE_H
#define LINE_H

#include <stddef.h>
#include <stdint.h>

#define LINE_BYTES 160u

/* Starts empty: `struct line line = {0};`. What does not fit is left out. */
struct line {
    char text[LINE_BYTES];
    size_t used;
};

void line_text(struct line *line, const char *text);
void line_number(struct line *line, int32_t value);
void line_unsigned(struct line *line, uint32_t value);
void line_hex(struct line *line, const uint8_t *bytes, size_t count);

/* A word, a space before it. */
void line_word(struct line *line, const char *text);
/* A name and a number, a space before each. */
void line_value(struct line *line, const char *name, int32_t value);

/* Ends the line and sends it. */
void line_send(struct line *line);

#endif
