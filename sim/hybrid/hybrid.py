"""The hybrid source: windows of each class from real recordings, carried and with simulated faults on top."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sim.calibration.speed import estimate_speed
from sim.dataset.real import RealRecording, cut, same_format
from sim.effect import Array
from sim.errors import DatasetError
from sim.hybrid.carry import FAULT_EXPONENTS, Analysis, GrowthLaw, carried_samples, carry
from sim.hybrid.detectability import HealthyLevels
from sim.hybrid.remount import remount
from sim.hybrid.response import ResponseSimulator
from sim.scenario.quantity import Distribution
from sim.scenario.realise import plan
from sim.scenario.schema import NORMAL, Scenario
from sim.seeds import generator

_LEVEL_SPEEDS = 9
_LEVEL_WINDOWS = 6
_SPEED_SEARCH = 0.03


@dataclass(frozen=True)
class Mix:
    """What the hybrid windows are made of.

    Attributes:
        carry: carry recordings to speeds drawn from the scenario's operation; else every window has its recording's own.
        simulate: put simulated faults on healthy recordings.
        carried_share: of the windows of a fault that real recordings show, this share is carried from those; the rest is
            simulated.
        span_db: how far above the edge of detectability the strongest simulated fault lies. Vibration 20 dB above the
            baseline is commonly called dangerous; the weakest is at the edge.
        path_scatter_db: how much the path of a simulated fault may differ from the calibrated one (`sim.hybrid.remount`).
        remount_db: the same for the healthy machine under a simulated fault: whoever seeded the fault took it apart.
        windows_per_draw: windows that share one draw of speed, base and fault.
    """

    carry: bool = True
    simulate: bool = True
    carried_share: float = 0.5
    span_db: float = 26.0
    path_scatter_db: float = 5.0
    remount_db: float = 4.0
    windows_per_draw: int = 8


@dataclass(frozen=True)
class HybridWindows:
    """Windows of one draw.

    Attributes:
        samples: (n, length, c) float32.
        label, kind: machine state and kind of fault.
        speed_rpm: shaft speed.
        rise_db: rise of the simulated fault over healthy, in the most affected band; NaN for carried real faults, 0 healthy.
        base: the real recording underneath; its group is where a split must keep these windows.
    """

    samples: NDArray[np.float32]
    label: str
    kind: str
    speed_rpm: float
    rise_db: float
    base: RealRecording


class Hybrid:
    """Makes hybrid windows.

    Args:
        scenario: the twin, best calibrated; its faults are the classes.
        real: recordings, healthy ones among them; faulty ones are carried where their label is one of the scenario's.
        length: samples of a window.
        rate_hz: sampling rate of the windows; the recordings' own if None.
        mix: what to make.

    Raises:
        DatasetError: no healthy recording, formats that differ, recordings too short, channels that cannot be simulated.
    """

    def __init__(
        self,
        scenario: Scenario,
        real: Sequence[RealRecording],
        length: int,
        rate_hz: float | None = None,
        mix: Mix = Mix(),
    ) -> None:
        if not any(r.normal for r in real):
            raise DatasetError("hybrid augmentation needs at least one healthy recording (label normal); there is none")
        same_format(real)
        self.scenario, self.length, self.mix = scenario, length, mix
        self.rate_hz = rate_hz if rate_hz is not None else real[0].rate_hz
        self._response = ResponseSimulator(scenario, self.rate_hz, real[0].channels)
        self._speeds = plan(scenario.operation)
        labels = {fault.label for fault in scenario.faults}
        used = [r for r in real if r.normal or r.label in labels]
        analyses = [Analysis.of(r, self._shaft_speed_hz(r)) for r in used]
        self.healthy = [a for a in analyses if a.recording.normal]
        self.faulty = [a for a in analyses if not a.recording.normal]
        self.law = GrowthLaw.fit(self.healthy)
        self._levels: dict[int, HealthyLevels] = {}

    def _shaft_speed_hz(self, recording: RealRecording) -> float:
        low, high = self._speed_range
        if math.isfinite(recording.speed_rpm):
            low, high = recording.speed_rpm * (1 - _SPEED_SEARCH), recording.speed_rpm * (1 + _SPEED_SEARCH)
        try:
            return estimate_speed(recording.samples, recording.rate_hz, low, high).value
        except DatasetError:  # too short, or no line of the shaft stands out: then what the recording says must do
            if math.isfinite(recording.speed_rpm):
                return recording.speed_rpm / 60.0
            raise

    @cached_property
    def _speed_range(self) -> tuple[float, float]:
        speeds = [s.speed_rpm for s in self.scenario.operation.plan()]
        ends = [s.support() if isinstance(s, Distribution) else (s, s) for s in speeds]
        return 0.97 * min(low for low, _ in ends), 1.03 * max(high for _, high in ends)

    def draw(self, name: str, seed: int, number: int) -> HybridWindows:
        """Windows of class `name` (`normal` or a fault's name in the scenario); a pure function of the arguments."""
        rng = generator(seed, self.scenario.name, "hybrid", name, number)
        fault = next((f for f in self.scenario.faults if f.name == name), None)
        if fault is None and name != NORMAL:
            raise DatasetError(f"no fault `{name}` in scenario {self.scenario.name}")
        real = [] if fault is None else [a for a in self.faulty if a.recording.label == fault.label]
        same_kind = [a for a in real if fault is not None and a.recording.fault_kind == fault.kind]
        real = same_kind or real
        if real and (not self.mix.simulate or rng.random() < self.mix.carried_share):
            base, speed_hz, samples = self._base(real, rng, seed, number, float(rng.uniform(*FAULT_EXPONENTS)))
            recording = base.recording
            return self._windows(samples, recording.label, recording.fault_kind, speed_hz, math.nan, recording)
        base, speed_hz, samples = self._base(self.healthy, rng, seed, number, None)
        if fault is None:
            return self._windows(samples, NORMAL, NORMAL, speed_hz, 0.0, base.recording)
        levels = self._levels_at(speed_hz)
        response = self._response.draw(name, 60.0 * speed_hz, len(samples), seed, number)
        added_g = remount(response.samples_g, self.rate_hz, self.mix.path_scatter_db, rng)
        samples = remount(samples, self.rate_hz, self.mix.remount_db, rng)
        cuts = cut(added_g, self.length)
        gain = levels.edge_gain(cuts, self.rate_hz) * 10.0 ** (rng.uniform(0.0, self.mix.span_db) / 20.0)
        if not math.isfinite(gain):
            raise DatasetError(f"fault `{name}` of scenario {self.scenario.name} does not reach the sensor at all")
        rise_db = float(levels.rises(cuts, gain, self.rate_hz).max())
        samples += gain * added_g
        return self._windows(samples, response.label, response.kind, speed_hz, rise_db, base.recording)

    def _base(
        self, among: Sequence[Analysis], rng: np.random.Generator, seed: int, number: int, exponent: float | None
    ) -> tuple[Analysis, float, Array]:
        """A stretch of one of the recordings: at a speed of the scenario, or at its own."""
        if self.mix.carry:
            operation = self._speeds.draw(seed, self.scenario.name, "hybrid speed", number, int(rng.integers(2**62)))
            drawn_hz = operation.plan()[0].speed_rpm / 60.0
            speeds_hz = [drawn_hz] * len(among)
        else:
            speeds_hz = [analysis.speed_hz for analysis in among]
        # A recording gives less time at a higher speed than its own; what gives no whole window is passed over.
        counts = [carried_samples(a, hz, self.rate_hz) // self.length for a, hz in zip(among, speeds_hz, strict=True)]
        enough = [i for i, count in enumerate(counts) if count >= 1]
        if not enough:
            longest = max(range(len(among)), key=lambda i: counts[i])
            recording = among[longest].recording
            raise DatasetError(
                f"recording {recording.id} lasts {recording.duration_s:.3g} s, too short for one window of"
                f" {self.length} samples at {self.rate_hz:g} Hz and {60 * speeds_hz[longest]:.0f} rpm, and none is longer"
            )
        chosen = enough[int(rng.integers(len(enough)))]
        base, speed_hz, count = among[chosen], speeds_hz[chosen], min(self.mix.windows_per_draw, counts[chosen])
        samples, speed_hz = carry(base, self.law, speed_hz, self.rate_hz, count * self.length, rng, exponent)
        return base, speed_hz, samples

    def _levels_at(self, speed_hz: float) -> HealthyLevels:
        """Healthy levels at the nearest of a few speeds over the scenario's range."""
        low, high = (rpm / 60.0 for rpm in self._speed_range)
        grid = np.geomspace(low, high, _LEVEL_SPEEDS) if high > 1.1 * low else np.array([math.sqrt(low * high)])
        nearest = int(np.abs(np.log(grid / speed_hz)).argmin())
        if nearest not in self._levels:
            rng = generator(0, self.scenario.name, "hybrid levels", nearest)
            windows = []
            for analysis in self.healthy:
                count = min(_LEVEL_WINDOWS, carried_samples(analysis, grid[nearest], self.rate_hz) // self.length)
                if count > 0:
                    samples, _ = carry(analysis, self.law, grid[nearest], self.rate_hz, count * self.length, rng)
                    windows.append(cut(samples, self.length))
            self._levels[nearest] = HealthyLevels.of(windows, self.rate_hz)
        return self._levels[nearest]

    def _windows(
        self, samples: Array, label: str, kind: str, speed_hz: float, rise_db: float, base: RealRecording
    ) -> HybridWindows:
        return HybridWindows(cut(samples, self.length).astype(np.float32), label, kind, 60.0 * speed_hz, rise_db, base)
