"""Which windows are compared: classes, speeds, equally many; and where they lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.dataset.report.feature_space import FeatureSpace, features_of
from sim.dataset.report.samples import CARRIED, Dataset, Sample, levels_of, pair
from sim.errors import DatasetError
from tests.sim.dataset.report.conftest import LENGTH, NOISE_G, RATE_HZ, noise, windows, write


def test_windows_are_compared_at_the_same_speed_and_equally_many() -> None:
    real = np.repeat([600.0, 1800.0, 3000.0], [10, 20, 30])
    other = np.concatenate([np.full(40, 1700.0), np.full(40, 1990.0), np.full(5, 3100.0), np.full(9, 900.0)])
    first, second, level = pair(real, other, limit=300)
    assert np.bincount(level, minlength=3).tolist() == [0, 20, 5]
    assert set(real[first[level == 1]]) == {1800.0}
    assert set(other[second[level == 1]]) == {1700.0}  # 1990 is more than 10 % away
    assert set(other[second[level == 2]]) == {3100.0}
    assert len(np.unique(second)) == len(second)


def test_no_more_than_the_limit() -> None:
    real = np.repeat([600.0, 1800.0], 100)
    first, second, level = pair(real, real, limit=30)
    assert np.bincount(level).tolist() == [15, 15]
    assert first.min() < 10
    assert first.max() > 190  # spread over all windows, not the first ones
    assert len(first) == len(second)


def test_without_speeds_windows_are_taken_as_they_are() -> None:
    first, second, level = pair(np.full(9, np.nan), np.linspace(600, 3000, 50), limit=100)
    assert (len(first), len(second), set(level)) == (9, 9, {0})


def test_speeds_two_per_cent_apart_are_one() -> None:
    found = levels_of(np.array([1800.0, 1790.0, 1810.0, 1201.0, 1200.0, 1900.0]))
    assert found.tolist() == [1200.5, 1800.0, 1900.0]
    assert len(levels_of(np.array([1.0, np.nan]))) == 0


def bearing(tmp_path: Path, real_kind: str) -> Dataset:
    rng = np.random.default_rng(0)
    rows = [
        windows(rng, "normal", "real", 1800, "n", 8),
        windows(rng, "bearing_wear", "real", 1800, "b", 8, kind=real_kind),
        windows(rng, "bearing_wear", "hybrid", 1800, "n", 4, kind="bearing_outer", rise_db=9),
        windows(rng, "bearing_wear", "hybrid", 1800, "n", 4, kind="bearing_inner", rise_db=9),
        windows(rng, "bearing_wear", "hybrid", 1700, "b", 4, kind="bearing_outer"),
    ]
    return Dataset(write(tmp_path / "bearing", [rows]))


def test_classes_are_kinds_where_the_real_recordings_say_them(tmp_path: Path) -> None:
    dataset = bearing(tmp_path, "bearing_outer")
    assert dataset.classes == ["normal", "bearing_inner", "bearing_outer"]
    assert len(dataset.rows("bearing_outer", "real")) == 8


def test_classes_are_labels_where_they_do_not(tmp_path: Path) -> None:
    dataset = bearing(tmp_path, "bearing_wear")
    assert dataset.classes == ["normal", "bearing_wear"]
    assert len(dataset.rows("bearing_wear", "hybrid")) == 8


def test_carried_faults_are_no_simulated_ones(tmp_path: Path) -> None:
    dataset = bearing(tmp_path, "bearing_outer")
    assert dataset.origins() == [CARRIED, "hybrid"]
    assert len(dataset.rows("bearing_outer", "hybrid")) == 4
    assert dataset.speeds(dataset.rows("bearing_outer", CARRIED)).tolist() == [1700.0] * 4


def test_samples_are_those_of_their_rows(dataset: Path) -> None:
    found = Dataset(dataset)
    rows = found.rows("imbalance", "real")[[0, 20, 45]]
    sample = found.load({"a": (rows, np.zeros(3, dtype=np.intp))})["a"]
    assert sample.x.shape == (3, LENGTH, 3)
    assert sample.recording.tolist() == ["imbalance-1200-a", "imbalance-1800-a", "imbalance-2400-b"]
    line = np.abs(np.fft.rfft(sample.x[:, :, 0], axis=1))[:, 1:].argmax(axis=1) + 1
    assert line * RATE_HZ / LENGTH * 60 == pytest.approx(sample.speed_rpm, abs=0.6 * 60 * RATE_HZ / LENGTH)


def test_a_damaged_part_is_said(dataset: Path) -> None:
    (dataset / "part-000001.parquet").write_bytes(b"PAR1")
    with pytest.raises(DatasetError, match=r"part-000001\.parquet: cannot be read"):
        Dataset(dataset)


def sample(rpm: float) -> Sample:
    return Sample(NOISE_G * noise((30, 512, 2)), np.full(30, rpm), np.full(30, "r"), np.zeros(30, dtype=np.intp))


def test_features_know_the_speed_or_do_without() -> None:
    turning = features_of({("a",): sample(1800.0)}, RATE_HZ, {"1x": 1.0, "BPFO DE": 3.05})[("a",)]
    # 6 lines, 7 bands, RMS, kurtosis, crest factor and one bearing order, for two channels.
    assert turning.shape == (30, 34)
    both = features_of({("a",): sample(1800.0), ("b",): sample(np.nan)}, RATE_HZ, {})
    assert both[("a",)].shape == both[("b",)].shape == (30, 20)
    level = both[("b",)].reshape(30, 10, 2)[:, 7]
    assert np.mean(level) == pytest.approx(np.log10(NOISE_G), abs=0.01)


def test_the_space_is_that_of_a_principal_component_analysis() -> None:
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(0)
    real = rng.standard_normal((60, 6)) @ rng.standard_normal((6, 6)) * [1, 1, 1, 1, 100, 0]
    space = FeatureSpace.of(real)
    standard = (real - real.mean(axis=0)) / np.where(real.std(axis=0) > 0, real.std(axis=0), 1.0)
    other = PCA().fit(standard)
    count = len(space.explained)
    assert space.explained == pytest.approx(other.explained_variance_ratio_[:count])
    assert space.explained.sum() >= 0.95 > space.explained[:-1].sum()
    assert np.abs(space.projected(real)) == pytest.approx(np.abs(other.transform(standard)[:, :count]))
