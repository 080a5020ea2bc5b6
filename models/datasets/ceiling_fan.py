"""Ceiling fan with an ESP32 and a MEMS sensor: snippets of one second, gravity kept."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from models.datasets.base import Reader
from models.datasets.checks import Expected
from models.datasets.origin import Origin, pinned
from models.datasets.packed import open_npz
from sim.dataset.real import RealRecording
from sim.errors import DatasetError

_STATES = {
    "off": ("off", "normal", ""),
    "normal": ("normal", "normal", ""),
    "weight": ("imbalance", "imbalance", "coin"),
}
"""Label of the source -> label, kind of fault, severity."""

_TRAP = "the coin does not raise the level; normal and weight differ mostly by session and mounting"


class CeilingFan(Reader):
    """Five sessions: off, and low and medium speed with and without a coin on a blade."""

    name = "ceiling_fan"
    title = "Ceiling fan, ESP32 + MSA301"
    folder = "ceiling_fan_msa301"
    licence = "Beerware for the repository's code; nothing separate for the data"
    citation = "S. Hymel, tinyml-example-anomaly-detection"
    units = "g with gravity; MSA301, 200 samples at nominal 200 Hz (timed by millis(), no time stamps)"
    traps = (
        f"{_TRAP}: no ground truth for imbalance; use it for background and noise floor",
        "one session a state, so the group is the session: no split by group can have all states on both sides",
        "no anti-alias filter: the strongest line, 80 Hz, is the motor's 120 Hz folded",
        "`off` is a machine at rest, neither normal running nor a fault",
    )
    origins = (
        Origin(
            "ShawnHymel/tinyml-example-anomaly-detection", "453006106a3c4708d8319a075997b1022aae4ec9",
            pinned("ceiling_fan.sha256"), archive=True,
        ),
    )  # fmt: skip
    files = {
        "ceiling_fan.npz": "9ec048180a6ec5b637d163bbe5a5370642d726edd09cceb831377f95bf24e5c7",
        "ceiling_fan_meta.csv": "2ed9b3070b6022bdd7e8ffbfd01ee37298b2de32feb8f35218f87c4695ac2698",
    }
    expected = Expected(gravity="included")

    def _read(self, folder: Path) -> list[RealRecording]:
        d = open_npz(folder / "ceiling_fan.npz")
        with (folder / "ceiling_fan_meta.csv").open(newline="") as file:
            names = [row["rec"] for row in csv.DictReader(file)]
        if d["x"].shape != (len(names), 200, 3) or float(d["fs"]) != 200.0:
            raise DatasetError(
                f"{folder / 'ceiling_fan.npz'}: shape {d['x'].shape} at {float(d['fs']):g} Hz; expected {len(names)} x 200 x 3"
                " at 200 Hz"
            )
        recordings = []
        for i, name in enumerate(names):
            label, kind, severity = _STATES[str(d["label"][i])]
            recordings.append(
                RealRecording(
                    samples=d["x"][i],
                    channels=("accel_x_g", "accel_y_g", "accel_z_g"),
                    rate_hz=200.0,
                    id=name,
                    label=label,
                    fault_kind=kind,
                    severity=severity,
                    speed_rpm=0.0 if label == "off" else float("nan"),
                    machine_id="ceiling-fan",
                    sensor_id="msa301",
                    group=str(d["session"][i]),
                    source=self.name,
                    notes=(_TRAP,) if label == "imbalance" else (),
                )
            )
        return recordings

    def pack(self, origin: Path, out: Path) -> None:
        """All snippets of the five sessions."""
        paths = [path for folder in self.origins[0].files for path in sorted((origin / folder).iterdir())]
        samples = np.stack([np.loadtxt(path, delimiter=",", dtype=np.float64) for path in paths]).astype(np.float32)
        sessions = [path.parent.name for path in paths]
        speeds = [session.split("_")[2] for session in sessions]
        states = ["off" if "_off_" in s else "weight" if s.endswith("_1_weight") else "normal" for s in sessions]
        np.savez_compressed(
            out / "ceiling_fan.npz", x=samples, session=np.array(sessions), speed=np.array(speeds),
            label=np.array(states), fs=np.float32(200.0),
        )  # fmt: skip
        with (out / "ceiling_fan_meta.csv").open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["rec", "session", "speed", "weight", "label", "fs_hz_nominal"])
            for path, session, speed, state in zip(paths, sessions, speeds, states, strict=True):
                writer.writerow([f"{session}/{path.stem}", session, speed, session.split("_")[3], state, 200])


READER = CeilingFan()
