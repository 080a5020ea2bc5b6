/* The HAL on ESP-IDF. The tick is a task above the main loop's, on the same core: so a critical section keeps it away, and it
 * may use the SPI driver, which an interrupt may not. */
#include "port.h"

#include "driver/spi_master.h"
#include "driver/uart.h"
#include "errors.h"
#include "esp_err.h"
#include "esp_mac.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "esp_task_wdt.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "hal.h"
#include "sizes.h"
#include "line.h"
#include "sdkconfig.h"
#include "vhci.h"

#define SPI_HZ 10000000
#define CONSOLE UART_NUM_0
#define CONSOLE_BUFFER 1024
#define TICK_STACK 4096
#define TICK_PRIORITY 20
#define IDLE_MS 100
#define FATAL_MS 2000

/* Of the partition, in partitions.csv. */
#define STORE_TYPE ((esp_partition_type_t)0x40)
#define STORE_SUBTYPE ((esp_partition_subtype_t)0x00)

static spi_device_handle_t imus[MAX_SENSORS];
static const esp_partition_t *store;
static TaskHandle_t main_task, tick_task;
static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;
static void (*tick)(void *);
static void *tick_context;

void port_init(void) {
    static const int select[MAX_SENSORS] = {CONFIG_SIMTWIN_PIN_CS0, CONFIG_SIMTWIN_PIN_CS1, CONFIG_SIMTWIN_PIN_CS2};
    const spi_bus_config_t bus = {
        .mosi_io_num = CONFIG_SIMTWIN_PIN_MOSI,
        .miso_io_num = CONFIG_SIMTWIN_PIN_MISO,
        .sclk_io_num = CONFIG_SIMTWIN_PIN_CLOCK,
        .quadwp_io_num = -1,
        .quadhd_io_num = -1,
        .max_transfer_sz = HAL_SPI_BYTES,
    };
    main_task = xTaskGetCurrentTaskHandle();
    /* Transfers fit in the controller's own 64 bytes: no DMA. */
    ESP_ERROR_CHECK(spi_bus_initialize(SPI2_HOST, &bus, SPI_DMA_DISABLED));
    for (int i = 0; i < MAX_SENSORS; i++) {
        const spi_device_interface_config_t imu = {
            .mode = 0,
            .clock_speed_hz = SPI_HZ,
            .spics_io_num = select[i],
            .queue_size = 1,
        };
        ESP_ERROR_CHECK(spi_bus_add_device(SPI2_HOST, &imu, &imus[i]));
    }
    ESP_ERROR_CHECK(uart_driver_install(CONSOLE, CONSOLE_BUFFER, CONSOLE_BUFFER, 0, NULL, 0));
    store = esp_partition_find_first(STORE_TYPE, STORE_SUBTYPE, "simtwin");
}

int hal_spi_transfer(unsigned device, uint8_t *bytes, size_t count, size_t sent) {
    (void)sent;
    if (device >= MAX_SENSORS || count < 1 || count > HAL_SPI_BYTES) {
        return ERROR_ARGUMENT;
    }
    spi_transaction_t transaction = {.length = 8 * count, .tx_buffer = bytes, .rx_buffer = bytes};
    return spi_device_polling_transmit(imus[device], &transaction) == ESP_OK ? 0 : ERROR_TIMEOUT;
}

/* UART1 belongs to emulators; here the Bluetooth controller takes HCI packets from memory. */
int hal_uart_write(unsigned port, const uint8_t *bytes, size_t count) {
    if (port == HAL_UART_HCI) {
        return vhci_write(bytes, count);
    }
    return uart_write_bytes(CONSOLE, bytes, count) == (int)count ? 0 : ERROR_TIMEOUT;
}

size_t hal_uart_read(unsigned port, uint8_t *bytes, size_t room) {
    if (port == HAL_UART_HCI) {
        return vhci_read(bytes, room);
    }
    int count = uart_read_bytes(CONSOLE, bytes, (uint32_t)room, 0);
    return count > 0 ? (size_t)count : 0;
}

uint64_t hal_time_us(void) { return (uint64_t)esp_timer_get_time(); }

static void on_timer(void *unused) {
    (void)unused;
    xTaskNotifyGive(tick_task);
}

static void run_ticks(void *unused) {
    (void)unused;
    for (;;) {
        ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        tick(tick_context);
        xTaskNotifyGive(main_task);
    }
}

void hal_tick_start(uint32_t period_us, void (*function)(void *context), void *context) {
    const esp_timer_create_args_t timer = {.callback = on_timer, .name = "simtwin"};
    esp_timer_handle_t handle;
    tick = function;
    tick_context = context;
    if (xTaskCreatePinnedToCore(run_ticks, "simtwin-tick", TICK_STACK, NULL, TICK_PRIORITY, &tick_task,
                                xPortGetCoreID()) != pdPASS) {
        hal_fatal("no memory for the tick", TICK_STACK);
    }
    ESP_ERROR_CHECK(esp_timer_create(&timer, &handle));
    ESP_ERROR_CHECK(esp_timer_start_periodic(handle, period_us));
}

void hal_lock(void) { taskENTER_CRITICAL(&lock); }

void hal_unlock(void) { taskEXIT_CRITICAL(&lock); }

void hal_wait_for_event(void) { (void)ulTaskNotifyTake(pdTRUE, pdMS_TO_TICKS(IDLE_MS)); }

static int checked(esp_err_t result) { return result == ESP_OK ? 0 : ERROR_FLASH; }

int hal_flash_read(uint32_t offset, uint8_t *bytes, size_t count) {
    return store ? checked(esp_partition_read(store, offset, bytes, count)) : ERROR_FLASH;
}

int hal_flash_program(uint32_t offset, const uint8_t *bytes, size_t count) {
    return store ? checked(esp_partition_write(store, offset, bytes, count)) : ERROR_FLASH;
}

int hal_flash_erase_sector(uint32_t offset) {
    return store ? checked(esp_partition_erase_range(store, offset, HAL_FLASH_SECTOR_BYTES)) : ERROR_FLASH;
}

/* The task watchdog may run already, by the project's settings. */
void hal_watchdog_start(uint32_t timeout_ms) {
    const esp_task_wdt_config_t config = {.timeout_ms = timeout_ms, .idle_core_mask = 0, .trigger_panic = true};
    if (esp_task_wdt_init(&config) == ESP_ERR_INVALID_STATE) {
        ESP_ERROR_CHECK(esp_task_wdt_reconfigure(&config));
    }
    ESP_ERROR_CHECK(esp_task_wdt_add(NULL));
}

void hal_watchdog_feed(void) { (void)esp_task_wdt_reset(); }

enum hal_reset_cause hal_reset_cause(void) {
    switch (esp_reset_reason()) {
    case ESP_RST_POWERON:
        return HAL_RESET_POWER;
    case ESP_RST_SW:
        return HAL_RESET_SOFTWARE;
    case ESP_RST_INT_WDT:
    case ESP_RST_TASK_WDT:
    case ESP_RST_WDT:
        return HAL_RESET_WATCHDOG;
    case ESP_RST_BROWNOUT:
        return HAL_RESET_BROWNOUT;
    default:
        return HAL_RESET_OTHER;
    }
}

/* The chip's base address, of which ESP-IDF makes those of its interfaces. */
void hal_mac_address(uint8_t address[6]) { ESP_ERROR_CHECK(esp_efuse_mac_get_default(address)); }

_Noreturn void hal_reboot(void) {
    (void)uart_wait_tx_done(CONSOLE, pdMS_TO_TICKS(IDLE_MS));
    esp_restart();
}

_Noreturn void hal_fatal(const char *what, uint32_t detail) {
    struct line line = {0};
    line_text(&line, "fatal ");
    line_text(&line, what);
    line_value(&line, ":", (int32_t)detail);
    line_send(&line);
    vTaskDelay(pdMS_TO_TICKS(FATAL_MS)); /* a device that starts again and again must not wear out its flash */
    hal_reboot();
}
