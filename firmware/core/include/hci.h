/* Host side of Bluetooth HCI over H4, as much of it as an advertiser needs (Bluetooth Core Specification, volume 4, parts A and
 * E): one command at a time, and the events that answer it. Nothing here waits. */
#ifndef HCI_H
#define HCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bthome.h"

#define HCI_ANSWER_MS 1000u /* a command not answered by then has failed */

enum hci_outcome {
    HCI_IDLE = 0,    /* a command may be sent; the last one, if any, was done */
    HCI_WAITING = 1, /* for the controller */
    HCI_FAILED = 2   /* the command was refused, there was no answer, or the controller broke down: Reset comes next */
};

struct hci {
    uint64_t sent_us;  /* when the command was sent */
    uint16_t opcode;   /* of the command that waits for its answer; 0: none does */
    uint8_t allowed;   /* commands that the controller takes now */
    bool failed;
    uint8_t head[7];   /* of a packet that is coming in: type, event, length, and as many parameters as matter */
    uint16_t received; /* bytes of it so far */
};

/* The commands; each is one packet on HAL_UART_HCI. hci_reset may be sent at any time, and forgets all that was; the others
 * while hci_poll says HCI_IDLE. */
void hci_reset(struct hci *hci);
void hci_set_random_address(struct hci *hci, const uint8_t address[BTHOME_ADDRESS_BYTES]); /* most significant byte first */
void hci_set_advertising_parameters(struct hci *hci);
void hci_set_advertising_data(struct hci *hci, const struct advertisement *data);
void hci_enable_advertising(struct hci *hci);

/* Takes what has arrived, at most 64 bytes a call, and says where things are. */
enum hci_outcome hci_poll(struct hci *hci);

#endif
