"""Recordings made for the tests: noise and shaft lines of a machine whose speed is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sim.dataset.real import RealRecording, RealSet, content_sha256
from sim.scenario.reader import Loaded, load
from sim.scenario.schema import Scenario

RATE_HZ = 5000.0
CHANNELS = ("accel_x_g", "accel_y_g", "accel_z_g")
RIG = load(Path(__file__).parents[3] / "scenarios" / "bearing_rig.yaml", Scenario)


def recording(
    speed_rpm: float, /, label: str = "normal", seed: int = 0, seconds: float = 4.0, **more: Any
) -> RealRecording:
    rng = np.random.default_rng([seed, int(speed_rpm)])
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    samples = 0.05 * (speed_rpm / 1800) ** 1.5 * rng.standard_normal((len(t), 3))
    for order, line in enumerate((0.02, 0.01, 0.01), 1):
        samples += line * (speed_rpm / 1800) ** 2 * np.cos(2 * np.pi * order * speed_rpm / 60 * t)[:, None]
    if label == "imbalance":
        samples[:, 0] += 0.5 * (speed_rpm / 1800) ** 2 * np.sin(2 * np.pi * speed_rpm / 60 * t)
    name = f"{label}-{speed_rpm:.0f}"
    made = RealRecording(samples.astype(np.float32), CHANNELS, RATE_HZ, name, label, label, speed_rpm=speed_rpm)
    return replace(made, **more)


def as_set(*recordings: RealRecording) -> RealSet:
    return RealSet("made", recordings, recordings, content_sha256(recordings))


def rig(windows_per_class: dict[str, int] | None, **plan: Any) -> Loaded[Scenario]:
    """The bearing rig with another dataset plan."""
    changes = {"window_length": 256, "windows_per_recording": 4, "windows_per_class": windows_per_class, **plan}
    dataset = RIG.model.dataset.model_copy(update=changes)
    return Loaded(RIG.model.model_copy(update={"dataset": dataset}), RIG.files)
