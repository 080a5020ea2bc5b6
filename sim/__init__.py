"""The twin: scenario -> drive -> machine and faults -> structure -> IMU -> labelled dataset."""

__version__ = "0.1.0"
