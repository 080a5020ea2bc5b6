"""An SPI bus with several devices, and what can go wrong with its wires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal, Protocol

from emulator.clock import Clock
from emulator.errors import AccessError
from sim.errors import ParameterError
from sim.seeds import generator


class SpiDevice(Protocol):
    """A device with a chip select."""

    def select(self) -> None:
        """Chip select went low."""

    def deselect(self) -> None:
        """Chip select went high."""

    def transfer(self, byte: int) -> int:
        """Exchange one byte while selected; returns what the device puts on MISO."""


FaultKind = Literal["cut_high", "cut_low", "bit_flips", "stuck_bit_high", "stuck_bit_low", "no_select"]
_FAULT_KINDS = ("cut_high", "cut_low", "bit_flips", "stuck_bit_high", "stuck_bit_low", "no_select")


@dataclass(frozen=True)
class BusFault:
    """A fault of the wires to one device.

    Attributes:
        kind: `cut_high`, `cut_low`: MISO is cut and reads as 0xFF or 0x00; `bit_flips`: every bit of MISO is wrong with
            `probability`; `stuck_bit_high`, `stuck_bit_low`: bit `bit` of every byte reads as 1 or 0;
            `no_select`: the chip select does not reach the device, MISO floats high.
        onset_s, clear_s: virtual time of the machine.
        probability: of a wrong bit (`bit_flips`).
        bit: 0 to 7 (`stuck_bit_...`).
        seed: of the wrong bits.
    """

    kind: FaultKind
    onset_s: float = 0.0
    clear_s: float = inf
    probability: float = 0.01
    bit: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in _FAULT_KINDS:
            raise ParameterError(f"unknown bus fault '{self.kind}'; allowed: {', '.join(_FAULT_KINDS)}")
        if not (0.0 <= self.onset_s < self.clear_s and 0.0 <= self.probability <= 1.0 and 0 <= self.bit <= 7):
            raise ParameterError(f"{self}: onset_s >= 0 and before clear_s, probability 0 to 1, bit 0 to 7 are allowed")

    def acts(self, time_s: float) -> bool:
        """Whether it acts at this time."""
        return self.onset_s <= time_s < self.clear_s


class Wire:
    """The wires between the bus and one device."""

    def __init__(self, device: SpiDevice, clock: Clock, faults: Sequence[BusFault] = ()) -> None:
        self.device, self._clock = device, clock
        self.faults = list(faults)
        self._selected = False
        self._reached = False
        self._random = {fault: generator(fault.seed, "bus", i) for i, fault in enumerate(self.faults)}

    def add(self, fault: BusFault) -> None:
        """One more fault."""
        self._random[fault] = generator(fault.seed, "bus", len(self.faults))
        self.faults.append(fault)

    def select(self, selected: bool) -> None:
        """Drive the chip select."""
        if selected == self._selected:
            return
        self._selected = selected
        if selected:
            self._reached = not any(f.kind == "no_select" for f in self._acting())
            if self._reached:
                self.device.select()
        elif self._reached:
            self.device.deselect()

    def exchange(self, byte: int) -> int:
        """One byte over the wires."""
        answer = self.device.transfer(byte) if self._reached else 0xFF
        for fault in self._acting():
            if fault.kind == "cut_high":
                answer = 0xFF
            elif fault.kind == "cut_low":
                answer = 0x00
            elif fault.kind == "stuck_bit_high":
                answer |= 1 << fault.bit
            elif fault.kind == "stuck_bit_low":
                answer &= ~(1 << fault.bit)
            elif fault.kind == "bit_flips":
                wrong = self._random[fault].random(8) < fault.probability
                answer ^= sum(1 << i for i in range(8) if wrong[i])
        return answer

    def _acting(self) -> list[BusFault]:
        if not self.faults:
            return self.faults
        now_s = self._clock.now_s
        return [fault for fault in self.faults if fault.acts(now_s)]


class SpiBus:
    """Wires by chip select: the controller's own lines 0 to 5, and GPIO pins (active low)."""

    def __init__(self) -> None:
        self.by_line: dict[int, Wire] = {}
        self.by_pin: dict[int, Wire] = {}
        self._pins_low: set[int] = set()

    def pin_changed(self, pin: int, level: bool) -> None:
        """A GPIO output that may be a chip select."""
        wire = self.by_pin.get(pin)
        if wire is not None:
            wire.select(not level)
            (self._pins_low.discard if level else self._pins_low.add)(pin)

    def begin(self, lines: Sequence[int]) -> Wire | None:
        """A transfer begins with these lines low; returns the wires it goes over, None: nobody is there.

        Raises:
            AccessError: two devices at once.
        """
        chosen = [self.by_pin[pin] for pin in self._pins_low] + [self.by_line[n] for n in lines if n in self.by_line]
        if len(chosen) > 1:
            raise AccessError(
                f"SPI2: {len(chosen)} devices selected at once (lines {list(lines)}, pins {sorted(self._pins_low)})"
            )
        for wire in chosen:
            wire.select(True)
        return chosen[0] if chosen else None

    def end(self, lines: Sequence[int]) -> None:
        """The transfer is over: these lines go high."""
        for n in lines:
            if n in self.by_line:
                self.by_line[n].select(False)
