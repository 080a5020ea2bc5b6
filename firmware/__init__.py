"""The firmware: portable C in `core`, one port a chip in `ports`, and the Python that builds and runs it."""
