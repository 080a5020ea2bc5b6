"""The electric motor: twice line frequency and its pole-pass sidebands; slip under load."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from sim.effect import Array, Block, Part, Site
from sim.scenario.quantity import Quantity
from sim.waveforms import add_tone, cosine

_DIRECTION = np.array([0.5, 1.0, 0.0])


class Motor(Part):
    """An induction motor's magnetic force on the casing."""

    citation: ClassVar[str] = "Finley, Hodowanec and Holter 2000, IEEE Trans. Ind. Appl. 36(5): vibration at 2x line"
    limits: ClassVar[str] = "no rotor-bar or slot-passing lines, no torque transients"

    line_frequency_hz: Annotated[float, Quantity(gt=0, le=1000)] = 50.0
    """Supply frequency."""
    pole_pairs: Annotated[int, Field(ge=1, le=24, strict=True)] = 2
    """Pairs of poles; with the slip they set the pole-pass frequency."""
    slip_pct: Annotated[float, Quantity(ge=0, le=20)] = 0.0
    """Slip at rated load: the shaft turns slower than the plan's speed by this share times the load."""
    twice_line_n: Annotated[float, Quantity(ge=0, le=1e6)] = 0.0
    """Amplitude of the force at twice the line frequency."""
    pole_pass_pct: Annotated[float, Quantity(ge=0, le=100)] = 5.0
    """Modulation of that force at the pole-pass frequency (slip frequency times poles), as an uneven rotor causes."""

    def stream(self, site: Site) -> MotorStream:
        """Start with random phases."""
        return MotorStream(self, site)


class MotorStream:
    """Running `Motor`."""

    def __init__(self, motor: Motor, site: Site) -> None:
        self._motor = motor
        self._phase, self._pass_phase = site.rng("phase").uniform(0.0, 2.0 * math.pi, 2)

    def add(self, block: Block) -> None:
        """Add the magnetic force to the casing."""
        motor = self._motor
        if motor.twice_line_n == 0.0:
            return
        line = 2.0 * math.pi * motor.line_frequency_hz
        # Pole-pass frequency = 2 x slip frequency x pole pairs: its phase, 2 w_line t - 2 p theta, is a function of time and
        # angle. Below half speed the motor is starting or off; there the sidebands have no meaning and fade out.
        running: Array = np.clip(block.speed_rad_s * (2.0 * motor.pole_pairs / line) - 1.0, 0.0, 1.0)
        sway = cosine(2.0 * line * block.time_s - 2.0 * motor.pole_pairs * block.angle_rad + self._pass_phase)
        amplitude = 1.0 + running * block.load * (motor.pole_pass_pct / 100.0) * sway
        amplitude *= (block.speed_rad_s > 0.0) * motor.twice_line_n
        # Mostly vertical, as the stator's feet let it move.
        add_tone(block.force("casing"), amplitude, 2.0 * line * block.time_s + self._phase, _DIRECTION)
