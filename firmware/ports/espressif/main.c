#include "app.h"
#include "chip.h"
#include "hal.h"

int main(void);

static struct app app;

int main(void) {
    chip_init();
    app_start(&app);
    for (;;) {
        app_step(&app);
        hal_wait_for_event();
    }
}
