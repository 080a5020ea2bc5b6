"""How far LiteRT on Linux agrees with TensorFlow Lite Micro on the chip, network by network.

`python -m tests.models.monitor.agreement [NAME ...]` prints the table of docs/monitor.md.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.architectures import ARCHITECTURES
from models.artifact import (
    C_HEADER,
    C_SOURCE,
    CARD,
    DYNAMIC,
    INT8,
    KERAS,
    METRICS,
    PREPROCESSING,
    Artifact,
    write_artifact,
)
from models.export.interpreters import Micro
from models.export.run import int8_level
from models.monitor.judge import Judge, Verdict
from models.preprocessing import Preprocessing
from tests.models.export.made import CHANNELS, LENGTH, MIXED, RATE_HZ, made, windows

CLASSES = ("normal", "low_line", "high_line", "shocks")
THRESHOLD = 0.5 - 0.5 / 256  # between two steps of the output, as training chooses it


@dataclass(frozen=True)
class Agreement:
    """One network on 1,000 windows, many of them hard to tell.

    Attributes:
        int8, micro: outputs of LiteRT's reference kernels and of TFLM.
        default: outputs of LiteRT's own choice of kernels.
        verdicts, dynamic: of the judge, with the int8 and with the dynamic-range model.
        expected: verdicts by TFLM's outputs: (class, level in the firmware's integers).
        threshold: in the firmware's integers.
        ms: a window in the judge with the int8 model, with LiteRT's own choice of kernels, with the dynamic-range model.
    """

    int8: NDArray[np.int8]
    default: NDArray[np.int8]
    micro: NDArray[np.int8]
    verdicts: list[Verdict]
    dynamic: list[Verdict]
    expected: list[tuple[int, int]]
    threshold: int
    ms: tuple[float, float, float]


def artifact_of(name: str, folder: Path) -> Artifact:
    """An artifact of a made network; its preprocessing hands small counts on as they are: (2 d + 1) >> 1 is d."""
    plain = Preprocessing(
        channels=tuple(f"accel_{axis}_g" for axis in "xyz"), lsb=(0.488e-3,) * CHANNELS, rate_hz=RATE_HZ, window=LENGTH,
        hop=LENGTH, length=LENGTH, detrend=False, offset=(0,) * CHANNELS, scaling="linear", knee=(0,) * CHANNELS,
        gain=(2,) * CHANNELS, shift=(1,) * CHANNELS,
    )  # fmt: skip
    converted = made(name).exported.converted
    threshold = _reconstruction_threshold() if name == "autoencoder" else THRESHOLD
    files = {
        KERAS: b"-", INT8: converted.int8, DYNAMIC: converted.dynamic, METRICS: b"{}", CARD: b"-",
        C_SOURCE: b"-", C_HEADER: b"-", PREPROCESSING: plain.model_dump_json().encode(),
    }  # fmt: skip
    level = int8_level(name, threshold, LENGTH, CHANNELS)
    classes = ["normal", "anomaly"] if name == "autoencoder" else list(CLASSES)
    facts = {"architecture": name, "classes": classes, "threshold": threshold, "threshold_int8": level}
    return write_artifact(folder, files, facts)


def _reconstruction_threshold() -> float:
    """A level in the midst of the windows', so that verdicts are of both kinds."""
    x, _ = windows(200, seed=3, level=MIXED)
    y = Micro(made("autoencoder").exported.converted.int8).run(x)
    return float(np.median(((x.astype(int) - y) ** 2).mean(axis=(1, 2))) / 32**2)


def by_the_rule(artifact: Artifact, inputs: NDArray[np.int8], output: NDArray[np.int8]) -> tuple[int, int]:
    """Class and level of one window as docs/export.md has it for the firmware."""
    if artifact.architecture == "autoencoder":
        level = int(((inputs.astype(int) - output) ** 2).sum())
        return int(level > artifact.threshold_int8), level
    q = [int(each) + 128 for each in output]
    level = sum(q[1:])
    return (1 + q[1:].index(max(q[1:])) if level > artifact.threshold_int8 else 0), level


def agreement(name: str, count: int = 1000) -> Agreement:
    """Run the windows through all of them."""
    from ai_edge_litert.interpreter import Interpreter

    x, _ = windows(count, seed=1, level=MIXED)
    micro = Micro(made(name).exported.converted.int8).run(x)
    with TemporaryDirectory() as folder:
        artifact = artifact_of(name, Path(folder) / "artifact")
        int8, dynamic = Judge(artifact), Judge(artifact, dynamic=True)
        verdicts, int8_ms = _timed(int8, x.astype(np.int16))
        floats, dynamic_ms = _timed(dynamic, x.astype(np.int16))
        default = Judge(artifact)
        default._interpreter = Interpreter(model_content=artifact.read(INT8), num_threads=1)
        default._interpreter.allocate_tensors()
        _, default_ms = _timed(default, x.astype(np.int16))
        return Agreement(
            np.stack([int8.run(window[None]) for window in x]),
            np.stack([default.run(window[None]) for window in x]),
            micro,
            verdicts,
            floats,
            [by_the_rule(artifact, window, output) for window, output in zip(x, micro, strict=True)],
            artifact.threshold_int8,
            (int8_ms, default_ms, dynamic_ms),
        )


def _timed(judge: Any, x: NDArray[np.int16]) -> tuple[list[Verdict], float]:
    started = time.perf_counter()
    found = [judge(window) for window in x]
    return found, 1e3 * (time.perf_counter() - started) / len(x)


def differing(one: NDArray[np.int8], other: NDArray[np.int8]) -> int:
    """Windows in which any byte of the output differs."""
    return int((one != other).reshape(len(one), -1).any(axis=1).sum())


def changed(verdicts: list[Verdict], expected: list[tuple[int, int]]) -> int:
    """Verdicts that differ."""
    return sum(verdict.number != number for verdict, (number, _) in zip(verdicts, expected, strict=True))


if __name__ == "__main__":
    print(
        "| network | int8, reference kernels | verdicts | int8, LiteRT's choice | dynamic-range: verdicts | ms a window |"
    )
    print("|---|---|---|---|---|---|")
    for each in sys.argv[1:] or ARCHITECTURES:
        a = agreement(each)
        times = ", ".join(f"{ms:.2f}" for ms in a.ms)
        print(
            f"| {each} | {differing(a.int8, a.micro)} | {changed(a.verdicts, a.expected)} |"
            f" {differing(a.default, a.micro)} | {changed(a.dynamic, a.expected)} | {times} |"
        )
