"""CWRU bearing data: seeded faults in the drive-end bearing of a 2 hp motor, 12 kHz, 0 and 1 hp."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from models.datasets.base import Reader
from models.datasets.checks import Expected
from models.datasets.origin import Origin, pinned
from models.datasets.packed import open_npz
from sim.dataset.real import RealRecording
from sim.errors import DatasetError

ORDERS = {"bearing_outer": 3.5848, "bearing_inner": 5.4152, "bearing_ball": 4.7135}
"""Passing frequency over shaft frequency of the drive-end bearing (SKF 6205-2RS JEM), as Case Western publishes them."""

_KINDS = {"IR": "bearing_inner", "OR": "bearing_outer", "B": "bearing_ball"}
_NAME = re.compile(r"(DE|FE)_([A-Z]+)([0-9]{3})_([0-3])hp")


class Cwru(Reader):
    """18 faulty recordings of 5 s and 3 s of normal, accelerometers at drive end and fan end."""

    name = "cwru"
    title = "CWRU bearing data, drive-end faults, 12 kHz"
    folder = "cwru_12k"
    licence = "CC BY 4.0 says the copy at FZI; Case Western itself states none"
    citation = "Case Western Reserve University Bearing Data Center, seeded fault test data"
    units = "taken as g, nowhere stated; piezo accelerometers at drive end and fan end, 12 kHz"
    traps = (
        "one bearing carries each fault: its two loads share a group, so split by group",
        "the normal recording is at 48 kHz in the originals, although most copies call it 12 kHz: decimated by 4 here",
        "only 3 s of normal, at 0 hp: there is nothing to hold out but another stretch of the same recording",
        "ball faults and 0.014 in outer race hardly show in the envelope",
    )
    origins = (
        Origin(
            "nitzsche-fzi/machinery-fault-detection", "77a6c1faf9c0bc4c9b3877800d488e3792f6eae0", pinned("cwru.sha256")
        ),
    )
    files = {"cwru_public.npz": "6a4c972321c34e807753772690ced68096bc0796734401c4b98cca1a7eaff10f"}
    expected = Expected(gravity="removed")

    def _read(self, folder: Path) -> list[RealRecording]:
        path = folder / "cwru_public.npz"
        d = open_npz(path)
        if d["x"].shape != (19, 60_000, 2) or float(d["fs"]) != 12_000.0:
            raise DatasetError(
                f"{path}: shape {d['x'].shape} at {float(d['fs']):g} Hz; expected 19 x 60000 x 2 at 12000 Hz"
            )
        recordings = []
        for i, name in enumerate(d["rec"].tolist()):
            kind, valid, part = str(d["fault"][i]), int(d["n_valid"][i]), _NAME.fullmatch(name)
            if part is None and kind != "normal":
                raise DatasetError(f"{path}: recording {name} has no fault size in its name")
            inch = int(part[3]) / 1000.0 if part else 0.0
            recordings.append(
                RealRecording(
                    samples=d["x"][i, :valid],
                    channels=("drive_end.accel_y_g", "non_drive_end.accel_y_g"),  # on top of the housings (12 o'clock)
                    rate_hz=12_000.0,
                    id=name,
                    label="bearing_wear" if part else "normal",
                    fault_kind=kind,
                    severity=f"{inch:.3f} in" if part else "",
                    speed_rpm=float(d["rpm"][i]),
                    load=float(part[4]) if part else 0.0,
                    machine_id="cwru-2hp",
                    sensor_id="housing",
                    group=f"{part[1]}_{part[2]}{part[3]}" if part else name,
                    source=self.name,
                    notes=("decimated by 4 from 48 kHz",) if not part else (),
                )
            )
        return recordings

    def pack(self, origin: Path, out: Path) -> None:
        """The first 5 s of each, normal's first 3 s decimated from 48 kHz."""
        from scipy.io import loadmat
        from scipy.signal import decimate

        samples = np.zeros((len(self.origins[0].files), 60_000, 2), dtype=np.float32)
        rows = []
        for i, path in enumerate(self.origins[0].files):
            content = loadmat(origin / path)
            ends = [next(v for key, v in content.items() if key.endswith(f"_{end}_time"))[:, 0] for end in ("DE", "FE")]
            rpm = float(next(v for key, v in content.items() if key.endswith("RPM"))[0, 0])
            name = Path(path).stem
            if name.startswith("Normal"):
                ends = [decimate(end[:150_000], 4, ftype="fir") for end in ends]
                rows.append(("normal_0hp_a", "normal", "-", 36_000, rpm))
            else:
                fault, load = name.split("_")
                rows.append((f"DE_{fault}_{load}hp", _KINDS[fault[:-3]], "DE", 60_000, rpm))
            valid = rows[-1][3]
            samples[i, :valid] = np.stack([end[:valid] for end in ends], axis=1)
        rec, fault_kind, bearing, n_valid, rpm_all = map(np.array, zip(*rows, strict=True))
        np.savez_compressed(
            out / "cwru_public.npz", x=samples, rec=rec, fault=fault_kind, bearing=bearing, n_valid=n_valid.astype(np.int32),
            rpm=rpm_all.astype(np.float32), fs=np.float32(12_000.0),
        )  # fmt: skip


READER = Cwru()
