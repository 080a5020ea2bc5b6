"""Where samples come from: one interface for recordings, simulations, pipes and a sensor on a bus; sources by name."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from models.preprocessing import Counts, Preprocessing
from sim.errors import SimtwinError

RATE_TOLERANCE = 0.005
"""Part by which rates may differ and still be called the same: below the error of a MEMS sensor's own clock (1 %), above
what datasheets differ by among themselves (416 or 417 Hz)."""
LSB_TOLERANCE = 1e-6

KINDS = "file:PATH, data:SET[/RECORDING], dataset:FOLDER, scenario:FILE[#SENSOR], stdin[:RATE_HZ], i2c:BUS:ADDRESS"


class SourceError(SimtwinError):
    """A source that cannot be read, or does not fit the artifact."""

    exit_code = 6


@dataclass(frozen=True)
class Format:
    """What a model takes.

    Attributes:
        channels: names with their units, such as accel_x_g.
        rate_hz: samples per second; None for rows without a rate.
        lsb: what one count stands for, per channel.
    """

    channels: tuple[str, ...]
    rate_hz: float | None
    lsb: tuple[float, ...]

    @staticmethod
    def of(preprocessing: Preprocessing) -> Format:
        """What an artifact's preprocessing takes."""
        return Format(preprocessing.channels, preprocessing.rate_hz, preprocessing.lsb)


@dataclass(frozen=True)
class Block:
    """Samples that follow each other without a gap.

    Attributes:
        counts: (n, channels) int16.
        time_s: of the first sample, in the source's own time.
        recording: which recording they belong to; a new one has nothing to do with those before.
        label: the machine's state as the recording has it; "" when nobody knows.
        follows: whether the first sample is the one right after the last of the block before.
        trouble: why there are no samples (then `counts` is empty): "fifo overrun", "bus: ..."; "" normally.
    """

    counts: Counts
    time_s: float
    recording: str = ""
    label: str = ""
    follows: bool = True
    trouble: str = ""


class Source(ABC):
    """A stream of counts; `check_source` (models/monitor/checks.py) says what every one keeps.

    Attributes:
        name: as the user named it.
        format: channels, rate and step of the counts.
    """

    def __init__(self, name: str, form: Format) -> None:
        self.name, self.format = name, form

    @abstractmethod
    def blocks(self) -> Generator[Block, None, None]:
        """The samples, block by block, once; of a live source without end: close it to be done with it."""


def check_fits(source: Source, wanted: Format, artifact: str) -> list[int]:
    """Places of the artifact's channels among the source's.

    Raises:
        SourceError: a channel that is missing, another rate, another step of the counts. Nothing is resampled or
            rescaled: a model knows the spectrum at its own rate.
    """
    form, where = source.format, f"{source.name}: does not fit {artifact}"
    for name in wanted.channels:
        if name not in form.channels:
            raise SourceError(f"{where}: no channel {name!r}; there are {', '.join(form.channels)}")
    if wanted.rate_hz is not None and not (
        form.rate_hz is not None and math.isclose(form.rate_hz, wanted.rate_hz, rel_tol=RATE_TOLERANCE)
    ):
        given = "has no stated rate" if form.rate_hz is None else f"is at {form.rate_hz:.6g} Hz"
        raise SourceError(
            f"{where}: it {given}, the model was trained at {wanted.rate_hz:g} Hz; nothing is resampled: give a source at"
            " that rate, or train at this one"
        )
    places = [form.channels.index(name) for name in wanted.channels]
    for name, lsb, place in zip(wanted.channels, wanted.lsb, places, strict=True):
        if not math.isclose(form.lsb[place], lsb, rel_tol=LSB_TOLERANCE):
            raise SourceError(
                f"{where}: one count of {name} is {form.lsb[place]:.6g} in its unit, the model was trained with"
                f" {lsb:.6g}: set the sensor to the range of the training data"
            )
    return places


def open_source(text: str, wanted: Format, seed: int = 0) -> Source:
    """The source that a text such as `file:pump.csv` names.

    Args:
        text: KIND:WHICH; see `KINDS`.
        wanted: what the model takes. Recordings in physical units become counts of its step, as they did in training; a
            sensor is set to its rate and range.
        seed: of simulated runs.

    Raises:
        SourceError: no such kind, or the source cannot be opened.
        DatasetError, ScenarioError: what it names cannot be read.
    """
    kind, _, rest = text.partition(":")
    if kind in ("file", "data", "dataset", "scenario") and not rest:
        raise SourceError(f"{text}: names nothing; allowed are {KINDS}")
    match kind:
        case "file":
            from models.monitor.recorded import file_source

            return file_source(Path(rest), wanted)
        case "data":
            from models.monitor.recorded import known_source

            return known_source(rest, wanted)
        case "dataset":
            from models.monitor.recorded import dataset_source

            return dataset_source(Path(rest), wanted)
        case "scenario":
            from models.monitor.simulated import scenario_source

            return scenario_source(rest, seed)
        case "stdin":
            from models.monitor.lines import stdin_source

            return stdin_source(rest, wanted)
        case "i2c":
            from models.monitor.lsm6dso import i2c_source

            return i2c_source(rest, wanted)
    raise SourceError(f"{text}: no such source; allowed are {KINDS}")
