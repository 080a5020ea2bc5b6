"""End to end: a scenario's machine, the IMU, the firmware on an emulated chip, and what it says, held against the scenario."""
