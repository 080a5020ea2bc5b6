"""Windows a second written to Parquet by `simtwin augment`, everything on.

Two readings of "everything on": each fault in turn on top of every other effect (the way datasets are made), and all nine
faults at once in every window. Beside them, in the same run, the plain signal model that is often used instead: sines
and decaying impulses in NumPy, three channels, no structure, no sensor, no file.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from sim.dataset.augment import augment
from sim.scenario.reader import Loaded, load
from sim.scenario.schema import Scenario

_HERE = Path(__file__).parent


def _planned(loaded: Loaded[Scenario], classes: dict[str, int]) -> Loaded[Scenario]:
    dataset = loaded.model.dataset.model_copy(update={"windows_per_class": classes})
    return Loaded(loaded.model.model_copy(update={"dataset": dataset}), loaded.files)


def _rate(loaded: Loaded[Scenario], workers: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        manifest = augment([loaded], Path(folder) / "dataset", seed=1, workers=workers)
        return float(manifest["rows"] / (time.perf_counter() - started))


def _plain_rate() -> float:
    """Windows a second on one core: 1024 x 3, three sines and a train of decaying impulses plus noise."""
    rng = np.random.default_rng(1)
    t = np.arange(1024) / 3332.0
    started = time.perf_counter()
    made = 0
    while time.perf_counter() - started < 3.0:
        speed_hz, phases = rng.uniform(10, 50), rng.uniform(0, 2 * np.pi, (3, 3))
        window = 0.02 * rng.standard_normal((1024, 3))
        for order in (1, 2, 3):
            window += rng.uniform(0, 0.2) * np.sin(2 * np.pi * order * speed_hz * t[:, None] + phases[order - 1])
        since = t % (1.0 / (3.58 * speed_hz))
        window += (0.3 * np.exp(-since * 800.0) * np.sin(2 * np.pi * 1200.0 * since))[:, None]
        made += 1
    return made / (time.perf_counter() - started)


def run(windows: int = 150_000, workers: int = 2) -> dict[str, float | str]:
    """Measure; the first, small run compiles the kernels and is not counted."""
    loaded = load(_HERE / "throughput.yaml", Scenario)
    faults = [fault.name for fault in loaded.model.faults]
    in_turn = {name: windows // (len(faults) + 1) for name in ["normal", *faults]}
    at_once = {"+".join([*faults, "imu0.spike"]): windows}  # as many: both start the same workers
    _rate(_planned(loaded, {"+".join(faults): 64}), 1)
    figures: dict[str, float | str] = {
        "each fault in turn, windows/s": _rate(_planned(loaded, in_turn), workers),
        "all faults at once, windows/s": _rate(_planned(loaded, at_once), workers),
        "plain signal model, windows/s a core": _plain_rate(),
    }
    figures["ratio in turn / (2 x plain)"] = float(figures["each fault in turn, windows/s"]) / (
        workers * float(figures["plain signal model, windows/s a core"])
    )
    return figures


def main() -> None:
    """Print the figures."""
    for name, value in run().items():
        print(f"{name:45s} {value:12.2f}" if isinstance(value, float) else f"{name:45s} {value}")


if __name__ == "__main__":
    main()
