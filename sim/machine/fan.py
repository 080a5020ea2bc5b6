"""The fan: blade pass with the sidebands of unequal blades, and flow noise."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

import numpy as np
from numba import njit
from pydantic import Field

from sim.drive import RPM
from sim.effect import Array, Block, Part, Site
from sim.extent import ALWAYS, Extent
from sim.scenario.quantity import Quantity
from sim.waveforms import ShaftLines, ShapedNoise, with_speed_squared

HARMONICS = 3
"""Blade-pass harmonics that are simulated."""

_FLOW_DIRECTIONS = ((0.6, 0.8, 0.0), (0.0, 0.0, 1.0))


class Fan(Part):
    """An axial or radial impeller on the rotor."""

    citation: ClassVar[str] = (
        "Neise 1992, J. Sound Vib. 158(3): blade-pass tones and broad-band noise of fans; force fluctuations of "
        "lifting surfaces grow with the square of the flow speed (Blake 1986, Mechanics of Flow-Induced Sound)"
    )
    limits: ClassVar[str] = (
        "no stall, no surge, no duct acoustics; the flow follows the speed (affinity laws); lines up to 3.5 times "
        "blade pass, which must lie below half the grid's rate"
    )

    blades: Annotated[int, Field(ge=2, le=60, strict=True)]
    """Number of blades."""
    tip_radius_mm: Annotated[float, Quantity(gt=0, le=20000)]
    """Radius of the blade tips."""
    blade_pass_n: Annotated[float, Quantity(ge=0, le=1e6)] = 0.0
    """Amplitude of the force at blade pass at rated speed; it grows with speed squared and load."""
    harmonic_decay: Annotated[float, Quantity(ge=0, le=1)] = 0.4
    """Ratio of each blade-pass harmonic to the one before."""
    blade_spread_pct: Annotated[float, Quantity(ge=0, le=50)] = 3.0
    """Standard deviation of the blades' lift: unequal blades put sidebands at the shaft rate beside blade pass."""
    flow_noise_n: Annotated[float, Quantity(ge=0, le=1e6)] = 0.0
    """RMS of the broad-band force of the flow at rated speed; it grows with speed squared."""
    flow_corner_order: Annotated[float, Quantity(gt=0, le=1e4)] = 20.0
    """Corner of the flow noise's spectrum, as an order of the shaft speed (a Strouhal number fixed in space)."""

    def stream(self, site: Site) -> FanStream:
        """Start with blades drawn at random."""
        spread = self.blade_spread_pct / 100.0
        lifts = 1.0 + spread * site.rng("blades").standard_normal(self.blades)
        return FanStream(self, site, lifts, ALWAYS, self.flow_noise_n)

    def lines(self, lifts: Array, rng: np.random.Generator) -> ShaftLines:
        """Blade pass of blades with `lifts` (1 each: equal).

        Blade i passes the fixed obstacle at the angle 2 pi i / Z and makes the same pulse, times its lift. The
        force is then sum_k p(k) DFT_k(lifts) / Z cos(k theta + ...): equal blades leave only multiples of Z, unequal
        ones fill in the shaft orders beside them.
        """
        z, top = self.blades, self.blades * HARMONICS + self.blades // 2
        order = np.arange(1, top + 1)
        # The pulse's spectrum, smooth through the harmonics: decay^(order / Z - 1).
        pulse = np.power(max(self.harmonic_decay, 1e-3), order / z - 1.0)
        share = np.exp(-2j * math.pi * np.outer(order, np.arange(z)) / z) @ lifts / z
        amplitude = self.blade_pass_n * pulse * share
        directions = np.array([[0.6], [0.8], [1.0]]) * np.exp(1j * rng.uniform(0.0, 2.0 * math.pi, (3, 1)))
        amplitudes = np.zeros((1, 2 * top), dtype=np.complex128)
        amplitudes[0, 1::2] = amplitude * np.exp(1j * rng.uniform(0.0, 2.0 * math.pi, top))
        return ShaftLines(amplitudes, directions)


@njit(cache=True)
def _lift(pressure: Array, load: Array) -> None:
    """From the flow's pressure to the blades' lift, in place: most of it goes with the load."""
    for i in range(load.shape[0]):
        pressure[i] *= 0.3 + 0.7 * load[i]


class FanStream:
    """Running fan; also used by blade faults, with the lifts' change alone."""

    def __init__(self, fan: Fan, site: Site, lifts: Array, extent: Extent, flow_noise_n: float) -> None:
        # The phases belong to the machine: a blade fault must meet the same ones, so the random stream is the fan's.
        self._lines = fan.lines(lifts, site.at("machine", "fan").rng("blade pass"))
        self._rated_rad_s = site.machine.rated_speed_rpm * RPM
        self._extent, self._noise_n = extent, flow_noise_n
        self._noise = ShapedNoise(site.noise("flow"), _FLOW_DIRECTIONS, fan.flow_corner_order)

    def add(self, block: Block) -> None:
        """Add blade-pass lines on the casing, and flow noise on the casing and along the shaft."""
        size = self._extent.over(block)
        if size is None:
            return
        pressure = with_speed_squared(size, block.speed_rad_s, self._rated_rad_s**-2)
        if self._noise_n > 0.0:
            self._noise.add(block, "casing", pressure, self._noise_n)
        _lift(pressure, block.load)
        self._lines.add(block.force("casing"), pressure, block)
