"""A sensor fault is always seen, and never called a machine fault: sim's own faults, on machines in several states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("unicorn", reason="no Unicorn: pip install simtwin[firmware]")

from emulator.machine import Machine, Sensor
from emulator.sources import SampleBlock
from firmware.build import Built
from firmware.fifo_imu import FifoImu
from firmware.frames import Frame, FrameType, SensorState, State, frames_in
from firmware.host import Host
from sim.sensors.faults import SENSOR_FAULTS, SensorFacts
from tests.firmware import machine, tiny_model

FULL_SCALE = np.array([16.0] * 3)
FACTS = SensorFacts(("accel_x", "accel_y", "accel_z"), FULL_SCALE, np.array([32767.0] * 3))
MACHINES = {"quiet": 0.0, "healthy": 60.0, "loud": 300.0, "faulty": 3000.0}
"""Amplitude of the tone, counts; the last is what the tiny model calls a fault."""
KINDS: dict[str, list[dict[str, Any]]] = {
    "stuck": [{}, {"level": 0.3}, {"channels": ("accel_y",)}],
    "saturation": [
        {"range_fraction": 0.02},
        {"range_fraction": 0.06},
        {"range_fraction": 0.06, "offset_fraction": 0.5},
    ],
    "drift": [{"rate_mg_per_s": rate} for rate in (20.0, 50.0, -200.0)],
    "bias_step": [{"offset_mg": offset} for offset in (150.0, -300.0, 1000.0)],
    "dropout": [
        {"rate_per_s": 10.0, "mean_length_s": 0.02},
        {"rate_per_s": 30.0, "mean_length_s": 0.003},
        {"rate_per_s": 6.0, "mean_length_s": 0.02, "mode": "zero"},
    ],
    "spike": [{"rate_per_s": 50.0, "height": height} for height in (0.4, 0.6, 0.8)],
    "rate_skew": [{"skew_ppm": skew} for skew in (50000.0, -60000.0, 100000.0)],
}
EXPECTED = {
    "stuck": {SensorState.STUCK, SensorState.DROPOUT},
    "saturation": {SensorState.SATURATED, SensorState.STUCK, SensorState.BIAS, SensorState.DROPOUT},
    "drift": {SensorState.BIAS, SensorState.SATURATED},
    "bias_step": {SensorState.BIAS},
    "dropout": {SensorState.DROPOUT, SensorState.STUCK},
    "spike": {SensorState.SPIKE, SensorState.SATURATED},
    "rate_skew": {SensorState.RATE},
}


def _faulty(
    kind: str, parameters: dict[str, Any], clean: NDArray[np.int16], onset_s: float, seed: int
) -> NDArray[np.int16]:
    """Samples with one of sim's sensor faults in them, from `onset_s` on, clipped and rounded as the sensor does."""
    (fault_class,) = [each for each in SENSOR_FAULTS if each.model_fields["kind"].default == kind]
    fault = fault_class.model_validate({"kind": kind, "onset_s": onset_s, **parameters})
    apply = fault.start(FACTS, np.random.default_rng(seed))
    time_s = np.arange(len(clean)) / machine.RATE_HZ
    if fault.acts_on == "counts":
        counts = clean.copy()
        apply(counts, time_s)
        return counts
    signal = clean * tiny_model.ACCEL_LSB_G
    apply(signal, time_s)
    return np.asarray(np.clip(np.rint(signal / tiny_model.ACCEL_LSB_G), -32768, 32767), np.int16)


def _clean(seconds: float, level: float, seed: int) -> NDArray[np.int16]:
    """Machine vibration is a tone and broad-band noise a third as strong, as real machines have both."""
    stream = machine.samples(seconds, level=level, seed=seed).astype(float)
    stream += np.random.default_rng(seed + 1).normal(0, level / 3, stream.shape)
    return np.asarray(np.clip(np.rint(stream), -32768, 32767), np.int16)


@dataclass(frozen=True)
class Combination:
    """A sensor fault on a machine.

    Attributes:
        kind: of the fault.
        parameters: its severity.
        state: the machine's.
        onset_s: of the fault.
        seed: of the samples.
    """

    kind: str
    parameters: dict[str, Any]
    state: str
    onset_s: float
    seed: int

    @property
    def rate_factor(self) -> float:
        """Of the sensor's clock from the onset on."""
        return 1.0 + float(self.parameters.get("skew_ppm", 0.0)) * 1e-6

    def samples(self) -> NDArray[np.int16]:
        """What the sensor gives, until 12 s after the onset at the nominal rate."""
        clean = _clean(self.onset_s + 12, MACHINES[self.state], self.seed)
        if self.kind == "rate_skew":
            return clean
        return _faulty(self.kind, self.parameters, clean, self.onset_s, self.seed)

    def hold(self, frames: Iterable[Frame]) -> None:
        """The fault was seen by its name after its onset, and no machine alert came that was not there before."""
        states = [frame for frame in frames if isinstance(frame, State)]
        raised = [frame for frame in states if frame.type == FrameType.SENSOR_RAISED]
        assert raised, f"not seen: {self}"
        assert raised[0].sensor_state in EXPECTED[self.kind], self
        assert raised[0].uptime_ms > self.onset_s * 1000, self
        alarms = [frame for frame in states if frame.type == FrameType.MACHINE_RAISED]
        if self.state != "faulty":
            assert not alarms, f"called a machine fault: {self}"
        else:  # it had been one before
            assert all(frame.uptime_ms < self.onset_s * 1000 + 1000 for frame in alarms), self


def combinations() -> Iterator[Combination]:
    """Kind x severity x machine state x 24 onsets, each with samples of its own: 2,016 in all."""
    for kind, severities in KINDS.items():
        for state in MACHINES:
            for number, parameters in enumerate(severities):
                for turn in range(24):
                    yield Combination(kind, parameters, state, 4.0 + 0.0837 * turn, seed=100 * number + turn)


def _states(host: Host, kind: FrameType) -> list[State]:
    return [frame for frame in host.frames if isinstance(frame, State) and frame.type == kind]


def _check(library: Path, one: Combination) -> None:
    host = machine.device(library, one.samples())
    host.run(one.onset_s)
    imu = host.imus[0]
    assert isinstance(imu, FifoImu)
    imu.skew(one.rate_factor)
    host.run(11 / max(one.rate_factor, 2 - one.rate_factor))
    one.hold(host.frames)


@pytest.mark.parametrize("state", MACHINES)
@pytest.mark.parametrize("kind", KINDS)
def test_seen_and_not_called_a_machine_fault(kind: str, state: str, library: Path) -> None:
    for number, parameters in enumerate(KINDS[kind]):
        _check(library, Combination(kind, parameters, state, 6.0 + 0.1 * number, seed=number))


def test_a_sound_sensor_is_called_sound(library: Path) -> None:
    """A minute of each machine: no sensor alert, and the machine's own only where there is one."""
    for state, level in MACHINES.items():
        host = machine.device(library, _clean(60, level, seed=5))
        host.run(59)
        assert not _states(host, FrameType.SENSOR_RAISED), (state, host.lines)
        assert len(_states(host, FrameType.MACHINE_RAISED)) == (state == "faulty")


def test_the_machine_alert_comes_with_its_class_and_goes(library: Path) -> None:
    low, high = ({"level": 3000, "axes": 3, "hz": hz} for hz in (30, 1200))
    parts = [machine.samples(5), machine.samples(5, **low), machine.samples(6), machine.samples(5, **high)]
    stream = np.concatenate(parts)
    host = machine.device(library, stream)
    host.run(20.5)
    story = [
        (frame.type, frame.machine_state)
        for frame in host.frames
        if isinstance(frame, State) and frame.type != FrameType.HEARTBEAT
    ]
    assert story == [
        (FrameType.MACHINE_RAISED, 1), (FrameType.MACHINE_CLEARED, 1), (FrameType.MACHINE_RAISED, 2),
    ]  # fmt: skip
    raised = _states(host, FrameType.MACHINE_RAISED)[0]
    assert 5000 + 4 * 307 <= raised.uptime_ms <= 5000 + 7 * 307  # 4 of 6 windows, and the one that confirms the last
    assert "alert machine raised low" in host.text


def test_a_sensor_alert_clears_and_the_machine_is_judged_again(library: Path) -> None:
    stream = np.concatenate([_clean(14, 0, 1), _clean(16, 3000, 2)])
    stream[round(4 * machine.RATE_HZ) : round(8 * machine.RATE_HZ)] = stream[round(4 * machine.RATE_HZ)]
    host = machine.device(library, stream)
    host.run(29)
    story = [frame.type for frame in host.frames if isinstance(frame, State) and frame.type != FrameType.HEARTBEAT]
    assert story[:2] == [FrameType.SENSOR_RAISED, FrameType.SENSOR_CLEARED]
    assert FrameType.MACHINE_RAISED in story[2:]


def test_alerts_are_repeated_while_they_stand(library: Path) -> None:
    host = machine.device(library, _clean(30, 3000, 1), alert_repeat_s=3)
    host.run(29)
    repeated = _states(host, FrameType.MACHINE_REPEATED)
    assert len(repeated) in (8, 9)
    gaps = np.diff([frame.uptime_ms for frame in repeated])
    np.testing.assert_allclose(gaps, 3000, atol=40)
    assert not _states(host, FrameType.HEARTBEAT)


@pytest.mark.slow
@pytest.mark.parametrize("state", MACHINES)
@pytest.mark.parametrize("kind", KINDS)
def test_two_thousand_combinations(kind: str, state: str, library: Path) -> None:
    every = list(combinations())
    assert len(every) >= 2000
    for one in every:
        if (one.kind, one.state) == (kind, state):
            _check(library, one)


@dataclass(frozen=True)
class _Skewing:
    """Samples whose clock changes its rate at the onset; an `emulator.sources.SampleSource`."""

    one: Combination
    rate_hz: float = machine.RATE_HZ
    rate_error: float = 0.0
    accel_range_g: float = 16.0
    gyro_range_dps: float = 2000.0

    def blocks(self) -> Iterator[SampleBlock]:
        counts = np.pad(self.one.samples(), ((0, 0), (0, 3)))
        time_s = np.arange(len(counts)) / self.rate_hz
        later = time_s > self.one.onset_s
        time_s[later] = self.one.onset_s + (time_s[later] - self.one.onset_s) / self.one.rate_factor
        for first in range(0, len(counts), 4096):
            yield SampleBlock(time_s[first : first + 4096], counts[first : first + 4096])


def sampled() -> list[Combination]:
    """50 of all, always the same: one of each kind in each state of the machine, and 22 wherever they fall."""
    every = list(combinations())
    draws = np.random.default_rng(6)
    each = len(every) // (len(KINDS) * len(MACHINES))
    chosen = {int(first + draws.integers(each)) for first in range(0, len(every), each)}
    others = [i for i in range(len(every)) if i not in chosen]
    return [every[i] for i in sorted(chosen | {int(i) for i in draws.choice(others, 50 - len(chosen), replace=False)})]


def _check_on_the_chip(elf: Path, one: Combination) -> None:
    """Until the fault is told and 2.5 s (eight windows) longer."""
    board = Machine(elf, [Sensor(_Skewing(one))])
    board.run(one.onset_s)

    def frames() -> list[Frame]:
        sent = board.uart_output(0).decode("ascii")
        return list(frames_in(sent[: sent.rfind("\n") + 1]))

    for _ in range(17):
        board.run(0.5)
        if any(frame.type == FrameType.SENSOR_RAISED for frame in frames()):
            break
    board.run(2.5)
    one.hold(frames())


def test_the_sample_has_every_kind_in_every_state() -> None:
    chosen = sampled()
    assert len(chosen) == 50
    assert {(one.kind, one.state) for one in chosen} == {(kind, state) for kind in KINDS for state in MACHINES}


@pytest.mark.parametrize("number", range(4, 50, 9))
def test_a_few_of_them_on_the_chip(number: int, chip_build: Built) -> None:
    _check_on_the_chip(chip_build.product, sampled()[number])


@pytest.mark.slow
def test_fifty_of_them_on_the_chip(chip_build: Built) -> None:
    for one in sampled():
        _check_on_the_chip(chip_build.product, one)
