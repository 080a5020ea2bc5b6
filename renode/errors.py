"""What can go wrong around Renode, as far as it is the user's to mend."""

from __future__ import annotations

from sim.errors import SimtwinError


class RenodeError(SimtwinError):
    """A file of sensor data that is none, a bundle that cannot be made, a download that is not what it should be."""

    exit_code = 8


class RenodeMissing(RenodeError):
    """Renode was asked for and is not here."""

    exit_code = 9
