"""Calibration: what healthy recordings of a machine say about it, as a scenario's figures with their uncertainty."""
