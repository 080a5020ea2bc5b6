"""What can go wrong on the emulated chip."""

from __future__ import annotations

from sim.errors import SimtwinError


class MachineError(SimtwinError):
    """The firmware did something the chip cannot do or the model does not know; says what, at which pc and function."""


class AccessError(MachineError):
    """An access of a register (or of bits of it) that is not modelled. The machine adds pc and function."""
