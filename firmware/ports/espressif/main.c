#include "app.h"
#include "chip.h"
#include "hal.h"

int main(void);

static struct app app;

int main(void) {
    chip_init();
    image_check_all();
    app_start(&app);
    for (;;) {
        app_step(&app);
        image_check();
        hal_wait_for_event();
    }
}
