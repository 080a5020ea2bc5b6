"""What can go wrong with the gateway, as far as it is the user's to mend."""

from __future__ import annotations

from sim.errors import SimtwinError


class GatewayError(SimtwinError):
    """A source, a store, a broker or an address that cannot be used as given."""

    exit_code = 7
