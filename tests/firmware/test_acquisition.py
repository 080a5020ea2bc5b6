"""From the FIFO to windows: every sample once, in order, or the loss is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware.fifo_imu import FifoImu
from firmware.frames import FrameType, SensorState, State
from firmware.host import Host
from models.preprocessing import Preprocessing
from tests.firmware import machine, tiny_model
from tests.firmware.conftest import BuildHost


def _windows(host: Host) -> list[State]:
    return [frame for frame in host.frames if isinstance(frame, State) and frame.type == FrameType.WINDOW]


def _levels(stream: NDArray[np.int16], pre: Preprocessing, count: int) -> list[int]:
    """Levels of the first windows of a stream, by the Python definitions."""
    windows = np.stack([stream[i * pre.hop : i * pre.hop + pre.window] for i in range(count)])
    outputs = tiny_model.infer(pre.apply(windows)).astype(int)
    return (outputs[:, 1:] + 128).sum(axis=1).tolist()


def _varied(seconds: float, *, gyro: bool = False, seed: int = 3) -> NDArray[np.int16]:
    """A stream whose windows differ: the tone comes and goes."""
    stream = machine.samples(seconds, seed=seed, gyro=gyro).astype(float)
    time_s = np.arange(len(stream)) / machine.RATE_HZ
    stream[:, :3] += (1500 * np.sin(2 * np.pi * 0.23 * time_s) ** 4 * np.sin(2 * np.pi * 45 * time_s))[:, None]
    return np.asarray(np.rint(stream), np.int16)


@pytest.mark.parametrize("batch_ms", [10, 20, 37, 50])
@pytest.mark.parametrize("hop", [1024, 512, 300, 2000])
def test_every_window_is_made_of_the_very_samples(hop: int, batch_ms: int, build_host: BuildHost) -> None:
    pre = tiny_model.preprocessing(hop=hop)
    stream = _varied(8)
    host = machine.device(build_host(pre), stream, report_windows=1, batch_ms=batch_ms)
    host.run(7.5)
    windows = _windows(host)
    count = (round(7.5 * machine.RATE_HZ) - 1024) // hop - (1 if hop < 1024 else 0)
    assert len(windows) >= count - 1 > 1
    assert [window.level for window in windows] == _levels(stream, pre, len(windows))
    assert len({window.level for window in windows}) > 1


def test_accelerometer_and_gyroscope_are_paired(build_host: BuildHost) -> None:
    pre = tiny_model.preprocessing(gyro=True)
    stream = _varied(6, gyro=True)
    host = machine.device(build_host(pre), stream, report_windows=1)
    host.run(5.5)
    windows = _windows(host)
    assert len(windows) >= 16
    assert [window.level for window in windows] == _levels(stream, pre, len(windows))


def test_the_decimating_preprocessing(build_host: BuildHost) -> None:
    from models.preprocessing import low_pass

    pre = tiny_model.preprocessing(decimation=4, taps=low_pass(4), length=240)
    stream = _varied(6)
    host = machine.device(build_host(pre), stream, report_windows=1)
    host.run(5.5)
    assert [window.level for window in _windows(host)] == _levels(stream, pre, len(_windows(host)))


def test_axes_are_turned_to_the_machines(library: Path) -> None:
    """A sensor mounted with its x up, y to the machine's -x: digits 5 3 1 say which of its axes are x, y, z."""
    stream = _varied(5)
    turned = np.stack([stream[:, 2], -stream[:, 0], stream[:, 1]], axis=1)  # sensor x, y, z
    host = machine.device(library, turned, report_windows=1, imu0_axes=531)
    host.run(4.5)
    windows = _windows(host)
    assert [window.level for window in windows] == _levels(stream, tiny_model.preprocessing(), len(windows))


def test_an_overrun_is_a_dropout_and_the_window_begins_anew(library: Path) -> None:
    host = machine.device(library, machine.samples(20), report_windows=1)
    host.run(3.05)
    host.time_us += 400_000  # nobody reads for longer than the FIFO lasts (154 ms)
    host._next_us = host.time_us
    host.run(3)
    assert "overruns 1" in host.command("status")[1]
    states = [window.sensor_state for window in _windows(host)]
    assert states.count(SensorState.DROPOUT) == 1
    assert states[-4:] == [SensorState.OK] * 4


def test_a_cut_wire_is_told_and_mended(library: Path) -> None:
    host = machine.device(library, machine.samples(60))
    host.run(3)
    imu = host.imus[0]
    assert isinstance(imu, FifoImu)
    imu.answers = False
    host.run(3)
    assert "imu 0 away" in host.lines
    raised = [frame for frame in host.frames if isinstance(frame, State) and frame.type == FrameType.SENSOR_RAISED]
    assert [frame.sensor_state for frame in raised] == [SensorState.BUS]
    assert raised[0].machine_state is None
    imu.answers = True
    host.run(6)
    assert host.lines.count("imu 0 running") == 2
    assert any(frame.type == FrameType.SENSOR_CLEARED for frame in host.frames)
    assert not any(frame.type == FrameType.MACHINE_RAISED for frame in host.frames)


def test_single_garbled_transfers_cost_a_window_and_no_alert(library: Path) -> None:
    host = machine.device(library, machine.samples(60), report_windows=1)
    imu = host.imus[0]
    assert isinstance(imu, FifoImu)
    host.run(2)
    for _ in range(6):
        imu.wrong_bytes.add(imu._transfers + 3)
        host.run(4)
    assert "bus-errors 6" in host.command("status")[1]
    assert not any(frame.type in (FrameType.SENSOR_RAISED, FrameType.MACHINE_RAISED) for frame in host.frames)


@pytest.mark.parametrize("bit", range(8))
@pytest.mark.parametrize("level", [0, 1])
def test_a_wire_stuck_in_one_bit(bit: int, level: int, library: Path) -> None:
    """Whichever bit of every byte no longer changes: seen at once, and never a machine fault."""
    host = machine.device(library, machine.samples(20))
    host.run(3)
    imu = host.imus[0]
    assert isinstance(imu, FifoImu)
    sound = imu.transfer

    def stuck(sent: bytes, count: int) -> bytes:
        return bytes(byte | 1 << bit if level else byte & ~(1 << bit) for byte in sound(sent, count))

    imu.transfer = stuck  # type: ignore[method-assign]
    host.run(4)
    raised = [frame for frame in host.frames if isinstance(frame, State) and frame.type == FrameType.SENSOR_RAISED]
    assert [frame.sensor_state for frame in raised] == [SensorState.BUS]
    assert not any(frame.type == FrameType.MACHINE_RAISED for frame in host.frames)


def test_a_sensor_that_lost_its_settings_is_set_up_again(library: Path) -> None:
    host = machine.device(library, machine.samples(20))
    host.run(3)
    imu = host.imus[0]
    assert isinstance(imu, FifoImu)
    imu._reset()
    host.run(3)
    assert host.lines.count("imu 0 running") == 2


def test_something_else_at_the_chip_select_is_no_imu(library: Path) -> None:
    host = machine.device(library, machine.samples(5))
    imu = host.imus[0]
    assert isinstance(imu, FifoImu)
    register = imu._register
    imu._register = lambda address: 0x6A if address == 0x0F else register(address)  # type: ignore[method-assign]
    host.run(3)
    assert "imu 0 away" in host.lines
    assert "imu 0 running" not in host.lines


def test_three_imus_and_one_that_lies(library: Path) -> None:
    """The median follows the two that agree; the third's stuck fault is told, the machine judged all the while."""
    streams = [_varied(12, seed=1) + np.int16(i) for i in range(3)]
    streams[1][20000:] = streams[1][20000]
    host = machine.device(library, *streams, sensors=3, report_windows=1)
    host.run(11)
    median = np.asarray(np.median(np.stack(streams), axis=0), np.int16)
    low_two = np.asarray(np.floor((streams[0].astype(int) + streams[2]) / 2), np.int16)
    windows = _windows(host)
    pre = tiny_model.preprocessing()
    for window, by_three, by_two in zip(
        windows, _levels(median, pre, len(windows)), _levels(low_two, pre, len(windows)), strict=True
    ):
        assert window.sound in ((0, 1, 2), (0, 2))
        assert window.level == (by_three if window.sound == (0, 1, 2) else by_two)
    assert {window.sound for window in windows} == {(0, 1, 2), (0, 2)}
    raised = [frame for frame in host.frames if isinstance(frame, State) and frame.type == FrameType.SENSOR_RAISED]
    assert [(frame.sensor, frame.sensor_state) for frame in raised] == [(1, SensorState.STUCK)]


def test_an_imu_that_is_away_does_not_hold_up_the_others(library: Path) -> None:
    host = machine.device(library, *[machine.samples(20) for _ in range(3)], sensors=3, report_windows=1)
    imu = host.imus[2]
    assert isinstance(imu, FifoImu)
    imu.answers = False
    host.run(6)
    assert len([window for window in _windows(host) if window.machine_state == 0]) >= 17
    imu.answers = True
    host.run(6)
    assert _windows(host)[-1].sound == (0, 1, 2)


def test_clocks_that_drift_apart_stay_aligned(library: Path) -> None:
    host = machine.device(library, *[machine.samples(60) for _ in range(3)], sensors=3, report_windows=1)
    for imu, factor in zip(host.imus, (1.0, 1.01, 0.99), strict=True):
        assert isinstance(imu, FifoImu)
        imu.rate_factor = factor
    host.run(40)
    windows = _windows(host)
    assert len(windows) == 40 * machine.RATE_HZ // 1024
    assert all(window.sound == (0, 1, 2) for window in windows[1:])  # in the first the slow one lacks ten samples
    assert not any(frame.type == FrameType.SENSOR_RAISED for frame in host.frames)


def test_the_watchdog_is_fed_only_while_the_tick_runs(library: Path) -> None:
    host = machine.device(library, machine.samples(10), watchdog_ms=3000)
    host.run(2)
    assert host.watchdog_ms == 3000
    assert host.fed_us is not None
    assert host.time_us - host.fed_us <= 20_000
    fed_us = host.fed_us
    for _ in range(100):
        host.time_us += 20_000
        host.library.host_step()
    assert host.fed_us == fed_us


def test_nothing_is_late_when_the_main_loop_is_slow(library: Path) -> None:
    """Ticks go on while the loop is busy: up to a hop nothing is lost; after that the loss is counted."""
    host = machine.device(library, machine.samples(20), report_windows=1)
    host.run(2)
    for stall_s, late in ((0.3, 0), (1.5, 1)):
        for _ in range(round(stall_s / 0.02)):
            host._tick()
        host.run(2)
        assert f"late {late}" in host.command("status")[0]
