"""The hybrid source: windows of each class from real recordings, carried and with simulated faults on top."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.calibration.speed import estimate_speed
from sim.dataset.real import RealRecording, same_format
from sim.effect import Array
from sim.errors import DatasetError, ScenarioError
from sim.hybrid.carry import FAULT_EXPONENTS, Analysis, GrowthLaw, carried_samples, carry
from sim.hybrid.carry_error import CarryError
from sim.hybrid.detectability import HealthyLevels, rises_db
from sim.hybrid.remount import AS_IT_WAS, Mounting, remount
from sim.hybrid.response import ResponseSimulator
from sim.scenario.quantity import span
from sim.scenario.realise import plan
from sim.scenario.schema import NORMAL, Scenario
from sim.seeds import generator

F = TypeVar("F", np.float32, np.float64)

_LEVEL_SPEEDS = 9
_LEVEL_WINDOWS = 2
_LEVEL_DRAWS = 4
_OWN_ERROR_DB = 1.0
"""Scatter of a recording at its own speed: so that no recording is the only witness anywhere."""
_SPEED_SEARCH = 0.03
_SLOWEST = 50.0
"""Fastest over slowest speed that recordings are carried to, at most."""


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
        severity, severity_value, severity_unit: of the simulated fault as it was drawn, normalised and physical. It
            gives the response its shape; how loud that is, is `rise_db`. NaN for carried real faults, 0 healthy.
    """

    samples: NDArray[np.float32]
    label: str
    kind: str
    speed_rpm: float
    rise_db: float
    base: RealRecording
    severity: float
    severity_value: float
    severity_unit: str


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
        analyses = [self._analysed(r) for r in real if r.normal or r.label in labels]
        self.healthy = [a for a in analyses if a.recording.normal]
        self.faulty = [a for a in analyses if not a.recording.normal]
        self.law = GrowthLaw.fit(self.healthy)
        self.carry_error = CarryError.fit(self.healthy, self.law)
        self._levels: dict[int, HealthyLevels] = {}

    def _analysed(self, recording: RealRecording) -> Analysis:
        """The recording taken apart; one whose speed is not stated is given the speed that was found."""
        stated = math.isfinite(recording.speed_rpm)
        low, high = self._speed_range
        if stated:
            low, high = recording.speed_rpm * (1 - _SPEED_SEARCH), recording.speed_rpm * (1 + _SPEED_SEARCH)
        try:
            speed_hz = estimate_speed(recording.samples, recording.rate_hz, low, high).value
        except (DatasetError, ValueError) as error:  # too short, or no line of the shaft stands out
            if not stated:
                raise DatasetError(
                    f"recording {recording.id}: its speed is not stated and cannot be found ({error}); state it"
                ) from None
            speed_hz = recording.speed_rpm / 60.0  # then what the recording says must do
        return Analysis.of(recording if stated else replace(recording, speed_rpm=60.0 * speed_hz), speed_hz)

    @cached_property
    def _speed_range(self) -> tuple[float, float]:
        """Slowest and fastest speed of the operation, rpm, and a little beyond; what hardly turns is left out."""
        ends = [span(segment.speed_rpm) for segment in self.scenario.operation.plan()]
        fastest = max(high for _, high in ends)
        if fastest <= 0.0:
            raise ScenarioError(
                f"scenario {self.scenario.name}: the machine never turns, so nothing can be carried to it"
            )
        return 0.97 * max(min(low for low, _ in ends), fastest / _SLOWEST), 1.03 * fastest

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
            base, speed_hz, samples = self._base(real, rng, seed, number, exponent=float(rng.uniform(*FAULT_EXPONENTS)))
            of = base.recording
            return self._windows(
                samples, base, speed_hz, label=of.label, kind=of.fault_kind or of.label, rise_db=math.nan,
                severity=math.nan, severity_value=math.nan, severity_unit=of.severity,
            )  # fmt: skip
        if fault is None:
            base, speed_hz, samples = self._base(self.healthy, rng, seed, number)
            return self._windows(
                samples, base, speed_hz, label=NORMAL, kind=NORMAL, rise_db=0.0,
                severity=0.0, severity_value=0.0, severity_unit="",
            )  # fmt: skip
        base, speed_hz, samples = self._base(self.healthy, rng, seed, number, remount_db=self.mix.remount_db)
        response = self._response.draw(name, 60.0 * speed_hz, samples.shape[1], seed, number)
        added_g = remount(response.samples_g, self.rate_hz, self._mounting(rng, self.mix.path_scatter_db))
        levels = self._levels_at(speed_hz)
        ratio = levels.ratio(self._cut(added_g))
        gain = levels.edge_gain(ratio) * 10.0 ** (rng.uniform(0.0, self.mix.span_db) / 20.0)
        if not math.isfinite(gain):
            raise DatasetError(f"fault `{name}` of scenario {self.scenario.name} does not reach the sensor at all")
        return self._windows(
            samples + gain * added_g, base, speed_hz, label=response.label, kind=response.kind,
            rise_db=float(rises_db(ratio, gain).max()), severity=response.severity,
            severity_value=response.severity_value, severity_unit=response.severity_unit,
        )  # fmt: skip

    def _carry_error_db(self, base: Analysis, speed_hz: float) -> float:
        """Scatter of a `Mounting` that stands for the error of carrying `base` to a speed."""
        return self.carry_error.deviation_db(base.speed_hz, speed_hz) / math.sqrt(2.0)  # it is drawn twice

    def _mounting(self, rng: np.random.Generator, scatter_db: float) -> Mounting:
        channels = len(self.healthy[0].mean_g)
        return Mounting.draw(rng, channels, scatter_db, self.rate_hz) if scatter_db > 0.0 else AS_IT_WAS

    def _base(
        self,
        among: Sequence[Analysis],
        rng: np.random.Generator,
        seed: int,
        number: int,
        exponent: float | None = None,
        remount_db: float = 0.0,
    ) -> tuple[Analysis, float, Array]:
        """A stretch (c, n) of one of the recordings, without its mean: at a speed of the scenario, or at its own."""
        if self.mix.carry:
            operation = self._speeds.draw(seed, self.scenario.name, "hybrid speed", number, int(rng.integers(2**62)))
            turning = [segment.speed_rpm for segment in operation.plan() if segment.speed_rpm > 0.0]
            drawn_hz = max(turning[int(rng.integers(len(turning)))], self._speed_range[0]) / 60.0
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
        # The nearer in speed, the better a witness: chosen in inverse proportion to the variance of its error.
        errors_db = [self.carry_error.deviation_db(among[i].speed_hz, speeds_hz[i]) for i in enough]
        weights = 1.0 / (_OWN_ERROR_DB**2 + np.square(errors_db))
        chosen = enough[int(rng.choice(len(enough), p=weights / weights.sum()))]
        base, speed_hz, count = among[chosen], speeds_hz[chosen], min(self.mix.windows_per_draw, counts[chosen])
        mounting = self._mounting(rng, math.hypot(remount_db, self._carry_error_db(base, speed_hz)))
        samples, speed_hz = carry(base, self.law, speed_hz, self.rate_hz, count * self.length, rng, exponent, mounting)
        return base, speed_hz, samples

    def prepare(self) -> None:
        """Work out beforehand what draws need, instead of when they need it: for copies in several processes."""
        for speed_hz in self._level_speeds_hz:
            self._levels_at(float(speed_hz))

    @cached_property
    def _level_speeds_hz(self) -> Array:
        """A few speeds over the scenario's range: those at which some healthy recording gives a whole window."""
        low, high = (rpm / 60.0 for rpm in self._speed_range)
        grid = np.geomspace(low, high, _LEVEL_SPEEDS) if high > 1.1 * low else np.array([math.sqrt(low * high)])
        possible = [hz for hz in grid if any(carried_samples(a, hz, self.rate_hz) >= self.length for a in self.healthy)]
        if not possible:
            raise DatasetError(
                f"no healthy recording is long enough for one window of {self.length} samples at {self.rate_hz:g} Hz and"
                f" {60 * grid[0]:.0f} rpm, the slowest of scenario {self.scenario.name}"
            )
        return np.array(possible)

    def _levels_at(self, speed_hz: float) -> HealthyLevels:
        """Healthy levels at the nearest of those speeds."""
        grid = self._level_speeds_hz
        nearest = int(np.abs(np.log(grid / speed_hz)).argmin())
        if nearest not in self._levels:
            rng = generator(0, self.scenario.name, "hybrid levels", nearest)
            windows = []
            for analysis in self.healthy:
                count = min(_LEVEL_WINDOWS, carried_samples(analysis, grid[nearest], self.rate_hz) // self.length)
                for _ in range(_LEVEL_DRAWS if count > 0 else 0):
                    mounting = self._mounting(rng, self._carry_error_db(analysis, grid[nearest]))
                    wanted = count * self.length
                    samples, _ = carry(analysis, self.law, grid[nearest], self.rate_hz, wanted, rng, mounting=mounting)
                    windows.append(self._cut(samples))
            self._levels[nearest] = HealthyLevels.of(windows)
        return self._levels[nearest]

    def _cut(self, samples: NDArray[F]) -> NDArray[F]:
        """Samples (c, n) as windows (n_windows, length, c)."""
        return samples.reshape(len(samples), -1, self.length).transpose(1, 2, 0)

    def _windows(self, samples: Array, base: Analysis, speed_hz: float, **columns: Any) -> HybridWindows:
        """The windows with the recording's mean, so that gravity and offset do not give away what is hybrid."""
        with_mean = np.asarray(samples + base.mean_g[:, None], np.float32)
        windows = np.ascontiguousarray(self._cut(with_mean))
        return HybridWindows(windows, speed_rpm=60.0 * speed_hz, base=base.recording, **columns)
