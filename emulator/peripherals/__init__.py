"""The chip's peripherals, one a file. Offsets and reset values: ESP32-C3 Technical Reference Manual."""
