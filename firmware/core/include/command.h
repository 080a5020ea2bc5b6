/* Commands that come in on the console, one a line; every one is answered by lines that begin with `ok` or `error`. */
#ifndef COMMAND_H
#define COMMAND_H

#include "app.h"

/* Takes the bytes that have arrived, and does the commands among them; at most 64 bytes a call. */
void command_poll(struct app *app);

#endif
