"""SKAB: process data of a water pump test bed, one row a second, anomalies marked second by second."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from models.datasets.base import Reader
from models.datasets.checks import Expected
from models.datasets.origin import Origin, pinned
from models.datasets.packed import open_parquet
from sim.dataset.real import RealRecording
from sim.errors import DatasetError

CHANNELS = (
    "Accelerometer1RMS", "Accelerometer2RMS", "Current", "Pressure", "Temperature", "Thermocouple", "Voltage", "RateRMS",
)  # fmt: skip
EXPERIMENTS = 27
GAP_S = 10.0
"""A longer pause between rows ends the recording; shorter ones (every 20th step is 2 s) belong to this set."""


_DESCRIPTIONS = {
    "anomaly-free": "normal", "valve1": "inlet valve closing", "valve2": "outlet valve closing",
}  # fmt: skip
_OTHER = {
    **dict.fromkeys(("other/1", "other/2", "other/3", "other/4"), "fluid leak/addition"),
    "other/5": "rotor imbalance: sharp",
    "other/7": "rotor imbalance: step",
    "other/8": "rotor imbalance: Dirac",
    "other/10": "water slow increase",
    "other/11": "water sudden increase",
    "other/13": "two-phase flow (cavitation)",
    "other/14": "hot water supply",
}


class Skab(Reader):
    """27 experiments: anomaly-free, valves closing, and others (rotor imbalance, leaks, cavitation, heat)."""

    name = "skab"
    title = "SKAB v0.9, water pump test bed"
    folder = "skab"
    licence = "GPL-3.0"
    citation = "Katser and Kozitsin 2020, Skoltech Anomaly Benchmark, doi 10.34740/KAGGLE/DSV/1693952"
    units = "process data at 1 Hz; Accelerometer1RMS and 2RMS in g are RMS figures, no waveforms"
    traps = (
        "no vibration waveforms: nothing for a model of vibration windows",
        "about every 20th step is 2 s instead of 1 s; at pauses over 10 s the experiment is cut into several recordings",
        "leaks, temperature and valve faults hardly show in the accelerometers' RMS; other/8 leaves no trace at all",
    )
    origins = (Origin("waico/SKAB", "b2c0d46c2971dcbfe71e26087b6d231998bb91c2", pinned("skab.sha256")),)
    files = {"skab.parquet": "72fbcfa48662e3ebd8c565e54abeaac3bdd9d5d36eec8234669511dd2f8c5c61"}
    expected = Expected(waveform=False, min_samples=1)

    def _read(self, folder: Path) -> list[RealRecording]:
        path = folder / "skab.parquet"
        recordings: list[RealRecording] = []
        experiments = open_parquet(path).groupby("experiment", sort=False)
        if len(experiments) != EXPERIMENTS:
            raise DatasetError(f"{path}: {len(experiments)} experiments, expected {EXPERIMENTS}")
        for name, rows in experiments:
            time_s = (rows["datetime"] - rows["datetime"].iloc[0]).dt.total_seconds().to_numpy(np.float64)
            values, anomaly = rows[list(CHANNELS)].to_numpy(np.float32), rows["anomaly"].to_numpy() > 0
            description = str(rows["description"].iloc[0])
            cuts = [0, *(np.flatnonzero(np.diff(time_s) > GAP_S) + 1).tolist(), len(time_s)]
            for number, (first, after) in enumerate(pairwise(cuts), start=1):
                anomalous = bool(anomaly[first:after].any())
                recordings.append(
                    RealRecording(
                        samples=values[first:after],
                        channels=CHANNELS,
                        rate_hz=1.0,
                        id=str(name) if number == 1 else f"{name}#{number}",
                        label="anomaly" if anomalous else "normal",
                        fault_kind=_kind(description) if anomalous else "normal",
                        severity=description if anomalous else "",
                        machine_id="skab-pump",
                        sensor_id="process",
                        group=str(name),
                        source=self.name,
                        start_s=float(time_s[first]),
                        anomaly=anomaly[first:after],
                        notes=(description, *(("cut at a pause in the rows",) if len(cuts) > 2 else ())),
                    )
                )
        return recordings

    def pack(self, origin: Path, out: Path) -> None:
        """All experiments in one table."""
        import pandas as pd

        tables = []
        for path in self.origins[0].files:
            table = pd.read_csv(origin / path, sep=";", parse_dates=["datetime"])
            table = table.rename(columns={"Volume Flow RateRMS": "RateRMS"})
            table = table.astype(dict.fromkeys(CHANNELS, np.float32))
            for mark in ("anomaly", "changepoint"):  # the anomaly-free experiment has none
                table[mark] = table[mark].astype(np.int8) if mark in table else np.int8(0)
            experiment = path.removeprefix("data/").removesuffix(".csv")
            table.insert(0, "experiment", experiment)
            table.insert(1, "description", _DESCRIPTIONS.get(experiment.split("/")[0]) or _OTHER[experiment])
            tables.append(table)
        pd.concat(tables).to_parquet(out / "skab.parquet", index=False)


def _kind(description: str) -> str:
    """The experiment's fault as an identifier: rotor imbalance is the twin's `imbalance`."""
    if description.startswith("rotor imbalance"):
        return "imbalance"
    return description.split("(")[0].strip().replace(" ", "_").replace("/", "_or_")


READER = Skab()
