"""Seconds an epoch and windows a second of every model at the default window, one thread, against the random forest.

CPU seconds of this process, which a busy machine does not stretch. Networks are timed after their first epoch, in which
TensorFlow traces its graphs; an epoch includes the scores of the training and validation parts. A baseline's fit counts
as its epoch, and its windows a second include the spectral features.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from models.preprocessing import fit
from models.training.baselines import feature_matrix
from models.training.crossval import DETECTORS
from models.training.dataset import Examples, examples
from models.training.detector import Settings
from models.training.fit import Network

WINDOWS, LENGTH, CHANNELS = 2000, 1024, ("accel_x_g", "accel_y_g", "accel_z_g")
EPOCHS = 3


def _made() -> Examples:
    """Noise of two loudnesses, a speed with every window."""
    draws = np.random.default_rng(0)
    x = draws.normal(0, 0.1, (WINDOWS, LENGTH, len(CHANNELS)))
    faulty = np.arange(WINDOWS) % 2 == 1
    x[faulty] *= 1.5
    labels = np.where(faulty, "anomaly", "normal")
    groups = np.array([f"r{i // 8}" for i in range(WINDOWS)])
    data = examples(x, labels, groups, channels=CHANNELS, rate_hz=3332.0)
    data.speed_rpm[:] = draws.uniform(600, 3000, WINDOWS).round()
    return data


def _cpu_s(action: object) -> float:
    started = time.process_time()
    action()  # type: ignore[operator]
    return time.process_time() - started


def measure(name: str, data: Examples) -> tuple[float, float]:
    """Seconds an epoch, and windows a second that are judged."""
    rows = np.arange(len(data))
    train, validation = rows[: len(rows) * 4 // 5], rows[len(rows) * 4 // 5 :]
    detector, marks = DETECTORS[name](), []
    settings = Settings(epochs=EPOCHS, patience=EPOCHS)
    with tempfile.TemporaryDirectory() as folder:
        if not isinstance(detector, Network):  # scikit-learn is imported
            detector.fit(data, train, validation, settings, 0, Path(folder))
        whole = _cpu_s(
            lambda: detector.fit(
                data, train, validation, settings, 0, Path(folder), lambda *_: marks.append(time.process_time())
            )
        )
    epoch = (marks[-1] - marks[0]) / (EPOCHS - 1) if isinstance(detector, Network) else whole
    detector.answer(data, rows)

    def ask() -> None:
        feature_matrix.cache_clear()
        detector.answer(data, rows)

    return epoch, len(rows) / _cpu_s(ask)


def run() -> dict[str, float | str]:
    """Measure all models and the preprocessing alone."""
    data = _made()
    feature_matrix(data)
    figures: dict[str, float | str] = {}
    for name in DETECTORS:
        figures[f"{name}: s/epoch"], figures[f"{name}: windows/s"] = measure(name, data)
    reference = float(figures["random-forest: windows/s"])
    for name in DETECTORS:
        figures[f"{name}: windows/s over random-forest"] = float(figures[f"{name}: windows/s"]) / reference
    preprocessing = fit(data.counts, data.channels, data.rate_hz, lsb=data.lsb)
    preprocessing.apply(data.counts)
    figures["integer preprocessing: windows/s"] = len(data) / _cpu_s(lambda: preprocessing.apply(data.counts))
    return figures


def main() -> None:
    """Print the figures."""
    figures = run()
    print(f"{WINDOWS} windows of {LENGTH} x {len(CHANNELS)}, {WINDOWS * 4 // 5} of them to train on, CPU time")
    print(f"{'model':18s} {'s/epoch':>9s} {'windows/s':>11s} {'over random-forest':>20s}")
    for name in DETECTORS:
        epoch, rate = figures[f"{name}: s/epoch"], figures[f"{name}: windows/s"]
        ratio = figures[f"{name}: windows/s over random-forest"]
        print(f"{name:18s} {epoch:9.2f} {rate:11.0f} {ratio:20.2f}")
    print(f"integer preprocessing alone: {figures['integer preprocessing: windows/s']:.0f} windows/s")


if __name__ == "__main__":
    main()
