/* What the port uses of ESP-IDF 5's headers, written from its API reference: types, names, signatures. */
#pragma once
typedef int esp_err_t;
#define ESP_OK 0
#define ESP_ERR_INVALID_STATE 0x103
void esp_error_check_failed(esp_err_t result);
#define ESP_ERROR_CHECK(x)                  \
    do {                                    \
        esp_err_t result_ = (x);            \
        if (result_ != ESP_OK) {            \
            esp_error_check_failed(result_); \
        }                                   \
    } while (0)
