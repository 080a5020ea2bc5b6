/* UART0, as the ROM left it but for the speed, and UART1; sent by polling, received by interrupt. */
#include "chip.h"

#include "errors.h"
#include "hal.h"
#include "registers.h"

#define FIFO_BYTES 128u
#define FIFO_FILL 16u     /* received bytes that raise an interrupt; fewer do after a pause */
#define BYTE_US 87u
#define POLLS 1000u
#define RECEIVED_BYTES 512u

static struct {
    uint8_t bytes[RECEIVED_BYTES];
    volatile uint32_t head, tail;
} received[2];

static uint32_t base_of(unsigned port) { return port == HAL_UART_CONSOLE ? UART0_BASE : UART1_BASE; }

void uart_init(void) {
    chip_enable(SYSTEM_UART1);
    for (unsigned port = 0; port < 2; port++) {
        uint32_t base = base_of(port);
        UART_CLKDIV(base) = UART_DIVIDER;
        UART_CONF1(base) = UART_CONF1_RECEIVE(FIFO_FILL);
        UART_INT_CLR(base) = UART_RXFIFO_FULL | UART_RXFIFO_TOUT;
        UART_INT_ENA(base) = UART_RXFIFO_FULL | UART_RXFIFO_TOUT;
    }
    chip_route(SOURCE_UART0, LINE_UART0);
    chip_route(SOURCE_UART1, LINE_UART1);
}

void uart_interrupt(unsigned port) {
    uint32_t base = base_of(port);
    for (uint32_t i = 0; i < FIFO_BYTES && UART_RECEIVED(base); i++) {
        uint8_t byte = (uint8_t)UART_FIFO(base);
        uint32_t head = received[port].head;
        if (head - received[port].tail < RECEIVED_BYTES) { /* else it is lost: nobody reads */
            received[port].bytes[head % RECEIVED_BYTES] = byte;
            received[port].head = head + 1;
        }
    }
    UART_INT_CLR(base) = UART_RXFIFO_FULL | UART_RXFIFO_TOUT;
}

size_t hal_uart_read(unsigned port, uint8_t *bytes, size_t room) {
    size_t count = 0;
    while (count < room && received[port].tail != received[port].head) {
        bytes[count++] = received[port].bytes[received[port].tail % RECEIVED_BYTES];
        received[port].tail++;
    }
    return count;
}

int hal_uart_write(unsigned port, const uint8_t *bytes, size_t count) {
    uint32_t base = base_of(port);
    for (size_t i = 0; i < count; i++) {
        uint32_t polls = 0;
        while (UART_UNSENT(base) >= FIFO_BYTES - 2u) {
            if (++polls > POLLS) {
                return ERROR_TIMEOUT;
            }
            chip_delay_us(BYTE_US);
        }
        UART_FIFO_IN(base) = bytes[i];
    }
    return 0;
}
