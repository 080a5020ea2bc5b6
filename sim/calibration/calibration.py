"""The calibration: what healthy recordings say of one machine; with its scenario it is a twin of that machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import Field

from sim.calibration.estimate import Estimate
from sim.calibration.path import PathFit, fit_path, motions
from sim.calibration.shaft_forces import ORDERS, ShaftForces, fit_shaft_forces
from sim.calibration.spectra import TOP_SHARE, Channels, Healthy, bands, listen, segment_length
from sim.calibration.spectral_model import centre, outside
from sim.dataset.manifest import write_aside
from sim.dataset.real import RealRecording, same_format
from sim.effect import BearingPosition, MountPoint
from sim.errors import DatasetError
from sim.machine.machine import Machine
from sim.machine.structure import Direction, Mode, Structure
from sim.progress import Progress
from sim.scenario.quantity import Distribution, Normal, Uniform
from sim.scenario.reader import content_hash, load
from sim.scenario.schema import Scenario
from sim.scenario.spec import Spec
from sim.sensors.imu import ImuSpec

Array = NDArray[np.float64]

LOW_HZ = 100.0
"""Lower end of the fit, or an eighth of its upper end if that is less: below, the ground is louder than the bearings."""
MIN_SAMPLES = 4096
"""Shortest recording: 16 segments of 512 samples."""


class Figure(Spec):
    """A fitted figure; its unit is in the key it stands at."""

    value: float
    std: Annotated[float, Field(ge=0)]
    """Standard deviation."""
    bound: bool = False
    """Whether the recordings only say that it is no larger than `value`."""

    @staticmethod
    def of(value: float, std: float, bound: bool = False) -> Figure:
        """With six digits of the value and three of its deviation."""
        return Figure(value=float(f"{value:.6g}"), std=float(f"{std:.3g}"), bound=bound)

    def __str__(self) -> str:
        return f"< {self.value:.4g}" if self.bound else f"{self.value:.4g} +- {self.std:.2g}"

    def quantity(self) -> float | Distribution:
        """What a scenario's key becomes: drawn about the value, or from nothing up to the bound.

        Never wider than half the value: what is less certain is our ignorance, not a machine that changes so much.
        """
        if self.bound:
            return Uniform((0.0, self.value)) if self.value > 0.0 else 0.0
        std = min(self.std, 0.5 * self.value)
        return Normal((self.value, std)) if std > 0.0 else self.value


class Line(Spec):
    """A line of the shaft in one channel."""

    channel: str
    order: float
    amplitude_g: Figure


class HealthyRecording(Spec):
    """One of the recordings that were used."""

    id: str
    speed_rpm: Figure
    level_db: Figure
    """Its rolling noise beside the law of growth that all recordings share."""
    lines: list[Line]
    """Shaft lines that stand out."""


class FittedMode(Spec):
    """A mode of the structure, of unit modal mass where a shape's unit is kg^-1/2."""

    frequency_hz: Figure
    damping_ratio: Figure
    participation: dict[str, Figure]
    """By channel: how much it sees of the mode, kg^-1/2."""
    shape: dict[MountPoint, Direction]
    """Motion of every point along x, y, z, kg^-1/2: seen by the channels, or in the scenario's proportion to what is seen."""
    tilt_rad_per_m: dict[MountPoint, Direction] = {}
    """As the scenario's nearest mode has it."""


class Calibration(Spec):
    """Figures of one machine, each with its standard deviation."""

    format: Literal["simtwin calibration 1"] = "simtwin calibration 1"
    machine_id: str
    """The scenario's machine."""
    scenario: str
    scenario_sha256: str
    channels: list[str]
    sampling_rate_hz: float
    low_hz: float
    high_hz: float
    """The modes between these were fitted; the others stay the scenario's."""
    recordings: Annotated[list[HealthyRecording], Field(min_length=1)]
    residual_unbalance_g_mm: Figure
    residual_offset_mm: Figure | None = None
    residual_angle_deg: Figure | None = None
    modes: list[FittedMode]
    """None where no resonance stands out of the sensor's noise: then the scenario's own stay."""
    noise_n: dict[BearingPosition, Figure]
    """Rolling noise at rated speed."""
    noise_speed_exponent: Figure
    noise_corner_order: Figure
    sensor_noise_ug_per_sqrt_hz: dict[str, Figure]
    """By channel."""
    misfit_db: dict[str, float]
    """By channel: RMS of the fit less the measured spectra."""

    def write(self, path: Path) -> None:
        """Write it as YAML, whole or not at all."""
        content = self.model_dump(mode="json", exclude_none=True)
        try:
            write_aside(path, yaml.safe_dump(content, sort_keys=False, width=120, default_flow_style=None))
        except OSError as error:
            raise DatasetError(f"{path}: cannot be written ({error.strerror or error})") from None

    @staticmethod
    def read(path: Path) -> Calibration:
        """Raises ScenarioError, one line per mistake."""
        return load(path, Calibration).model


@dataclass(frozen=True)
class Fit:
    """A calibration with what it was made from, for the pictures.

    Attributes:
        calibration: the artifact.
        healthy: what each recording showed.
        path: the fitted path.
        edges_hz: (f + 1,) of the bands.
    """

    calibration: Calibration
    healthy: list[Healthy]
    path: PathFit
    edges_hz: Array


def calibrate(scenario: Scenario, recordings: Sequence[RealRecording], progress: Progress | None = None) -> Fit:
    """Fit the twin of `scenario` to a machine from its healthy recordings; others are ignored.

    Args:
        scenario: its machine is the one recorded, one of its sensors the one that recorded.
        recordings: in g; of one format.
        progress: called with (done, total).

    Raises:
        DatasetError: no healthy recording, too short, not finite, channels or rate that no sensor of the scenario has, or no
            line of a shaft.
    """
    used = _usable(recordings)
    sensor = _sensor(scenario, used[0].rate_hz)
    scenario = scenario.model_copy(update={"sensors": [sensor]})
    rate_hz = used[0].rate_hz
    channels = Channels.of(scenario, used[0].channels)
    resolution_hz = rate_hz / segment_length(min(len(r.samples) for r in used), rate_hz)
    top_hz = TOP_SHARE * rate_hz
    edges = bands(min(LOW_HZ, top_hz / 8.0), top_hz, resolution_hz)
    healthy = []
    for i, recording in enumerate(used):
        healthy.append(listen(recording, scenario, channels, edges))
        if progress is not None:
            progress(i + 1, len(used) + 2)
    heard = np.array([h.dof > 0.0 for h in healthy]).any(axis=0)
    if not heard.all():  # bands that shaft lines leave nothing of in any recording
        for i, h in enumerate(healthy):
            healthy[i] = replace(h, density=h.density[heard], dof=h.dof[heard], coherence=h.coherence[heard])
    frequency = np.sqrt(edges[1:] * edges[:-1])[heard]
    gain = channels.sensor_gain(frequency, rate_hz, scenario.grid_rate_hz())
    path = fit_path(scenario.machine, channels, healthy, frequency, gain, _datasheet_noise_g(sensor))
    modes = _modes(path)
    machine = _with_modes(scenario.machine, modes, float(frequency[0]), float(frequency[-1]))
    orders = np.array(ORDERS, dtype=np.float64)
    gains = [channels.sensor_gain(orders * h.speed.value, rate_hz, scenario.grid_rate_hz()) for h in healthy]
    forces = fit_shaft_forces(machine, channels, healthy, gains)
    if progress is not None:
        progress(1, 1)
    return Fit(_artifact(scenario, rate_hz, healthy, path, modes, forces), healthy, path, edges)


def apply(scenario: Scenario, calibration: Calibration) -> Scenario:
    """The scenario with the calibration's figures.

    These are modes within the fitted bands, rolling noise, residual unbalance and misalignment, and the noise of sensors
    of the same rate. What differs from recording to recording (levels, unbalance) becomes a normal distribution.

    Raises:
        DatasetError: the calibration is of another machine.
    """
    if scenario.machine.id != calibration.machine_id:
        raise DatasetError(
            f"the calibration is of machine `{calibration.machine_id}`, the scenario {scenario.name} has machine"
            f" `{scenario.machine.id}`"
        )
    missing = set(scenario.machine.bearings) - set(calibration.noise_n)
    if missing:
        raise DatasetError(f"the calibration knows no bearing at `{missing.pop()}` of machine `{scenario.machine.id}`")
    machine = _with_modes(scenario.machine, calibration.modes, calibration.low_hz, calibration.high_hz)
    law = {
        "noise_speed_exponent": min(max(calibration.noise_speed_exponent.value, 0.0), 4.0),
        "noise_corner_order": min(max(calibration.noise_corner_order.value, 1.0), 1e5),
    }
    bearings = {
        position: bearing.model_copy(update={"noise_n": calibration.noise_n[position].quantity(), **law})
        for position, bearing in machine.bearings.items()
    }
    rotor = machine.rotor.model_copy(update={"residual_unbalance_g_mm": calibration.residual_unbalance_g_mm.quantity()})
    changes: dict[str, object] = {"bearings": bearings, "rotor": rotor}
    offset, angle = calibration.residual_offset_mm, calibration.residual_angle_deg
    if machine.coupling is not None and offset is not None and angle is not None:
        changes["coupling"] = machine.coupling.model_copy(
            update={"residual_offset_mm": offset.quantity(), "residual_angle_deg": angle.quantity()}
        )
    known = [f.value for f in calibration.sensor_noise_ug_per_sqrt_hz.values() if not f.bound]
    noise = {"accel_noise_ug_per_sqrt_hz": math.sqrt(float(np.mean(np.square(known))))} if known else {}
    sensors = [
        sensor.model_copy(update=noise) if _same_rate(sensor, calibration.sampling_rate_hz) else sensor
        for sensor in scenario.sensors
    ]
    return scenario.model_copy(update={"machine": machine.model_copy(update=changes), "sensors": sensors})


def calibrated(scenario: Scenario, healthy: Sequence[RealRecording]) -> Scenario:
    """The scenario's machine calibrated on `healthy`, whatever sensor recorded them: its own response goes into the modes.

    For responses that are added to recordings of that very sensor (`sim.hybrid`), which are simulated with an ideal one.
    A pure function of its arguments; recordings that are not healthy are ignored.
    """
    used = _usable(healthy)
    ideal = ImuSpec(id="ideal", device="ideal", odr_hz=used[0].rate_hz, mount=scenario.sensors[0].mount)
    ideal = ideal.model_copy(update={"rotation_deg": scenario.sensors[0].rotation_deg})
    return apply(scenario, calibrate(scenario.model_copy(update={"sensors": [ideal]}), used).calibration)


def _usable(recordings: Sequence[RealRecording]) -> list[RealRecording]:
    healthy = [r for r in recordings if r.normal and r.anomaly is None]
    if not healthy:
        labels = ", ".join(sorted({r.label or "unknown" for r in recordings})) or "none"
        raise DatasetError(f"calibration needs healthy recordings (label normal); the labels are: {labels}")
    for r in healthy:
        if len(r.samples) < MIN_SAMPLES:
            raise DatasetError(
                f"recording {r.id} has {len(r.samples)} samples; calibration needs {MIN_SAMPLES} at least"
            )
        if not np.isfinite(r.samples).all():
            raise DatasetError(f"recording {r.id} holds NaN or infinity; leave it out or mend it")
    same_format(healthy)
    return healthy


def _same_rate(sensor: ImuSpec, rate_hz: float) -> bool:
    return math.isclose(sensor.odr_hz, rate_hz, rel_tol=0.02)


def _sensor(scenario: Scenario, rate_hz: float) -> ImuSpec:
    """The first of the scenario's sensors with the recordings' rate."""
    for sensor in scenario.sensors:
        if _same_rate(sensor, rate_hz):
            return sensor
    rates = ", ".join(f"{s.id} {s.odr_hz:g} Hz" for s in scenario.sensors)
    raise DatasetError(
        f"the recordings have {rate_hz:g} Hz, but the sensors of scenario {scenario.name} have: {rates}; name the sensor that"
        " recorded them in the scenario (`sensors: [{device, odr_hz, mount}]`)"
    )


def _datasheet_noise_g(sensor: ImuSpec) -> float:
    return float(sensor.figures.noise(sensor.range_g)[0][0])


def _modes(path: PathFit) -> list[FittedMode]:
    best, std, setting = path.best, path.std, path.setting
    seen = np.einsum("cn,mnk->mck", setting.channels.rows, path.expansion)
    out = np.einsum("mck,mk->mc", seen, best.shape)
    spread = np.sqrt(np.einsum("mck,mk->mc", seen**2, (best.shape * std.shape) ** 2))
    return [
        FittedMode(
            frequency_hz=Figure.of(f, f * std.frequency_hz[i]),
            damping_ratio=Figure.of(best.damping[i], best.damping[i] * std.damping[i]),
            participation={
                name: Figure.of(out[i, c], spread[i, c]) for c, name in enumerate(setting.channels.names)
            },
            shape={p: tuple(float(f"{u:.6g}") for u in motion) for p, motion in every.items()},
            tilt_rad_per_m=setting.machine.structure.modes[path.near[i]].tilt_rad_per_m,
        )
        for i, (f, every) in enumerate(zip(best.frequency_hz, motions(path), strict=True))
    ]  # fmt: skip


def _with_modes(machine: Machine, fitted: Sequence[FittedMode], low_hz: float, high_hz: float) -> Machine:
    """The machine with the fitted modes, if there are any, in place of its own between the bands' ends."""
    if not fitted:
        return machine
    kept = [m for m in machine.structure.modes if outside(m, low_hz, high_hz)]
    modes = []
    for mode in fitted:
        size = max(abs(u) for motion in mode.shape.values() for u in motion)
        modes.append(
            Mode(
                frequency_hz=mode.frequency_hz.value,
                damping_ratio=mode.damping_ratio.value,
                modal_mass_kg=1.0 / size**2,
                shape={p: (u[0] / size, u[1] / size, u[2] / size) for p, u in mode.shape.items()},
                tilt_rad_per_m={p: (t[0] , t[1], t[2]) for p, t in mode.tilt_rad_per_m.items()},
            )
        )  # fmt: skip
    return machine.model_copy(
        update={"structure": Structure(modes=sorted([*kept, *modes], key=lambda m: centre(m.frequency_hz)))}
    )


def _artifact(
    scenario: Scenario,
    rate_hz: float,
    healthy: Sequence[Healthy],
    path: PathFit,
    modes: list[FittedMode],
    forces: ShaftForces,
) -> Calibration:
    best, std, names = path.best, path.std, path.setting.channels.names
    db = 10.0 / math.log(10.0)
    common = float(best.level.mean())
    scatter = float(best.level.std(ddof=1)) if len(healthy) > 1 else float(std.level[0])
    loudest = max(centre(b.noise_n) for b in scenario.machine.bearings.values())
    rms_n = path.setting.rms_n * math.exp(0.5 * common)
    noise = {}
    for position, bearing in scenario.machine.bearings.items():
        own = rms_n * centre(bearing.noise_n) / loudest
        noise[position] = Figure.of(own, 0.5 * scatter * own, bound=not modes)
    floors = {}
    for c, name in enumerate(names):
        density, spread = 1e6 * math.sqrt(best.floor[c]), 0.5 * float(std.floor[c])
        # Where the spectra do not say, the datasheet's prior is all there is.
        unknown = spread > 0.5
        floors[name] = Figure.of(density * (1.0 + 2.0 * spread if unknown else 1.0), density * spread, unknown)
    coupling, misalignment = scenario.machine.coupling, forces.misalignment
    offset = angle = None
    if coupling is not None and misalignment is not None:
        offset = _scaled(misalignment, centre(coupling.residual_offset_mm))
        angle = _scaled(misalignment, centre(coupling.residual_angle_deg))
    unbalance = forces.unbalance_g_mm
    return Calibration(
        machine_id=scenario.machine.id,
        scenario=scenario.name,
        scenario_sha256=content_hash(scenario),
        channels=list(names),
        sampling_rate_hz=rate_hz,
        low_hz=float(path.setting.frequency_hz[0]),
        high_hz=float(path.setting.frequency_hz[-1]),
        recordings=[
            HealthyRecording(
                id=h.id,
                speed_rpm=Figure.of(60.0 * h.speed.value, 60.0 * h.speed.std),
                level_db=Figure.of(db * (float(best.level[r]) - common), db * float(std.level[r])),
                lines=_lines(h, names),
            )
            for r, h in enumerate(healthy)
        ],
        residual_unbalance_g_mm=Figure.of(unbalance.value, unbalance.std, unbalance.bound),
        residual_offset_mm=offset,
        residual_angle_deg=angle,
        modes=modes,
        noise_n=noise,
        noise_speed_exponent=Figure.of(best.exponent, std.exponent),
        noise_corner_order=Figure.of(best.corner_order, best.corner_order * std.corner_order),
        sensor_noise_ug_per_sqrt_hz=floors,
        misfit_db={name: round(float(path.misfit_db[c]), 2) for c, name in enumerate(names)},
    )


def _scaled(estimate: Estimate, by: float) -> Figure:
    return Figure.of(estimate.value * by, estimate.std * by, estimate.bound)


def _lines(healthy: Healthy, names: Sequence[str]) -> list[Line]:
    lines, shown = healthy.lines, healthy.lines.significant
    return [
        Line(
            channel=name,
            order=float(lines.orders[k]),
            amplitude_g=Figure.of(abs(lines.amplitude[k, c]), lines.std[k, c]),
        )
        for k in range(len(lines.orders))
        for c, name in enumerate(names)
        if shown[k, c]
    ]
