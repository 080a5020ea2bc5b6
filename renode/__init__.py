"""The firmware on Renode: platform, sensor data, Robot suites, and all that brings them there."""
