#include "hci.h"

#include "bytes.h"
#include "hal.h"

enum { H4_COMMAND = 1, H4_EVENT = 4 };
enum { COMMAND_COMPLETE = 0x0E, COMMAND_STATUS = 0x0F, HARDWARE_ERROR = 0x10 };
enum {
    RESET = 0x0C03,
    LE_SET_RANDOM_ADDRESS = 0x2005,
    LE_SET_ADVERTISING_PARAMETERS = 0x2006,
    LE_SET_ADVERTISING_DATA = 0x2008,
    LE_SET_ADVERTISING_ENABLE = 0x200A
};

#define COMMAND_HEAD 4u
#define EVENT_HEAD 3u
#define MOST_PARAMETERS (1u + ADVERTISEMENT_BYTES)
#define INTERVAL 0x0140u /* 200 ms in units of 0.625 ms */

static void send(struct hci *hci, uint16_t opcode, const uint8_t *parameters, size_t count) {
    uint8_t packet[COMMAND_HEAD + MOST_PARAMETERS] = {H4_COMMAND};
    put_u16(packet + 1, opcode);
    packet[3] = (uint8_t)count;
    bytes_copy(packet + COMMAND_HEAD, parameters, count);
    hci->opcode = opcode;
    hci->sent_us = hal_time_us();
    (void)hal_uart_write(HAL_UART_HCI, packet, COMMAND_HEAD + count); /* if it did not get through, no answer will say so */
}

void hci_reset(struct hci *hci) {
    static const uint8_t none[1] = {0};
    *hci = (struct hci){.allowed = 1};
    send(hci, RESET, none, 0);
}

void hci_set_random_address(struct hci *hci, const uint8_t address[BTHOME_ADDRESS_BYTES]) {
    uint8_t reversed[BTHOME_ADDRESS_BYTES];
    for (size_t i = 0; i < sizeof reversed; i++) {
        reversed[i] = address[sizeof reversed - 1u - i];
    }
    send(hci, LE_SET_RANDOM_ADDRESS, reversed, sizeof reversed);
}

void hci_set_advertising_parameters(struct hci *hci) {
    uint8_t parameters[15] = {0}; /* peer address and filter policy: 0 */
    put_u16(parameters, INTERVAL);
    put_u16(parameters + 2, INTERVAL);
    parameters[4] = 3;  /* ADV_NONCONN_IND */
    parameters[5] = 1;  /* own address type: random */
    parameters[13] = 7; /* all three channels */
    send(hci, LE_SET_ADVERTISING_PARAMETERS, parameters, sizeof parameters);
}

void hci_set_advertising_data(struct hci *hci, const struct advertisement *data) {
    uint8_t parameters[1u + ADVERTISEMENT_BYTES] = {data->count};
    bytes_copy(parameters + 1, data->bytes, ADVERTISEMENT_BYTES);
    send(hci, LE_SET_ADVERTISING_DATA, parameters, sizeof parameters);
}

void hci_enable_advertising(struct hci *hci) {
    static const uint8_t on[1] = {1};
    send(hci, LE_SET_ADVERTISING_ENABLE, on, sizeof on);
}

/* The answer to a command: whichever, its status, and how many more may be sent. */
static void answered(struct hci *hci, uint32_t opcode, uint8_t status, uint8_t allowed, bool done) {
    hci->allowed = allowed;
    if (opcode && opcode == hci->opcode && (done || status)) {
        hci->opcode = 0;
        hci->failed = status != 0;
    }
}

static void take_event(struct hci *hci) {
    const uint8_t *parameters = hci->head + EVENT_HEAD;
    uint8_t count = hci->head[2];
    switch (hci->head[1]) {
    case COMMAND_COMPLETE: /* commands allowed, opcode, and of every command that we send its status */
        if (count >= 3) {
            answered(hci, (uint32_t)parameters[1] | (uint32_t)parameters[2] << 8, count > 3 ? parameters[3] : 0,
                     parameters[0], true);
        }
        break;
    case COMMAND_STATUS: /* status, commands allowed, opcode; status 0: the command is being worked on */
        if (count >= 4) {
            answered(hci, (uint32_t)parameters[2] | (uint32_t)parameters[3] << 8, parameters[0], parameters[1], false);
        }
        break;
    case HARDWARE_ERROR:
        hci->opcode = 0;
        hci->failed = true;
        break;
    default:
        break;
    }
}

/* One byte more. What does not begin like an event is noise: an advertiser is sent nothing else. */
static void take_byte(struct hci *hci, uint8_t byte) {
    if (hci->received < sizeof hci->head) {
        hci->head[hci->received] = byte;
    }
    if (hci->received || byte == H4_EVENT) {
        hci->received++;
    }
    if (hci->received >= EVENT_HEAD && hci->received == EVENT_HEAD + hci->head[2]) {
        take_event(hci);
        hci->received = 0;
    }
}

enum hci_outcome hci_poll(struct hci *hci) {
    uint8_t bytes[64];
    size_t count = hal_uart_read(HAL_UART_HCI, bytes, sizeof bytes);
    for (size_t i = 0; i < count; i++) {
        take_byte(hci, bytes[i]);
    }
    if (hci->failed) {
        return HCI_FAILED;
    }
    if (!hci->opcode && hci->allowed) {
        return HCI_IDLE;
    }
    if (hal_time_us() - hci->sent_us < (uint64_t)HCI_ANSWER_MS * 1000u) {
        return HCI_WAITING;
    }
    hci->failed = true;
    return HCI_FAILED;
}
