"""What reaches the machine from outside: shocks, a neighbour's tones, temperature."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from sim.effect import Array, Block, Part, Site, Stream, Streams
from sim.scenario.quantity import Quantity
from sim.scenario.spec import Spec
from sim.waveforms import add_pulses, add_tone


class NeighbourTone(Part):
    """A machine nearby that runs at its own fixed frequency, felt through the floor."""

    citation: ClassVar[str] = "ISO 20816-1:2016, annex on background vibration"
    limits: ClassVar[str] = (
        "one tone of constant frequency and amplitude, below half the grid's rate; enters at the casing"
    )

    frequency_hz: Annotated[float, Quantity(gt=0, le=50000)]
    """Frequency of the tone."""
    force_n: Annotated[float, Quantity(ge=0, le=1e6)]
    """Amplitude of the equivalent force on the casing, along a direction component of 1."""
    direction: tuple[float, float, float] = (0.5, 1.0, 0.2)
    """Components along x, y, z as multiples of `force_n` (not normalised)."""

    def stream(self, site: Site) -> Stream:
        """Start at a random phase."""
        return ToneStream(self, float(site.rng("phase").uniform(0.0, 2.0 * math.pi)))


class ToneStream:
    """Running `NeighbourTone`."""

    def __init__(self, tone: NeighbourTone, phase: float) -> None:
        self._tone, self._phase = tone, phase
        self._amplitude_n = tone.force_n * np.array(tone.direction)

    def add(self, block: Block) -> None:
        """Add the tone to the casing."""
        if self._tone.force_n == 0.0:
            return
        frequency_rad_s = 2.0 * math.pi * self._tone.frequency_hz
        add_tone(block.force("casing"), block.time_s, frequency_rad_s, self._phase, self._amplitude_n)


class Shocks(Spec):
    """Random knocks: something drops, a cart hits the frame. Poisson in time, from all sides, raised-cosine in shape.

    A raised cosine (haversine) is the half-sine of IEC 60068-2-27 without its corners, which would excite high
    frequencies.
    """

    rate_per_hour: Annotated[float, Quantity(ge=0, le=36000)] = 0.0
    """Mean number of shocks."""
    impulse_n_s: Annotated[float, Quantity(ge=0, le=1e5)] = 0.05
    """Median momentum of a shock on the casing; each varies by a factor of about two (log-normal, sigma 0.7)."""
    width_ms: Annotated[float, Quantity(gt=0, le=1000)] = 2.0
    """Length of a shock."""


@dataclass(frozen=True)
class Shock:
    """One shock: when, and its momentum along x, y, z."""

    time_s: float
    impulse_n_s: tuple[float, float, float]


class ShockStream:
    """The shocks that the world's disturbance process scheduled, as force pulses on the casing."""

    def __init__(self, shocks: list[Shock], width_s: float, dt_s: float, start_s: float) -> None:
        flank = max(width_s / dt_s / 2.0, 1.0)
        self._pulses = np.array(
            [
                [(s.time_s - start_s) / dt_s, flank, 0.0, flank, *(np.array(s.impulse_n_s) / (flank * dt_s))]
                for s in shocks
            ]
        ).reshape(-1, 7)
        self._block_start = 0.0

    def add(self, block: Block) -> None:
        """Add the shocks that fall into this block."""
        if len(self._pulses):
            add_pulses(block.force("casing"), self._block_start, self._pulses)
        self._block_start += block.n


class Environment(Spec):
    """Surroundings of the machine."""

    temperature_c: Annotated[float, Quantity(ge=-40, le=125)] = 25.0
    """Temperature of the machine's surface when cold."""
    warm_up_c: Annotated[float, Quantity(ge=0, le=100)] = 0.0
    """Rise of the surface temperature at rated load, once warm."""
    warm_up_time_s: Annotated[float, Quantity(gt=0, le=1e6)] = 1800.0
    """Time constant of the warming up (first-order)."""
    shocks: Shocks = Shocks()
    neighbours: Annotated[list[NeighbourTone], Field(max_length=50)] = []

    def stream(self, site: Site, shocks: list[Shock], start_s: float) -> Stream:
        """All disturbances of a capture that starts at `start_s`."""
        parts: list[Stream] = [
            tone.stream(site.at("environment", f"neighbour {i}")) for i, tone in enumerate(self.neighbours)
        ]
        if shocks:
            parts.append(ShockStream(shocks, self.shocks.width_ms * 1e-3, site.dt_s, start_s))
        return Streams(parts)

    def temperature_at(self, time_s: float, load: Array) -> float:
        """Surface temperature; the load is taken as it is now (slow changes of load only)."""
        if self.warm_up_c == 0.0:
            return self.temperature_c
        rise = self.warm_up_c * float(np.mean(load)) * (1.0 - math.exp(-max(time_s, 0.0) / self.warm_up_time_s))
        return self.temperature_c + rise
