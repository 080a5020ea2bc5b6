"""What can go wrong with firmware, as far as it is the user's to mend."""

from __future__ import annotations

from sim.errors import SimtwinError


class FirmwareError(SimtwinError):
    """A model that no firmware can be built for, a compiler that is missing, a frame that is damaged."""

    exit_code = 6
