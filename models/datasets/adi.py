"""ADI "Sample Motor Data Limerick": a machinery fault simulator with a MEMS sensor, all fault families on one rig."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.datasets.base import Reader
from models.datasets.checks import Expected
from models.datasets.origin import Origin, pinned
from models.datasets.packed import open_npz
from sim.dataset.real import RealRecording
from sim.errors import DatasetError

RANGE_G = 40.0
SPEEDS_RPM = (600, 1200, 1800, 2400, 3000)
RECORDINGS = 65


_CONDITIONS = {
    "GoB_GS_BaLo_WA": ("normal", "normal", "-"),
    "GoB_BS_BaLo_WA": ("bent_shaft", "bent_shaft", "-"),
    "GoB_GS_BaLo_MA": ("misalignment", "misalignment", "-"),
    "GoB_GS_VLIL_WA": ("imbalance", "imbalance", "very_light"),
    "GoB_GS_LImL_WA": ("imbalance", "imbalance", "light"),
    "GoB_GS_HImL_WA": ("imbalance", "imbalance", "heavy"),
    "GoB_GS_VHIL_WA": ("imbalance", "imbalance", "very_heavy"),
    "LBF_GS_BaLo_WA": ("bearing", "bearing_ball", "light"),
    "HBF_GS_BaLo_WA": ("bearing", "bearing_ball", "heavy"),
    "LIR_GS_BaLo_WA": ("bearing", "bearing_inner", "light"),
    "HIR_GS_BaLo_WA": ("bearing", "bearing_inner", "heavy"),
    "LOR_GS_BaLo_WA": ("bearing", "bearing_outer", "light"),
    "HOR_GS_BaLo_WA": ("bearing", "bearing_outer", "heavy"),
}
"""Condition in the name of a file (0600_HIR_GS_BaLo_WA_00lb) -> label, fault and severity in the packed file."""
_G_PER_VOLT = 50.0
_STEP_G = 2.0**-11


class Adi(Reader):
    """13 conditions at 5 speeds, 2 s each, x, y, z at 20 kHz, without load on the shaft."""

    name = "adi"
    title = "ADI motor data Limerick, MEMS on a machinery fault simulator"
    folder = "adi_limerick_mems"
    licence = "none in the data repository; ADI's model zoo states 'Dataset: Apache 2.0' (credit Analog Devices, Inc.)"
    citation = "Analog Devices, Inc., CbM-Datasets, Sample Motor Data Limerick, SpectraQuest rig, ADXL356C"
    units = "g from 50 * (V - V0), mean of each recording removed, rounded to 2^-11 g; ADXL356C, +-40 g, 20 kHz"
    traps = (
        "one recording a condition and speed: split by recording, never by window",
        "every condition is a new assembly of the rig, so levels differ for other reasons than the fault",
        "at 3000 rpm two heavy recordings (imbalance, inner race) exceed the sensor's range of 40 g",
        "misalignment raises neither 1x nor 2x here but the 1.5-6 kHz band; light outer-race faults are not visible",
    )
    origins = (
        Origin("analogdevicesinc/CbM-Datasets", "805b33c0a05a8571873ad550bf834a7caa684ce7", pinned("adi.sha256")),
    )
    files = {
        "adi_limerick_00lb.npz": "f5034f3e5b02c75ae88f42575fc5cabf0ac8d4afde6d6e311842442fa71e6d17",
    }
    expected = Expected(gravity="removed", range_g=RANGE_G)

    def _read(self, folder: Path) -> list[RealRecording]:
        path = folder / "adi_limerick_00lb.npz"
        d = open_npz(path)
        if d["x"].shape != (RECORDINGS, 40_000, 3) or float(d["fs"]) != 20_000.0:
            raise DatasetError(
                f"{path}: shape {d['x'].shape} at {float(d['fs']):g} Hz; expected 65 x 40000 x 3 at 20000 Hz"
            )
        recordings = []
        for i, name in enumerate(d["rec"].tolist()):
            label, kind, severity = (str(d[key][i]) for key in ("label", "fault", "severity"))
            over = int((np.abs(d["x"][i]) > 39.0).sum())
            recordings.append(
                RealRecording(
                    samples=d["x"][i],
                    channels=("accel_x_g", "accel_y_g", "accel_z_g"),
                    rate_hz=20_000.0,
                    id=name,
                    label="bearing_wear" if label == "bearing" else label,
                    fault_kind=kind,
                    severity="" if severity == "-" else severity,
                    speed_rpm=float(d["rpm"][i]),
                    load=0.0,
                    machine_id="adi-limerick",
                    sensor_id="adxl356c",
                    source=self.name,
                    notes=(f"{over} samples beyond 39 g, at the sensor's range of 40 g",) if over else (),
                )
            )
        return recordings

    def pack(self, origin: Path, out: Path) -> None:
        """Volts to g, means removed."""
        samples, rows = [], []
        for path in self.origins[0].files:
            name = Path(path).name.removesuffix(".Wfm.csv")
            samples.append(from_volts(origin / path))
            rows.append((name, *_CONDITIONS[name[5:19]], int(name[:4])))
        rec, label, fault, severity, rpm = map(np.array, zip(*rows, strict=True))
        np.savez_compressed(
            out / "adi_limerick_00lb.npz", x=np.stack(samples), rec=rec, label=label, fault=fault, severity=severity,
            rpm=rpm.astype(np.int32), fs=np.float32(20_000.0),
        )  # fmt: skip


def from_volts(path: Path) -> NDArray[np.float32]:
    """One file of the origin in g, (n, 3): 50 * (V - V0) by ADI's rule, mean removed, in steps of 2^-11 g.

    Rows are `time;x;y;z` in s and V; the first row goes on with V0 of the three axes.
    """
    with path.open() as file:
        zero_v = np.array(file.readline().split(";")[4:7], dtype=np.float64)
    g = _G_PER_VOLT * (np.loadtxt(path, delimiter=";", usecols=(1, 2, 3)) - zero_v)
    g -= g.mean(axis=0)
    steps: NDArray[np.float32] = (np.round(g / _STEP_G) * _STEP_G).astype(np.float32)
    return steps


READER = Adi()
