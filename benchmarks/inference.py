"""Windows a second of every network, in Keras, on Linux, in TensorFlow Lite Micro and as C, against the baselines.

One thread each, windows of 1024 x 3; networks untrained (that costs no less), baselines fitted on 200 windows.
`python -m benchmarks.inference`
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.architectures import ARCHITECTURES, build
from models.export.c.generate import compiled
from models.export.c.library import Library
from models.export.convert import convert
from models.export.interpreters import Lite, Micro
from models.preprocessing import to_float
from models.training.baselines import BASELINES
from models.training.dataset import examples
from models.training.detector import Settings

WINDOWS = 512
_FIT = 200
_CLASSES = np.array(["normal", "imbalance", "misalignment", "bearing_wear"])


def _windows() -> NDArray[np.int8]:
    draws = np.random.default_rng(0)
    return np.clip(np.rint(13 * draws.standard_normal((WINDOWS, 1024, 3))), -127, 127).astype(np.int8)


def _rate(call: Callable[[], Any]) -> float:
    """Windows a second of the fastest of three runs, after one that warms up; processor time, so that others do not count."""
    call()
    seconds = []
    for _ in range(3):
        started = time.process_time()
        call()
        seconds.append(time.process_time() - started)
    return WINDOWS / min(seconds)


def run() -> dict[str, float | str]:
    """Windows a second by model and way of running it."""
    x = _windows()
    floats = to_float(x)
    figures: dict[str, float | str] = {}
    for name in ARCHITECTURES:
        model = build(name, 1024, 3, 4, seed=0)
        converted = convert(model, x[:100])
        micro, dynamic = Micro(converted.int8), Lite(converted.dynamic, reference=False)
        int8 = Lite(converted.int8)
        figures[f"{name}: Keras, batches of 256"] = _rate(lambda m=model: m.predict(floats, batch_size=256, verbose=0))
        figures[f"{name}: dynamic-range on Linux, one by one"] = _rate(lambda d=dynamic: d.run(floats))
        figures[f"{name}: int8 on Linux as the monitor has it"] = _rate(lambda i=int8: i.run(x))
        figures[f"{name}: int8 in TFLM, one by one"] = _rate(lambda m=micro: m.run(x))
        with tempfile.TemporaryDirectory() as folder:
            library = Library(compiled(converted.int8, ""), Path(folder))
            figures[f"{name}: int8 as C, one by one"] = _rate(lambda c=library: c.run(x))
    label = _CLASSES[np.arange(WINDOWS) % 4]
    groups = [f"{name} {number % 8}" for number, name in enumerate(label)]
    data = examples(0.01 * x.astype(np.float32), label, groups, channels=("x_g", "y_g", "z_g"), rate_hz=3332.0)
    data = replace(data, speed_rpm=np.full(WINDOWS, 1800.0))
    rows, every = np.arange(_FIT), np.arange(WINDOWS)
    for kind in BASELINES:
        with tempfile.TemporaryDirectory() as folder:
            baseline = kind()
            baseline.fit(data, rows, rows, Settings(target="label"), 0, Path(folder))
        figures[f"{kind.name}: features and all"] = _rate(lambda b=baseline: b.answer(data.take(every), every))
    return figures


def main() -> None:
    """Print the figures, each with its ratio to the slowest baseline."""
    figures = run()
    against = min(float(rate) for name, rate in figures.items() if "features" in name)
    print(f"{'':50s}  windows/s  times the slowest baseline")
    for name, rate in figures.items():
        print(f"{name:50s} {float(rate):10.0f} {float(rate) / against:10.1f}")


if __name__ == "__main__":
    main()
