"""Sensors: devices by datasheet, the IMU signal chain, sensor faults, fusion."""
