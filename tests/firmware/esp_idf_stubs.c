/* Just enough of ESP-IDF to run the port on this machine: one LSM6DSO on the bus, a flash partition in memory, timer and tasks as
 * plain calls. main() lets two seconds pass. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/spi_master.h"
#include "driver/uart.h"
#include "esp_bt.h"
#include "esp_mac.h"
#include "nvs_flash.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "esp_task_wdt.h"
#include "esp_timer.h"
#include "freertos/task.h"

void app_main(void);

static int64_t now_us;
static uint64_t period_us;
static esp_timer_cb_t timer;
static TaskFunction_t tick_task;
static int in_tick, critical, wdt_tasks, wdt_feeds;
static uint8_t registers[128], flash[0x2000];
static struct {
    int device;
} devices[3];

#define MUST(condition)                                           \
    do {                                                          \
        if (!(condition)) {                                       \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
            exit(1);                                              \
        }                                                         \
    } while (0)

void esp_error_check_failed(esp_err_t result) { MUST(result == ESP_OK); }

esp_err_t spi_bus_initialize(spi_host_device_t host, const spi_bus_config_t *bus, spi_dma_chan_t dma) {
    MUST(host == SPI2_HOST && dma == SPI_DMA_DISABLED && bus->max_transfer_sz == 64 && bus->quadwp_io_num == -1);
    return ESP_OK;
}

esp_err_t spi_bus_add_device(spi_host_device_t host, const spi_device_interface_config_t *config, spi_device_handle_t *handle) {
    static int count;
    MUST(host == SPI2_HOST && config->mode == 0 && config->clock_speed_hz <= 10000000 && config->queue_size > 0 && count < 3);
    devices[count].device = count;
    *handle = (spi_device_handle_t)&devices[count++];
    return ESP_OK;
}

/* 67 words of the accelerometer are always waiting, at rest but for their last bit. */
esp_err_t spi_device_polling_transmit(spi_device_handle_t handle, spi_transaction_t *transaction) {
    static unsigned noise = 1;
    uint8_t *bytes = transaction->rx_buffer;
    size_t count = transaction->length / 8;
    MUST(transaction->length % 8 == 0 && count >= 1 && count <= 64 && transaction->tx_buffer && !critical);
    if ((void *)handle != &devices[0]) {
        memset(bytes, 0xFF, count);
        return ESP_OK;
    }
    uint8_t address = bytes[0] & 0x7F;
    if (!(bytes[0] & 0x80)) {
        registers[address] = bytes[1];
        return ESP_OK;
    }
    registers[0x0F] = 0x6C;
    registers[0x3A] = 67;
    for (size_t i = 1; i < count; i++) {
        if (address != 0x78) {
            bytes[i] = registers[address + i - 1];
            continue;
        }
        static const uint8_t at_rest[7] = {0x10, 0, 0, 0, 0, 0, 8};
        noise = noise * 1103515245u + 12345u;
        bytes[i] = (uint8_t)(at_rest[(i - 1) % 7] + ((i - 1) % 7 % 2 ? noise >> 28 : 0));
    }
    return ESP_OK;
}

esp_err_t uart_driver_install(uart_port_t port, int rx, int tx, int queue, QueueHandle_t *handle, int flags) {
    MUST(port == 0 && rx > 128 && (tx == 0 || tx > 128) && queue == 0 && !handle && !flags);
    return ESP_OK;
}

int uart_write_bytes(uart_port_t port, const void *from, size_t size) {
    MUST(port == 0 && !critical);
    return (int)fwrite(from, 1, size, stdout);
}

int uart_read_bytes(uart_port_t port, void *to, uint32_t length, TickType_t ticks) {
    static const char commands[] = "threshold 99\nstatus\nversion\n";
    static size_t sent;
    MUST(port == 0 && ticks == 0);
    if (now_us < 1000000 || sent == sizeof commands - 1 || !length) {
        return 0;
    }
    *(char *)to = commands[sent++];
    return 1;
}

esp_err_t uart_wait_tx_done(uart_port_t port, TickType_t ticks) { return port || !ticks ? ESP_ERR_INVALID_STATE : ESP_OK; }

esp_err_t esp_timer_create(const esp_timer_create_args_t *arguments, esp_timer_handle_t *handle) {
    timer = arguments->callback;
    *handle = NULL;
    return ESP_OK;
}

esp_err_t esp_timer_start_periodic(esp_timer_handle_t handle, uint64_t us) {
    MUST(!handle && timer && tick_task);
    period_us = us;
    return ESP_OK;
}

int64_t esp_timer_get_time(void) { return now_us++; }

static const esp_partition_t partition = {0, sizeof flash, 4096};

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type, esp_partition_subtype_t subtype, const char *label) {
    memset(flash, 0xFF, sizeof flash);
    MUST(type == 0x40 && subtype == 0 && !strcmp(label, "simtwin"));
    return &partition;
}

esp_err_t esp_partition_read(const esp_partition_t *from, size_t offset, void *to, size_t size) {
    MUST(from == &partition && offset + size <= sizeof flash);
    memcpy(to, flash + offset, size);
    return ESP_OK;
}

esp_err_t esp_partition_write(const esp_partition_t *to, size_t offset, const void *from, size_t size) {
    MUST(to == &partition && offset + size <= sizeof flash);
    for (size_t i = 0; i < size; i++) {
        flash[offset + i] &= ((const uint8_t *)from)[i];
    }
    return ESP_OK;
}

esp_err_t esp_partition_erase_range(const esp_partition_t *in, size_t offset, size_t size) {
    MUST(in == &partition && offset % 4096 == 0 && size % 4096 == 0 && offset + size <= sizeof flash);
    memset(flash + offset, 0xFF, size);
    return ESP_OK;
}

esp_reset_reason_t esp_reset_reason(void) { return ESP_RST_BROWNOUT; }

void esp_restart(void) { exit(2); }

esp_err_t esp_task_wdt_init(const esp_task_wdt_config_t *config) {
    MUST(config->timeout_ms >= 1000 && config->trigger_panic);
    return ESP_ERR_INVALID_STATE;
}

esp_err_t esp_task_wdt_reconfigure(const esp_task_wdt_config_t *config) { return config ? ESP_OK : ESP_ERR_INVALID_STATE; }

esp_err_t esp_task_wdt_add(TaskHandle_t task) {
    wdt_tasks++;
    return task ? ESP_ERR_INVALID_STATE : ESP_OK;
}

esp_err_t esp_task_wdt_reset(void) {
    MUST(wdt_tasks == 1);
    wdt_feeds++;
    return ESP_OK;
}

BaseType_t xPortGetCoreID(void) { return 0; }

esp_err_t esp_efuse_mac_get_default(uint8_t *mac) {
    memcpy(mac, "\x7C\xDF\xA1\x00\x00\x01", 6);
    return ESP_OK;
}

/* A controller that must be set up in the order of ESP-IDF's manual, prints what it is given, and answers every command. */
static int nvs_opened, bluetooth;
static const esp_vhci_host_callback_t *vhci;

esp_err_t nvs_flash_init(void) { return nvs_opened++ ? ESP_OK : ESP_ERR_NVS_NO_FREE_PAGES; }

esp_err_t nvs_flash_erase(void) {
    MUST(nvs_opened == 1);
    return ESP_OK;
}

esp_err_t esp_bt_controller_mem_release(esp_bt_mode_t mode) {
    MUST(mode == ESP_BT_MODE_CLASSIC_BT && !bluetooth);
    return ESP_OK;
}

esp_err_t esp_bt_controller_init(esp_bt_controller_config_t *config) {
    MUST(config->magic == 0x5A5AA5A5 && nvs_opened == 2 && bluetooth++ == 0);
    return ESP_OK;
}

esp_err_t esp_bt_controller_enable(esp_bt_mode_t mode) {
    MUST(mode == ESP_BT_MODE_BLE && bluetooth++ == 1);
    return ESP_OK;
}

esp_err_t esp_vhci_host_register_callback(const esp_vhci_host_callback_t *callback) {
    MUST(callback->notify_host_send_available && bluetooth++ == 2);
    vhci = callback;
    return ESP_OK;
}

static int asked;

bool esp_vhci_host_check_send_available(void) {
    MUST(vhci);
    asked = 1;
    return true;
}

void esp_vhci_host_send_packet(uint8_t *data, uint16_t length) {
    MUST(asked && !critical && length >= 4 && data[0] == 1 && length == 4 + data[3]);
    uint8_t answer[] = {4, 0x0E, 4, 1, data[1], data[2], 0};
    asked = 0;
    printf("hci ");
    for (int i = 0; i < length; i++) {
        printf("%02x", data[i]);
    }
    printf("\n");
    memset(data, 0xEE, length);
    vhci->notify_host_recv(answer, sizeof answer);
}

BaseType_t xTaskCreatePinnedToCore(TaskFunction_t code, const char *name, uint32_t stack, void *parameters, UBaseType_t priority,
                                   TaskHandle_t *created, BaseType_t core) {
    MUST(code && strlen(name) < 16 && stack >= 2048 && !parameters && priority > 1 && priority < 25 && core == 0);
    tick_task = code;
    *created = (TaskHandle_t)&tick_task;
    return pdPASS;
}

TaskHandle_t xTaskGetCurrentTaskHandle(void) { return (TaskHandle_t)&now_us; }

BaseType_t xTaskNotifyGive(TaskHandle_t task) {
    MUST(task);
    return pdPASS;
}

#include <setjmp.h>
static jmp_buf back;

/* The tick's task waits: back to the main loop. The main loop waits: the time of a period passes, and the tick's task runs. */
uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t ticks) {
    MUST(clear && !critical);
    if (in_tick) {
        if (in_tick == 2) {
            in_tick = 0;
            longjmp(back, 1);
        }
        in_tick = 2;
        return 1;
    }
    MUST(ticks >= 50);
    now_us += (int64_t)period_us;
    if (now_us > 2000000) {
        MUST(wdt_feeds > 50);
        printf("end\n");
        exit(0);
    }
    timer(NULL);
    if (!setjmp(back)) {
        in_tick = 1;
        tick_task(NULL);
    }
    return 1;
}

void vTaskDelay(TickType_t ticks) { now_us += 1000 * (int64_t)ticks; }

void taskENTER_CRITICAL(portMUX_TYPE *mux) {
    MUST(mux && !critical++);
}

void taskEXIT_CRITICAL(portMUX_TYPE *mux) {
    MUST(mux && critical-- == 1);
}

int main(void) {
    app_main();
    return 3;
}
