#ifndef VHCI_H
#define VHCI_H

#include <stddef.h>
#include <stdint.h>

/* One H4 packet to the Bluetooth controller, which is started by the first. Returns 0, ERROR_ARGUMENT, or ERROR_TIMEOUT when it
 * takes none. Called by the main loop's task, as vhci_read is. */
int vhci_write(const uint8_t *packet, size_t count);

/* Takes up to `room` bytes that the controller has sent. Returns how many. */
size_t vhci_read(uint8_t *bytes, size_t room);

#endif
