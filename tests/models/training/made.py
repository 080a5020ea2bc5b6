"""Small datasets: simulated in a second, or made by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from models.training.dataset import Examples, examples
from sim.dataset.augment import augment
from sim.faults.checks import PLAIN_MACHINE
from sim.scenario.reader import load
from sim.scenario.schema import Scenario

SCENARIO: dict[str, Any] = {
    "name": "small",
    "machine": PLAIN_MACHINE,
    "operation": {"speed_rpm": {"uniform": [1200, 2400]}, "duration_s": 20},
    "faults": [
        {"kind": "imbalance", "unbalance_g_mm": {"loguniform": [20000, 60000]}},
        {"kind": "bearing_outer", "defect_width_mm": {"uniform": [2, 4]}},
    ],
    "sensors": [{"id": "imu0", "odr_hz": 1666, "range_g": 16, "faults": [{"kind": "stuck", "onset_s": 5}]}],
    "dataset": {
        "window_length": 256,
        "windows_per_recording": 4,
        "windows_per_class": {"normal": 64, "imbalance": 48, "bearing_outer": 48, "imu0.stuck": 8},
    },
}


def make(folder: Path, name: str, seed: int, **changes: Any) -> Path:
    """A dataset folder of the scenario with changes."""
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(SCENARIO | changes))
    augment([load(file, Scenario)], folder / name, seed)
    return folder / name


def sines(
    seed: int = 0, per_class: int = 12, windows: int = 4, classes: tuple[str, ...] = ("normal", "slow", "fast")
) -> Examples:
    """Noise, and noise with a slow or a fast line: recordings of each class, easy to tell apart."""
    draws = np.random.default_rng(seed)
    hz = {"normal": 0.0, "slow": 8.0, "fast": 30.0}
    x, label, group = [], [], []
    time_s = np.arange(64)[None, :, None] / 100.0
    for name in classes:
        for number in range(per_class):
            phase = draws.uniform(0, 6, (windows, 1, 1))
            x.append(
                0.3 * draws.standard_normal((windows, 64, 2)) + 1.0 * np.sin(2 * np.pi * hz[name] * time_s + phase)
            )
            label += [name] * windows
            group += [f"{name}-{number}"] * windows
    return examples(np.concatenate(x), label, group, rate_hz=100.0, name="sines")
