"""What a simulated fault adds to a recording: the twin's response to the fault alone, through its transfer path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from sim.drive import Operation
from sim.effect import Array, MountPoint
from sim.errors import DatasetError
from sim.scenario.quantity import Distribution
from sim.scenario.realise import plan
from sim.scenario.schema import Scenario
from sim.sensors.imu import ImuSpec, mount_rotation
from sim.twin import Twin
from sim.world import Capture

STANDARD_GRAVITY_M_S2 = 9.80665
_MODE_MARGIN = 0.75
"""Modes above this share of the output rate (1.5 times Nyquist) are left out: they only add compliance far below them."""


@dataclass(frozen=True)
class FaultResponse:
    """Response to one fault.

    Attributes:
        samples_g: (n, n_channels) acceleration it adds, g.
        label: machine state.
        kind: kind of the fault.
    """

    samples_g: Array
    label: str
    kind: str


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
        mounts: list[MountPoint] = []
        self._picks: list[tuple[int, Array]] = []
        for channel in channels:
            mount, direction = _place(channel, first)
            if mount not in mounts:
                mounts.append(mount)
            self._picks.append((mounts.index(mount), direction))
        sensors = [ImuSpec(id=f"hybrid{i}", device="ideal", odr_hz=rate_hz, mount=m) for i, m in enumerate(mounts)]
        structure = scenario.machine.structure
        modes = [m for m in structure.modes if _lowest(m.frequency_hz) <= _MODE_MARGIN * rate_hz]
        if modes and {p for m in modes for p in m.shape} == {p for m in structure.modes for p in m.shape}:
            structure = structure.model_copy(update={"modes": modes})
        machine = scenario.machine.model_copy(update={"structure": structure})
        self._scenario = scenario.model_copy(update={"sensors": sensors, "machine": machine, "sampling": None})
        self._plan = plan(self._scenario)

    def draw(self, fault: str, speed_rpm: float, samples: int, seed: int, number: int) -> FaultResponse:
        """Response to one draw of the fault called `fault` (its name in the scenario), `samples` long, at `speed_rpm`.

        A pure function of its arguments.
        """
        realised = self._plan.draw(seed, self._scenario.name, "hybrid", fault, number)
        settle_s = 1.0
        operation = Operation(
            speed_rpm=speed_rpm,
            load=realised.operation.plan()[0].load,
            duration_s=samples / self.rate_hz + settle_s,
            ripple_pct=realised.operation.ripple_pct,
            wander_pct=realised.operation.wander_pct,
        )
        realised = realised.model_copy(update={"operation": operation})
        capture = (0.0, samples / self.rate_hz)
        twin = Twin(realised, seed, number, fault, [capture], faults_only=True)
        factor = round(twin.grid_rate_hz / self.rate_hz)
        taps = 10 * factor  # of each side of the decimator's filter
        wanted = samples * factor + 2 * taps
        motion = _motion(twin, twin.timeline.captures[0], wanted)
        low = signal.firwin(2 * taps + 1, 0.9 / factor) / STANDARD_GRAVITY_M_S2 if factor > 1 else None
        out = np.empty((samples, len(self._picks)))
        for i, (point, direction) in enumerate(self._picks):
            along = direction @ motion[point]
            if low is None:
                out[:, i] = along[:samples] / STANDARD_GRAVITY_M_S2
            else:
                out[:, i] = signal.upfirdn(low, along, 1, factor)[2 * taps // factor :][:samples]
        member = twin.faults[0]
        return FaultResponse(out, member.label, member.kind)


def _lowest(value: float | Distribution) -> float:
    return value.support()[0] if isinstance(value, Distribution) else value


def _motion(twin: Twin, capture: Capture, grid_samples: int) -> list[Array]:
    """Acceleration (3, grid_samples) m/s2 of each mount from the capture's start on."""
    parts: list[list[Array]] = []
    for first, _, points in twin.motions(capture, grid_samples):
        if first + points[0][0].shape[1] > 0:
            parts.append([acceleration[:, max(-first, 0) :].copy() for acceleration, _ in points])
    return [np.concatenate(of_point, axis=1) for of_point in zip(*parts, strict=True)]


def _place(channel: str, sensor: ImuSpec) -> tuple[MountPoint, Array]:
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
