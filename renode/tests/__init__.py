"""The Robot suites, and the Python they need on either engine."""
