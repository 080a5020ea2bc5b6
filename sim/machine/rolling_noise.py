"""Broad-band noise of rolling contacts: surface roughness, louder with load, speed and wear."""

from __future__ import annotations

import math

import numpy as np

from sim.drive import RPM
from sim.effect import BearingPosition, Block, Site
from sim.extent import ALWAYS, Extent
from sim.waveforms import ShapedNoise, with_speed_squared

CORNER_ORDER = 400.0
"""Corner of the roughness spectrum as an order of the shaft speed. The contact ellipse, about a hundredth of the race's
circumference wide, averages shorter waves out (Sunnersjoe 1985, J. Sound Vib. 98(4), on surface-induced vibration)."""

PRELOAD_EXPONENT = 1.0
"""Noise grows in proportion to the contact load: an assumption, which a machine's own records should replace.

Rigid roughness between Hertz contacts would give 1/3 (their stiffness goes with the cube root of the load); more
asperities in contact and less oil film make it more. The ADI Limerick rig, when misaligned, is 2 to 6 times as loud at
1.5-6 kHz.
"""

MODULATION = 0.15
"""Depth of the modulation once a turn."""

DIRECTIONS = ((0.7, 1.0, 0.0), (0.0, 0.0, 0.5))
"""Radial noise, mostly along the load, and half as much axial noise, independent of it."""


class RollingNoise:
    """Cyclostationary broad-band force at one bearing housing: radial and axial noise, modulated once a turn.

    RMS at rated speed is `rms_n` on the vertical axis, 0.7 of it horizontally, 0.5 axially. It goes with speed
    squared, so in a fixed band, as the corner moves up too, with its power 1.5, as on the healthy ADI Limerick rig in
    2-6 kHz; where the bearing states an exponent and a corner of its own, with those.
    Modulation once a turn comes from whatever turns with the shaft (residual unbalance, runout): Antoni 2009, Mech.
    Syst. Signal Process. 23(4), on cyclostationarity of bearing signals.
    """

    def __init__(
        self, site: Site, position: BearingPosition, rms_n: float, extent: Extent = ALWAYS, modulation: float = MODULATION
    ) -> None:
        self._position, self._extent = position, extent
        self._rms_n, self._rated_rad_s = rms_n, site.machine.rated_speed_rpm * RPM
        bearing = site.machine.bearings[position]
        self._exponent = bearing.noise_speed_exponent
        phase = float(site.rng(f"rolling phase {position}").uniform(0.0, 2.0 * math.pi))
        rng = site.noise(f"rolling noise {position}")
        self._noise = ShapedNoise(rng, DIRECTIONS, bearing.noise_corner_order, modulation, phase)

    @staticmethod
    def of_bearing(site: Site, position: BearingPosition) -> RollingNoise:
        """Noise of the healthy bearing at `position`."""
        return RollingNoise(site, position, site.machine.bearings[position].noise_n)

    @staticmethod
    def growth(
        site: Site, position: BearingPosition, extent: Extent, *, preload_n: float = 0.0, roughness_factor: float = 1.0
    ) -> RollingNoise:
        """What preload (a force beside the static load) or wear ADDS to the noise of the bearing at `position`.

        Independent noises add in power, so an effect that makes the bearing g times as loud adds a source of its own
        with rms * sqrt(g^2 - 1); thus effects stay additive and can be taken away. At a share of its full size the
        source has that share of its RMS. The direction of the preload is ignored: it never unloads the bearing.
        """
        bearing = site.machine.bearings[position]
        gain = roughness_factor * (1.0 + preload_n / bearing.static_load_n(site.machine)) ** PRELOAD_EXPONENT
        return RollingNoise(site, position, bearing.noise_n * math.sqrt(max(gain**2 - 1.0, 0.0)), extent)

    def add(self, block: Block) -> None:
        """Add the noise to the housing."""
        size = self._extent.over(block)
        if self._rms_n != 0.0 and size is not None:
            if self._exponent == 2.0:
                gain_n = with_speed_squared(size, block.speed_rad_s, self._rms_n / self._rated_rad_s**2)
            else:
                gain_n = self._rms_n * size * np.abs(block.speed_rad_s / self._rated_rad_s) ** self._exponent
            self._noise.add(block, self._position, gain_n)
