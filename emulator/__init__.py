"""The built-in emulator: an ESP32-C3 on Unicorn with the sensors of a scenario on its SPI bus."""
