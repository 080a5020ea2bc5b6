"""Artifacts to monitor with, trained and exported once for all tests of the folder, and only those that are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from models.artifact import Artifact
from models.datasets.adi import Adi
from sim.dataset.real import cut

LSB_G = 0.488e-3  # LSM6DSO at +-16 g
CHANNELS = ("accel_x_g", "accel_y_g", "accel_z_g")
UNSEEN_RPM = 1800


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A small CNN for an LSM6DSO at 3332 Hz and +-16 g, which tells made windows apart."""
    pytest.importorskip("tensorflow", reason="no TensorFlow to train with: pip install simtwin[train]")
    from models.export.run import export_run
    from models.training.dataset import examples
    from models.training.detector import Settings
    from models.training.run import train
    from tests.models.export.made import windows

    x, truth = windows(240, seed=9)
    names = np.array(["normal", "imbalance", "misalignment", "bearing_wear"])[truth]
    groups = [f"{name} {number % 4}" for number, name in enumerate(names.tolist())]
    data = examples(LSB_G * x.astype(np.float64), names, groups, channels=CHANNELS, rate_hz=3332.0)
    out = tmp_path_factory.mktemp("made") / "run"
    train(data, "cnn", out, Settings(target="label", folds=2, epochs=6, hop=512))
    return export_run(out)[0]


@pytest.fixture(scope="session")
def adi_artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A small CNN trained on heavy faults of the ADI rig at four of its speeds; the fifth it has not seen."""
    if not Adi().there():
        pytest.skip("no data: `simtwin data fetch adi` or SIMTWIN_DATA")
    pytest.importorskip("tensorflow", reason="no TensorFlow to train with: pip install simtwin[train]")
    from models.export.run import export_run
    from models.training.dataset import examples
    from models.training.detector import Settings
    from models.training.run import train

    kinds = ("", "heavy", "very_heavy")
    recordings = [each for each in Adi().read() if each.speed_rpm != UNSEEN_RPM and each.severity in kinds]
    recordings = [each for each in recordings if each.label in ("normal", "imbalance", "bearing_wear")]
    windows = [cut(each.samples, 1024) for each in recordings]
    labels = ["normal" if each.normal else "anomaly" for each in recordings for _ in range(39)]
    groups = [each.id for each in recordings for _ in range(39)]
    data = examples(np.concatenate(windows), labels, groups, channels=CHANNELS, rate_hz=20_000.0, name="adi")
    out = tmp_path_factory.mktemp("adi") / "run"
    train(data, "cnn", out, Settings(folds=2, epochs=8))
    return export_run(out)[0]
