#include "app.h"
#include "hal.h"
#include "port.h"

void app_main(void);

void app_main(void) {
    static struct app app;
    port_init();
    app_start(&app);
    for (;;) {
        app_step(&app);
        hal_wait_for_event();
    }
}
