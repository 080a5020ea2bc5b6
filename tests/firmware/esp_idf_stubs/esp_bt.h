#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

typedef enum { ESP_BT_MODE_IDLE = 0, ESP_BT_MODE_BLE = 1, ESP_BT_MODE_CLASSIC_BT = 2, ESP_BT_MODE_BTDM = 3 } esp_bt_mode_t;

typedef struct {
    uint32_t magic;
} esp_bt_controller_config_t;

#define BT_CONTROLLER_INIT_CONFIG_DEFAULT() \
    { .magic = 0x5A5AA5A5 }

typedef struct esp_vhci_host_callback {
    void (*notify_host_send_available)(void);
    int (*notify_host_recv)(uint8_t *data, uint16_t len);
} esp_vhci_host_callback_t;

esp_err_t esp_bt_controller_mem_release(esp_bt_mode_t mode);
esp_err_t esp_bt_controller_init(esp_bt_controller_config_t *config);
esp_err_t esp_bt_controller_enable(esp_bt_mode_t mode);
bool esp_vhci_host_check_send_available(void);
void esp_vhci_host_send_packet(uint8_t *data, uint16_t len);
esp_err_t esp_vhci_host_register_callback(const esp_vhci_host_callback_t *callback);
