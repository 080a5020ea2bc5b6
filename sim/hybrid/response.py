"""What a simulated fault adds to a recording: the twin's response to the fault alone, through its transfer path."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import cast, get_args

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import signal

from sim.drive import Operation
from sim.effect import GRAVITY_M_S2, Array, MountPoint
from sim.errors import DatasetError
from sim.scenario.quantity import span
from sim.scenario.realise import plan
from sim.scenario.schema import Scenario
from sim.sensors.imu import ImuSpec, mount_rotation
from sim.twin import Twin
from sim.world import Capture

Single = NDArray[np.float32]

_MODE_MARGIN = 0.75
"""Modes above this share of the output rate (1.5 times Nyquist) are left out: they only add compliance far below them."""
_OVERSAMPLING = 2
_HALF_TAPS = 10
"""Of the decimator's filter to each side, in samples of the output."""
_RUN_ON_S = 1.0
"""How far the operation goes on beyond the response."""


@dataclass(frozen=True)
class FaultResponse:
    """Response to one fault.

    Attributes:
        samples_g: (n_channels, n) acceleration it adds, g.
        label: machine state.
        kind: kind of the fault.
        severity: normalised severity of the fault as drawn: 0 none, 1 severe.
        severity_value, severity_unit: its physical size.
    """

    samples_g: Single
    label: str
    kind: str
    severity: float
    severity_value: float
    severity_unit: str


class ResponseSimulator:
    """Simulates what the faults of a scenario add to the channels of a recording.

    The twin runs with its faults alone: residual unbalance, rolling noise, motor and surroundings are left to the real
    recording. All effects are forces and the path is linear, so the sum of the two is the faulty machine (contact
    fidelity is not linear: a bearing modelled contact by contact is refused).

    Args:
        scenario: the scenario; calibrated, if its levels are to mean anything.
        rate_hz: sampling rate of the responses.
        channels: channels of the recording, in its order: `accel_x_g`, at the scenario's first sensor and along its axes, or
            `POINT.accel_x_g`, along a machine axis at a point of the machine (`drive_end`, ...).

    Raises:
        DatasetError: a channel that is no acceleration of a known point, or a bearing at contact fidelity.
    """

    def __init__(self, scenario: Scenario, rate_hz: float, channels: tuple[str, ...]) -> None:
        self.rate_hz = rate_hz
        contact = [p for p, b in scenario.machine.bearings.items() if b.fidelity == "contact"]
        if contact:
            raise DatasetError(
                f"scenario {scenario.name}: bearing `{contact[0]}` has contact fidelity, whose response cannot be added to a"
                " recording; use `fidelity: signal`"
            )
        first = scenario.sensors[0]
        placed = [place(channel, first) for channel in channels]
        mounts = list(dict.fromkeys(mount for mount, _ in placed))
        # Of each mount: the channels that listen there, and along which directions.
        heard = [[i for i, (at, _) in enumerate(placed) if at == mount] for mount in mounts]
        self._channels = len(placed)
        self._picks = [(rows, np.stack([placed[i][1] for i in rows])) for rows in heard]
        sensors = [ImuSpec(id=f"hybrid{i}", device="ideal", odr_hz=rate_hz, mount=m) for i, m in enumerate(mounts)]
        structure = scenario.machine.structure
        modes = [m for m in structure.modes if span(m.frequency_hz)[0] <= _MODE_MARGIN * rate_hz]
        if modes and {p for m in modes for p in m.shape} == {p for m in structure.modes for p in m.shape}:
            structure = structure.model_copy(update={"modes": modes})
        # No channel is a rate of turn, and the decimator below is filter enough for the lowest oversampling.
        structure = structure.model_copy(
            update={"modes": [m.model_copy(update={"tilt_rad_per_m": {}}) for m in structure.modes]}
        )
        machine = scenario.machine.model_copy(update={"structure": structure})
        changes = {"sensors": sensors, "machine": machine, "sampling": None, "oversampling": _OVERSAMPLING}
        self._name = scenario.name
        # Streams go by name, so a fault's draws are the same without the others; those would only take time.
        self._plans = {f.name: plan(scenario.model_copy(update={**changes, "faults": [f]})) for f in scenario.faults}

    def draw(self, fault: str, speed_rpm: float, samples: int, seed: int, number: int) -> FaultResponse:
        """Response to one draw of the fault called `fault` (its name in the scenario), `samples` long, at `speed_rpm`.

        A pure function of its arguments.
        """
        realised = self._plans[fault].draw(seed, self._name, "hybrid", fault, number)
        operation = Operation(
            speed_rpm=speed_rpm,
            load=realised.operation.plan()[0].load,
            duration_s=samples / self.rate_hz + _RUN_ON_S,
            ripple_pct=realised.operation.ripple_pct,
            wander_pct=realised.operation.wander_pct,
        )
        realised = realised.model_copy(update={"operation": operation})
        twin = Twin(realised, seed, number, fault, [(0.0, samples / self.rate_hz)], faults_only=True)
        factor = round(twin.grid_rate_hz / self.rate_hz)
        half = _HALF_TAPS * factor
        motion = self._motion(twin, twin.timeline.captures[0], samples * factor + 2 * half)
        out = np.zeros((len(motion), samples), dtype=np.float32)
        decimate(motion, _low_pass(factor), factor, out)
        member = twin.faults[0]
        size = member.severity(realised.machine, np.ones(1))
        return FaultResponse(out, member.label, member.kind, float(size.normalised[0]), float(size.value[0]), size.unit)

    def _motion(self, twin: Twin, capture: Capture, grid_samples: int) -> Single:
        """Acceleration (n_channels, grid_samples) in m/s2 along each channel, on the grid, from the capture's start on."""
        out = np.empty((self._channels, grid_samples), dtype=np.float32)
        for first, block, points in twin.motions(capture, grid_samples):
            early = max(-first, 0)  # the twin settles before the capture starts
            if early < block.n:
                for (rows, directions), (acceleration, _) in zip(self._picks, points, strict=True):
                    out[rows, first + early : first + block.n] = directions @ acceleration[:, early:]
        return out


@cache
def _low_pass(factor: int) -> Single:
    """Taps of the decimator, which also turns m/s2 into g; a factor of 1 decimates nothing."""
    taps = np.eye(1, 2 * _HALF_TAPS + 1, _HALF_TAPS)[0]
    if factor > 1:
        taps = signal.firwin(2 * _HALF_TAPS * factor + 1, 0.9 / factor)
    return np.asarray(taps / GRAVITY_M_S2, np.float32)


@njit(cache=True)
def decimate(x: Single, taps: Single, factor: int, out: Single) -> None:
    """Add to out[c, i] the sum over t of taps[t] x[c, i factor + t]; x is as long as that needs.

    The samples are first sorted by their place between two outputs, so that the sum runs over neighbours and vectorises:
    ten times as fast as `scipy.signal.upfirdn`.
    """
    n = out.shape[1]
    lags = (taps.shape[0] - 1) // factor + 1
    places = np.zeros((factor, n + lags), dtype=np.float32)
    for c in range(x.shape[0]):
        row = x[c]
        for p in range(factor):
            place = places[p]
            for i in range(min(n + lags, (row.shape[0] - 1 - p) // factor + 1)):
                place[i] = row[i * factor + p]
        for start in range(0, n, 2048):
            part = out[c, start : min(start + 2048, n)]
            for t in range(taps.shape[0]):
                tap, of = taps[t], places[t % factor, start + t // factor :]
                for i in range(part.shape[0]):
                    part[i] += tap * of[i]


def place(channel: str, sensor: ImuSpec) -> tuple[MountPoint, Array]:
    """Where a channel listens, and the unit vector it listens along, in machine axes."""
    point, _, name = channel.rpartition(".")
    words = name.split("_")
    if len(words) != 3 or words[0] != "accel" or words[1] not in ("x", "y", "z") or words[2] != "g":
        raise DatasetError(
            f"channel `{channel}` cannot be simulated; hybrid augmentation needs accel_x_g, accel_y_g, accel_z_g or"
            " POINT.accel_x_g with a point of the machine"
        )
    axis: NDArray[np.float64] = np.eye(3)["xyz".index(words[1])]
    if not point:
        return sensor.mount, mount_rotation(sensor.rotation_deg) @ axis
    if point not in get_args(MountPoint):
        raise DatasetError(f"channel `{channel}`: no point `{point}`; points are {', '.join(get_args(MountPoint))}")
    return cast(MountPoint, point), axis
