"""The gateway: receives alerts over Bluetooth, serial lines and sockets, stores them, shows them, passes them on."""
