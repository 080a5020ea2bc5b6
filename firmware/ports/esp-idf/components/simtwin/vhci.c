/* HCI packets to and from the chip's own controller, in memory (VHCI): what other ports do over a UART. */
#include "vhci.h"

#include <stdbool.h>

#include "bytes.h"
#include "errors.h"
#include "esp_bt.h"
#include "esp_err.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash.h"

#define PACKET_BYTES 64u    /* longest command */
#define RECEIVED_BYTES 512u /* events that nobody has read yet */

static enum { UNTRIED, RUNNING, BROKEN } controller;
static TaskHandle_t host_task;
static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;
static uint8_t received[RECEIVED_BYTES];
static uint32_t head, tail;

static void on_send_available(void) {}

/* By the controller's task. What does not fit is lost as a whole: the core asks again. */
static int on_packet(uint8_t *data, uint16_t length) {
    taskENTER_CRITICAL(&lock);
    if (length <= RECEIVED_BYTES - (head - tail)) {
        for (uint16_t i = 0; i < length; i++) {
            received[head++ % RECEIVED_BYTES] = data[i];
        }
    }
    taskEXIT_CRITICAL(&lock);
    xTaskNotifyGive(host_task);
    return 0;
}

/* The radio's calibration is kept in NVS; without it, it calibrates at every start. */
static void open_nvs(void) {
    esp_err_t opened = nvs_flash_init();
    if (opened == ESP_ERR_NVS_NO_FREE_PAGES || opened == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        (void)nvs_flash_erase();
        (void)nvs_flash_init();
    }
}

static bool start(void) {
    static const esp_vhci_host_callback_t callbacks = {on_send_available, on_packet};
    esp_bt_controller_config_t config = BT_CONTROLLER_INIT_CONFIG_DEFAULT();
    host_task = xTaskGetCurrentTaskHandle();
    open_nvs();
    (void)esp_bt_controller_mem_release(ESP_BT_MODE_CLASSIC_BT); /* some 30 KB where the chip has classic Bluetooth */
    return esp_bt_controller_init(&config) == ESP_OK && esp_bt_controller_enable(ESP_BT_MODE_BLE) == ESP_OK &&
           esp_vhci_host_register_callback(&callbacks) == ESP_OK;
}

int vhci_write(const uint8_t *packet, size_t count) {
    static uint8_t copy[PACKET_BYTES];
    if (count > sizeof copy) {
        return ERROR_ARGUMENT;
    }
    if (controller == UNTRIED) {
        controller = start() ? RUNNING : BROKEN;
    }
    if (controller == BROKEN || !esp_vhci_host_check_send_available()) {
        return ERROR_TIMEOUT;
    }
    bytes_copy(copy, packet, count);
    esp_vhci_host_send_packet(copy, (uint16_t)count);
    return 0;
}

size_t vhci_read(uint8_t *bytes, size_t room) {
    size_t count = 0;
    taskENTER_CRITICAL(&lock);
    while (count < room && tail != head) {
        bytes[count++] = received[tail++ % RECEIVED_BYTES];
    }
    taskEXIT_CRITICAL(&lock);
    return count;
}
