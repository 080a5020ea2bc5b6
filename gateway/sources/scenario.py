"""A scenario as a source: the twin's samples, the firmware on the built-in emulator, and what leaves its UARTs."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import parse_qsl

import numpy as np

from e2e.run import check_fits, configure
from emulator.errors import MachineError
from emulator.machine import MAC, Machine, Sensor
from emulator.sources import Relay, SampleBlock, SampleSource
from emulator.twin_source import TwinRun
from firmware.errors import FirmwareError
from gateway.bthome import KEY_BYTES
from gateway.errors import GatewayError
from gateway.observation import Observation, Spectrum
from gateway.sources.base import Intake, Source, Tell
from gateway.sources.ble_virtual import VirtualAir
from models.artifact import open_artifact, reference
from sim.analysis import amplitude_spectrum
from sim.dataset.manifest import MANIFEST
from sim.scenario.reader import read
from sim.scenario.realise import realise
from sim.scenario.schema import Scenario

_STEP_S = 0.05  # of virtual time between two looks at the UARTs
_START_S = 2.0  # machine time within which the firmware must have answered
_SPECTRUM_SAMPLES = 2048
_CONSOLE, _HCI = 0, 1
N = TypeVar("N", int, float)


@dataclass(frozen=True)
class Options:
    """What follows the `?` in `scenario:FILE?firmware=ELF&seed=1`.

    Attributes:
        firmware: ELF of the firmware; or
        model: artifact of `simtwin export`, to build it with; neither: the reference model of the scenario's machine.
        seed: of the run.
        speed: virtual seconds a second; 0: as fast as it goes.
        via: what the gateway listens to: the console, or Bluetooth over Bumble's virtual controller.
        mac: of the chip: with several scenarios over Bluetooth, each needs its own.
        key: bind key that the firmware is given, 32 hexadecimal digits; None: it does not encrypt.
    """

    firmware: Path | None = None
    model: Path | None = None
    seed: int = 0
    speed: float = 1.0
    via: Literal["console", "ble"] = "console"
    mac: bytes = MAC
    key: str | None = None

    @staticmethod
    def parse(text: str) -> Options:
        """The options in a text.

        Raises:
            GatewayError: an option that is unknown, or a value that is not allowed.
        """
        options = Options()
        for name, value in parse_qsl(text, keep_blank_values=True):
            try:
                if name in ("firmware", "model"):
                    options = replace(options, **{name: Path(value)})  # type: ignore[arg-type]
                elif name == "seed":
                    options = replace(options, seed=_at_least_0(int(value)))
                elif name == "speed":
                    options = replace(options, speed=_at_least_0(float(value)))
                elif name == "via" and value in ("console", "ble"):
                    options = replace(options, via=value)  # type: ignore[arg-type]
                elif name == "key" and len(bytes.fromhex(value)) == KEY_BYTES:
                    options = replace(options, key=bytes.fromhex(value).hex())
                elif name == "mac" and len(bytes.fromhex(value)) == len(MAC):
                    options = replace(options, mac=bytes.fromhex(value))
                else:
                    raise ValueError
            except ValueError:
                raise GatewayError(
                    f"scenario: '{name}={value}': allowed are firmware=ELF, model=FOLDER, seed=0 and up,"
                    " speed=0 and up, via=console or ble, key=32 hexadecimal digits, mac=12 of them"
                ) from None
        if options.firmware is not None and options.model is not None:
            raise GatewayError("scenario: firmware=ELF has its model in it; give one of firmware and model")
        for path in (options.firmware, options.model):
            if path is not None and not path.exists():
                raise GatewayError(f"scenario: {path}: not there")
        return options


def _at_least_0(value: N) -> N:
    if not 0 <= value < float("inf"):
        raise ValueError
    return value


class _Tap(Relay):
    """Keeps the samples of which a spectrum may be wanted."""

    def __init__(self, source: SampleSource) -> None:
        super().__init__(source)
        self._kept: deque[SampleBlock] = deque()

    def seen(self, block: SampleBlock) -> None:
        self._kept.append(block)
        while sum(len(each.counts) for each in self._kept) - len(self._kept[0].counts) > 4 * _SPECTRUM_SAMPLES:
            self._kept.popleft()

    def spectrum(self, until_s: float) -> Spectrum | None:
        """Spectrum of the axis that moves most, of the last samples before a virtual time."""
        counts = [block.counts[block.time_s <= until_s, :3] for block in self._kept]
        samples = np.concatenate(counts)[-_SPECTRUM_SAMPLES:] if counts else np.empty((0, 3))
        if len(samples) < _SPECTRUM_SAMPLES:
            return None
        accel_g = samples * (self.accel_range_g / 32768)
        axis = int(np.argmax(accel_g.std(axis=0)))
        frequency_hz, amplitude_g = amplitude_spectrum(accel_g[:, axis], self.rate_hz)
        return Spectrum(float(frequency_hz[1]), tuple(np.round(amplitude_g, 6).tolist()), "xyz"[axis] + "_g")


class ScenarioSource(Source):
    """`scenario:FILE`, `scenario:FILE?model=FOLDER`: runs the scenario once, then is done.

    Attributes:
        started: called when the run begins, with the board and the air around it, for those who want to look closer.

    Raises:
        GatewayError: options that are not allowed.
        ScenarioError: the scenario is not valid.
        ArtifactError: a model that is none, or that does not fit the scenario's sensors.
    """

    failures = (MachineError, FirmwareError)

    def __init__(self, name: str, text: str) -> None:
        super().__init__(name)
        file, _, options = text.partition("?")
        self._options = Options.parse(options)
        self._scenario = realise(read(file, Scenario), self._options.seed, file)
        self.started: Callable[[Machine, VirtualAir], None] = lambda board, air: None
        if self._options.firmware is None and self._options.model is None:
            self._options = replace(self._options, model=reference(self._scenario.machine.id))
        if self._options.model is not None and (self._options.model / MANIFEST).is_file():
            check_fits(open_artifact(self._options.model), self._scenario)

    async def run(self, intake: Intake, tell: Tell) -> None:
        """Run the scenario to the end of its operating plan."""
        with tempfile.TemporaryDirectory() as folder:
            tell("starting the firmware")
            elf = self._options.firmware
            if elf is None:
                elf = await asyncio.to_thread(self._built, Path(folder))
            await _Run(self.name, self._scenario, self._options, elf, intake).run(tell, self.started)
        tell("the scenario is over")

    def _built(self, folder: Path) -> Path:
        from firmware.build import build

        assert self._options.model is not None
        return build(self._options.model, folder).product


class _Run:
    """One run of a scenario."""

    def __init__(self, name: str, scenario: Scenario, options: Options, elf: Path, intake: Intake) -> None:
        self._name, self._options, self._intake = name, options, intake
        self._duration_s = sum(segment.duration_s for segment in scenario.operation.plan())
        self._taps = [_Tap(source) for source in TwinRun(scenario, options.seed).sources]
        self._machine = Machine(elf, [Sensor(tap) for tap in self._taps], mac=options.mac)
        self._sent = {_CONSOLE: bytearray(), _HCI: bytearray()}
        for uart, sent in self._sent.items():
            self._machine.on_uart(uart, lambda byte, _, sent=sent: sent.append(byte))  # type: ignore[misc]
        self._console = intake.console(f"scenario:{scenario.name}")
        self._stood = False
        self._scenario = scenario

    async def run(self, tell: Tell, started: Callable[[Machine, VirtualAir], None]) -> None:
        air = VirtualAir(self._heard)
        await air.start()
        started(self._machine, air)
        await asyncio.to_thread(self._configure)
        answers = bytearray()
        radio = air.attach(answers.extend)
        tell("running")
        try:
            begin_s = time.monotonic()
            while self._machine.virtual_time_s < self._duration_s:
                if answers:
                    self._machine.write_uart(_HCI, bytes(answers))
                    answers.clear()
                await asyncio.to_thread(self._machine.run, _STEP_S)
                radio.feed(self._taken(_HCI))
                self._read_console(self._taken(_CONSOLE))
                await asyncio.sleep(self._ahead_s(time.monotonic() - begin_s))
        finally:
            radio.close()

    def _configure(self) -> None:
        """As a person at the console would, where the firmware's defaults will not do; it starts anew with what it is told."""
        if self._options.key is not None:
            self._machine.run_until_line("hello", _START_S)
            self._machine.write_uart(_CONSOLE, f"bindkey {self._options.key}\nreboot\n".encode())
        if len(self._scenario.sensors) > 1:
            configure(self._machine, self._scenario, [])

    def _ahead_s(self, elapsed_s: float) -> float:
        if not self._options.speed:
            return 0.0
        return max(0.0, self._machine.virtual_time_s / self._options.speed - elapsed_s)

    def _taken(self, uart: int) -> bytes:
        data = bytes(self._sent[uart])
        self._sent[uart].clear()
        return data

    def _read_console(self, data: bytes) -> None:
        if self._options.via == "console":
            for observation in self._console.feed(data, self._intake.clock()):
                self._take(observation)

    def _heard(self, address: str, data: bytes) -> None:
        if self._options.via == "ble":
            observation = self._intake.radio.receive(address, data, self._name, self._intake.clock())
            if observation is not None:
                self._take(observation)

    def _take(self, observation: Observation) -> None:
        if observation.machine_alert and not self._stood:
            observation = replace(observation, spectrum=self._taps[0].spectrum(self._machine.virtual_time_s))
        self._stood = observation.machine_alert
        self._intake.sink(observation)
