"""What is read is what was written: counts, classes, groups; and what cannot be trained on is refused in one line."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.training.dataset import ANOMALY, check_classes, class_names, examples, read_dataset
from sim.dataset.manifest import sha256_of
from sim.errors import DatasetError
from tests.models.training.made import sines


def test_counts_times_steps_are_the_samples_of_the_accelerometer_where_the_sensor_is_sound(dataset: Path) -> None:
    data = read_dataset(dataset, "kind")
    table = pa.concat_tables([pq.read_table(path) for path in sorted(dataset.glob("*.parquet"))])
    sound = np.array(table["sensor_state"].to_pylist()) == "ok"
    x = np.array(table["samples"].to_pylist(), np.float32).reshape(len(sound), 256, 6)[sound][:, :, :3]
    assert data.channels == ("accel_x_g", "accel_y_g", "accel_z_g")
    assert data.lsb == (0.488e-3,) * 3
    np.testing.assert_allclose(data.physical(), x, rtol=1e-6, atol=1e-9)
    assert data.left_out == (~sound).sum() == 8
    assert data.label.tolist() == np.array(table["fault_kind"].to_pylist())[sound].tolist()
    assert data.group.tolist() == np.array(table["recording_id"].to_pylist())[sound].tolist()
    assert data.classes == ("normal", "bearing_outer", "imbalance")
    assert data.rate_hz == 1666.0
    assert (data.target[data.label == "imbalance"] == 2).all()
    assert data.sha256 == sha256_of(dataset / "manifest.json")
    assert set(data.bearing_orders) == {"bpfo", "bpfi", "bsf2", "ftf"}


def test_targets() -> None:
    label = np.array(["normal", "bearing_wear", "imbalance"])
    kind = np.array(["normal", "bearing_outer", "imbalance"])
    assert class_names(label, kind, "binary")[0].tolist() == ["normal", ANOMALY, ANOMALY]
    assert class_names(label, kind, "label")[1] == ("normal", "bearing_wear", "imbalance")
    assert class_names(label, kind, "kind")[1] == ("normal", "bearing_outer", "imbalance")


def altered(dataset: Path, to: Path, change: Any) -> Path:
    """A copy of the dataset with its first part's table changed, and the manifest told so."""
    shutil.copytree(dataset, to)
    manifest = json.loads((to / "manifest.json").read_text())
    part = to / manifest["parts"][0]["file"]
    pq.write_table(change(pq.read_table(part)), part)
    manifest["parts"][0]["sha256"] = sha256_of(part)
    (to / "manifest.json").write_text(json.dumps(manifest))
    return to


def test_nan_is_refused_with_its_place(dataset: Path, tmp_path: Path) -> None:
    def change(table: pa.Table) -> pa.Table:
        x = table["samples"].combine_chunks().flatten().to_numpy().copy()
        x[5] = np.nan
        samples = pa.FixedSizeListArray.from_arrays(pa.array(x, pa.float32()), 256 * 6)
        return table.set_column(table.column_names.index("samples"), table.schema.field("samples"), samples)

    with pytest.raises(DatasetError, match=r"part-000000.parquet: window 0 has a sample that is not a number"):
        read_dataset(altered(dataset, tmp_path / "nan", change), channels=("gyro_z_dps",))


def test_several_rates_and_sensor_faults_alone_are_refused(dataset: Path, tmp_path: Path) -> None:
    def column(table: pa.Table, name: str, values: Any) -> pa.Table:
        return table.set_column(table.column_names.index(name), name, pa.array(values))

    rates = altered(
        dataset, tmp_path / "rates", lambda t: column(t, "sampling_rate_hz", [833.0] * 9 + [1666.0] * (len(t) - 9))
    )
    with pytest.raises(DatasetError, match="several sampling rates"):
        read_dataset(rates)
    faults = altered(dataset, tmp_path / "faults", lambda t: column(t, "sensor_state", ["stuck"] * len(t)))
    with pytest.raises(DatasetError, match="every window has a sensor fault"):
        read_dataset(faults)


def test_altered_missing_and_strange_folders_are_refused(dataset: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(dataset, copy)
    part = next(copy.glob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    with pytest.raises(DatasetError, match="altered since it was written"):
        read_dataset(copy)
    part.unlink()
    with pytest.raises(DatasetError, match=r"part-\d+.parquet: cannot be read"):
        read_dataset(copy)
    with pytest.raises(DatasetError, match="no such folder"):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="no channel 'accel_w_g'; there are accel_x_g, "):
        read_dataset(dataset, channels=("accel_w_g",))


def test_one_class_no_normal_and_too_few_recordings_are_refused() -> None:
    data = sines(per_class=4)
    check_classes(data, 4)
    with pytest.raises(DatasetError, match=r"sines: only one class \(normal\)"):
        check_classes(data.take(data.normal), 2)
    with pytest.raises(DatasetError, match="no normal windows"):
        check_classes(data.take(~data.normal), 2)
    with pytest.raises(DatasetError, match=r"class normal has 4 recordings; 5 folds need .* 5 .* or ask for --folds 4"):
        check_classes(data, 5)
    few = data.take((data.label != "slow") | (data.group == "slow-0"))
    with pytest.raises(
        DatasetError, match=r"class slow has 1 recording; 2 folds need at least 3 of each class: add some$"
    ):
        check_classes(few, 2)


def test_arrays_of_any_table() -> None:
    x = np.random.default_rng(0).normal(1e4, 1.0, (6, 10, 4))
    data = examples(x, ["normal"] * 3 + ["bad"] * 3, list("abcdef"), name="table")
    assert data.channels == ("x0", "x1", "x2", "x3")
    assert data.classes == ("normal", "bad")
    np.testing.assert_allclose(data.physical(), x, atol=0.51 * max(data.lsb))
    same = examples(x, ["normal"] * 3 + ["bad"] * 3, list("abcdef"), name="table")
    assert same.sha256 == data.sha256 != examples(x, ["normal"] * 4 + ["bad"] * 2, list("abcdef")).sha256
    with pytest.raises(DatasetError, match=r"allowed is \(n, window, d\)"):
        examples(x, ["normal"] * 5, list("abcdef"))
    x[2, 3, 1] = np.nan
    with pytest.raises(DatasetError, match="table: window 2 has a sample that is not a number"):
        examples(x, ["normal"] * 6, list("abcdef"), name="table")
