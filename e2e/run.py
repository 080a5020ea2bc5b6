"""One scenario from end to end: its machine shakes the emulated IMUs, the firmware listens, and what it says is judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from e2e.judge import Alert, Change, Finding, Subject, judge
from emulator.cpu import Hook
from emulator.errors import MachineError
from emulator.machine import Debugger, Machine, Sensor
from emulator.sources import Relay, SampleBlock, SampleSource
from emulator.twin_source import TwinRun
from firmware.errors import FirmwareError
from firmware.frames import Frame, FrameType, State, frame_in
from models.artifact import Artifact, ArtifactError
from sim.errors import ParameterError
from sim.progress import Progress
from sim.scenario.realise import plan
from sim.scenario.schema import Scenario
from sim.sensors.imu import ImuSpec, mount_rotation

STEP_S = 0.25
"""Progress is told so often, in machine time."""

STAGES = {
    "driver": ["acquire_tick"],
    "sensor checks": ["sensor_check"],
    "preprocessing": ["preprocess"],
    "inference": ["model_infer"],
}

_CHANGES: dict[FrameType, tuple[Subject, Change]] = {
    FrameType.MACHINE_RAISED: ("machine", "raised"),
    FrameType.MACHINE_CHANGED: ("machine", "changed"),
    FrameType.MACHINE_REPEATED: ("machine", "repeated"),
    FrameType.MACHINE_CLEARED: ("machine", "cleared"),
    FrameType.SENSOR_RAISED: ("sensor", "raised"),
    FrameType.SENSOR_CHANGED: ("sensor", "changed"),
    FrameType.SENSOR_REPEATED: ("sensor", "repeated"),
    FrameType.SENSOR_CLEARED: ("sensor", "cleared"),
}

_START_S = 2.0  # machine time within which the firmware must have answered


@dataclass
class Console:
    """What came out of the firmware's UART0.

    Attributes:
        on_line: called with the time and text of every line; None: nobody is.
        lines: (scenario time at which the line was complete, text).
        frames: those that were binary frames, decoded, with the same time.
        damaged: lines that claimed to be frames and were none.
    """

    on_line: Callable[[float, str], None] | None = None
    lines: list[tuple[float, str]] = field(default_factory=list)
    frames: list[tuple[float, Frame]] = field(default_factory=list)
    damaged: int = 0
    _part: bytearray = field(default_factory=bytearray)

    def byte(self, value: int, time_s: float) -> None:
        """One more byte was sent."""
        if value != 10:
            self._part.append(value)
            return
        text = self._part.decode("utf-8", "replace").rstrip("\r")
        self._part.clear()
        self.lines.append((time_s, text))
        if self.on_line is not None:
            self.on_line(time_s, text)
        try:
            frame = frame_in(text)
        except FirmwareError:
            self.damaged += 1
            return
        if frame is not None:
            self.frames.append((time_s, frame))


@dataclass(frozen=True)
class Level:
    """How much one sensor was shaken: RMS of the acceleration's change about its mean, block by block."""

    sensor: str
    time_s: list[float] = field(default_factory=list)
    rms_g: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """A run and what was found.

    Attributes:
        scenario: as realised.
        findings: what was asked of it; `passed` if all passed.
        alerts: that the firmware gave.
        console: all it said.
        levels: vibration of every sensor over the run.
        duration_s: machine time simulated.
        wall_s: time it took.
        instructions: executed by stage; `all` is their sum.
        windows: judged by the firmware (window frames).
    """

    scenario: Scenario
    findings: list[Finding]
    alerts: list[Alert]
    console: Console
    levels: list[Level]
    duration_s: float
    wall_s: float
    instructions: dict[str, int]
    windows: list[tuple[float, State]]

    @property
    def passed(self) -> bool:
        """Whether the run was as expected."""
        return all(finding.passed for finding in self.findings)

    def summary(self) -> dict[str, Any]:
        """For result.json."""
        return {
            "scenario": self.scenario.name,
            "passed": self.passed,
            "findings": [asdict(finding) for finding in self.findings],
            "alerts": [asdict(alert) for alert in self.alerts],
            "machine_time_s": self.duration_s,
            "damaged_frames": self.console.damaged,
            "windows": len(self.windows),
            "instructions": self.instructions,
        }


def run(
    scenario: Scenario,
    artifact: Artifact,
    elf: Path,
    *,
    seed: int = 0,
    hook: Hook = "native",
    progress: Progress | None = None,
    line: Callable[[float, str], None] | None = None,
    debugger: Debugger | None = None,
) -> Outcome:
    """Run a scenario once on the built-in emulator, from its start to the end of its operating plan.

    Args:
        scenario: with or without distributions; they are drawn by `seed`.
        artifact: the model that the firmware carries.
        elf: firmware for the ESP32-C3 with that model (`firmware.build`).
        seed: of the twin.
        hook: how instructions are counted (`emulator.machine.Machine`).
        progress: told as time goes on.
        line: called with the time and text of every line on the console.
        debugger: gets the processor before its first instruction (`emulator.gdb`).

    Raises:
        ArtifactError: the model is for another rate or range than the scenario's sensors have.
        MachineError: the firmware did what the chip does not allow, whether or not its own handler caught it.
    """
    realised = plan(scenario).draw(seed, scenario.name, 0)
    check_fits(artifact, realised)
    started = perf_counter()
    twin = TwinRun(realised, seed)
    listened = [_Listened(source, sensor.id) for source, sensor in zip(twin.sources, realised.sensors, strict=True)]
    machine = Machine(elf, [Sensor(source) for source in listened], hook=hook, stages=STAGES)
    console = Console(line)
    machine.on_uart(0, console.byte)
    if debugger is not None:
        machine.debug(debugger)
    configure(machine, realised)
    duration_s = twin.twin.timeline.duration_s
    while machine.virtual_time_s < duration_s - 1e-9:
        machine.run_until(min(machine.virtual_time_s + STEP_S, duration_s))
        if machine.exceptions:
            raise MachineError(machine.exceptions[0].text)
        if progress is not None:
            progress(machine.virtual_time_s, duration_s)
    counts = machine.stage_instructions()
    alerts = list(alerts_of(console, artifact.classes))
    return Outcome(
        scenario=realised,
        findings=judge(realised, alerts, duration_s),
        alerts=alerts,
        console=console,
        levels=[source.level for source in listened],
        duration_s=duration_s,
        wall_s=perf_counter() - started,
        instructions={"all": machine.instructions, **counts},
        windows=[(t, f) for t, f in console.frames if isinstance(f, State) and f.type == FrameType.WINDOW],
    )


def check_fits(artifact: Artifact, scenario: Scenario) -> None:
    """ArtifactError unless the model was made for sensors of the scenario's rate and full scale."""
    pre = artifact.preprocessing
    for sensor in scenario.sensors:
        scale = dict(zip(sensor.channel_names, sensor.scale.tolist(), strict=True))
        if pre.rate_hz != sensor.odr_hz:
            raise ArtifactError(
                f"{artifact.folder}: made for {pre.rate_hz:g} Hz; sensor {sensor.id} of {scenario.name} has "
                f"{sensor.odr_hz:g} Hz"
            )
        for channel, lsb in zip(pre.channels, pre.lsb, strict=True):
            if channel not in scale or not np.isclose(scale[channel], lsb, rtol=1e-3):
                raise ArtifactError(
                    f"{artifact.folder}: made for {channel} with steps of {lsb:.6g}; sensor {sensor.id} of "
                    f"{scenario.name} has steps of {scale.get(channel, 0.0):.6g}: another full scale"
                )


def configure(machine: Machine, scenario: Scenario, first: Sequence[str] = ("config report_windows 1",)) -> None:
    """Tell the firmware, as a person at its console would, how many sensors there are and how they are mounted.

    Args:
        machine: just switched on.
        scenario: says what there is.
        first: commands before those.
    """
    commands = list(first)
    if len(scenario.sensors) > 1:
        commands += [f"config sensors {len(scenario.sensors)}"]
        if scenario.fusion == "median":
            commands += [f"config imu{i}_axes {axes(sensor)}" for i, sensor in enumerate(scenario.sensors)]
    machine.run_until_line("hello", _START_S)
    for command in commands:
        machine.write_uart(0, f"{command}\n".encode())
        machine.run_until_line("ok", _START_S)
    if len(commands) > len(first):  # the number of sensors counts from the next start on
        machine.write_uart(0, b"reboot\n")
        machine.run_until_line("hello", _START_S)


def axes(sensor: ImuSpec) -> str:
    """The firmware's figure for a mounting: which of the sensor's axes are the machine's x, y, z (4 to 6: turned about).

    Raises:
        ParameterError: a mounting that is not a multiple of quarter turns.
    """
    digits = ""
    for row in mount_rotation(sensor.rotation_deg):
        axis = int(np.argmax(np.abs(row)))
        if not np.isclose(abs(row[axis]), 1.0, atol=1e-9):
            raise ParameterError(
                f"sensor {sensor.id}: rotation_deg {list(sensor.rotation_deg)}; the firmware allows quarter turns only"
            )
        digits += str(axis + 1 if row[axis] > 0 else axis + 4)
    return digits


def alerts_of(console: Console, classes: tuple[str, ...]) -> Iterator[Alert]:
    """The alerts among the frames, with the names of states."""
    for time_s, frame in console.frames:
        if not isinstance(frame, State) or frame.type not in _CHANGES:
            continue
        subject, change = _CHANGES[frame.type]
        if subject == "machine":
            name = "" if frame.machine_state is None else classes[frame.machine_state]
            yield Alert(time_s, subject, change, name)
        else:
            yield Alert(time_s, subject, change, frame.sensor_state.name.lower(), str(frame.sensor))


class _Listened(Relay):
    """Notes how strong the vibration is."""

    def __init__(self, source: SampleSource, sensor: str) -> None:
        super().__init__(source)
        self.level = Level(sensor)

    def seen(self, block: SampleBlock) -> None:
        piece = max(1, round(self.rate_hz * 0.05))
        for start in range(0, len(block.time_s), piece):
            accel = block.counts[start : start + piece, :3] * (self.accel_range_g / 32768.0)
            self.level.time_s.append(float(block.time_s[start]))
            self.level.rms_g.append(float(np.sqrt(accel.var(axis=0).sum())))


def write(outcome: Outcome, folder: Path) -> list[Path]:
    """Write transcript.txt, result.json and timeline.png into a folder that is there; returns their paths."""
    from e2e.timeline import draw

    transcript, result, picture = folder / "transcript.txt", folder / "result.json", folder / "timeline.png"
    transcript.write_text("".join(f"{time_s:10.4f}  {text}\n" for time_s, text in outcome.console.lines))
    result.write_text(json.dumps(outcome.summary(), indent=1) + "\n")
    draw(outcome, picture)
    return [transcript, result, picture]
