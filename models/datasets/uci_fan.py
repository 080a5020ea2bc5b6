"""UCI "Accelerometer" (dataset 846): a cooler fan with weights on its blades, a MEMS sensor at 50 Hz."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.datasets.base import Reader
from models.datasets.checks import Expected, time_faults
from models.datasets.origin import Origin, pinned
from models.datasets.packed import open_parquet
from sim.dataset.real import RealRecording
from sim.errors import DatasetError

FULL_SPEED_RPM = 1900.0
RATE_HZ = 50.0
SPEEDS_PERCENT = (20, 25, 35, 40, 50, 55, 65, 70, 80, 85, 95, 100)
_STATES = {3: ("normal", ""), 2: ("imbalance", "light"), 1: ("imbalance", "heavy")}
"""Configuration of the weights -> label and severity: 3 has them on opposite blades, 2 at 90 degrees, 1 side by side."""


class UciFan(Reader):
    """Three arrangements of the weights at 12 speeds, one minute each."""

    name = "uci_fan"
    title = "UCI Accelerometer (846), cooler fan with weights on the blades"
    folder = "uci_fan_mma8452q"
    licence = "CC BY 4.0 at UCI (from memory); no licence file in the repository it was taken from"
    citation = "Scalabrini Sampaio et al. 2019, doi 10.3390/s19194342"
    units = "g with gravity, x down; MMA8452Q, +-8 g, 50 Hz"
    traps = (
        "50 Hz is below twice the shaft frequency (31.7 Hz at full speed): lines are folded, use amplitudes",
        "configuration 3 is the balanced one; SmartManuAD 76 labels the same data the other way round",
        "at 40 % speed and below the three configurations barely differ",
        "configurations 1 and 2 reach the range of 8 g at high speed",
        "speeds are the fan's setting as per cent of 1900 rpm, not measured",
    )
    origins = (
        Origin(
            "OmarNezar226/Accelerometer-Fan-Model", "426a6f5f8fedfcddf5213a841162acf5578e4564", pinned("uci_fan.sha256")
        ),
    )
    files = {"uci_fan.parquet": "8c5a4698210703dd6fb0138f30278fcbd601ed4b0535b082ca783f2048ea8bbf"}
    expected = Expected(gravity="included", range_g=8.0)

    def _read(self, folder: Path) -> list[RealRecording]:
        path = folder / "uci_fan.parquet"
        recordings = []
        for (config, percent), rows in open_parquet(path).groupby(["wconfid", "pctid"], sort=True):
            label, severity = _STATES[int(config)]
            name = f"config{config}_{percent}pct"
            if faults := time_faults(rows["t_s"].to_numpy(np.float64), RATE_HZ):
                raise DatasetError(f"{path}: recording {name}: {faults[0]}")
            recordings.append(
                RealRecording(
                    samples=rows[["x", "y", "z"]].to_numpy(np.float32),
                    channels=("accel_x_g", "accel_y_g", "accel_z_g"),
                    rate_hz=RATE_HZ,
                    id=name,
                    label=label,
                    fault_kind=label,
                    severity=severity,
                    speed_rpm=FULL_SPEED_RPM * int(percent) / 100.0,
                    machine_id="akasa-ak-fn059",
                    sensor_id="mma8452q",
                    source=self.name,
                    notes=("1x is folded at 50 Hz",),
                )
            )
        if len(recordings) != len(_STATES) * len(SPEEDS_PERCENT):
            raise DatasetError(f"{path}: {len(recordings)} recordings, expected {len(_STATES) * len(SPEEDS_PERCENT)}")
        return recordings

    def pack(self, origin: Path, out: Path) -> None:
        """The rows of `SPEEDS_PERCENT`, with times counted from the rows."""
        import pandas as pd

        table = pd.read_csv(origin / "accelerometer.csv")
        table.columns = pd.Index(["wconfid", "pctid", "x", "y", "z"])
        table = table[table["pctid"].isin(SPEEDS_PERCENT)]
        types = {"wconfid": np.int8, "pctid": np.int8, "x": np.float32, "y": np.float32, "z": np.float32}
        number = table.groupby(["wconfid", "pctid"]).cumcount()
        table = table.astype(types).assign(t_s=(number / RATE_HZ).astype(np.float32))
        table.to_parquet(out / "uci_fan.parquet", index=False)


READER = UciFan()
