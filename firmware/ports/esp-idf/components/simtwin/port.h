#ifndef PORT_H
#define PORT_H

/* Drivers and the flash partition, before app_start; called by the task that will run the main loop. */
void port_init(void);

#endif
