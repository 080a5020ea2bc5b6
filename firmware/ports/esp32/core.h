/* What only instructions of the Xtensa core can do, from start.S. */
#ifndef CORE_H
#define CORE_H

#include <stdint.h>

/* Opens lines of the CPU: ones are added to INTENABLE. */
void core_enable_lines(uint32_t mask);

void tick_init(void);

#endif
