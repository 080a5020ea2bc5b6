"""A dataset is whole or not there, is the same whoever makes it, and says what is in it."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from sim.dataset import parts, workers, workshop
from sim.dataset.augment import augment, plan_parts
from sim.dataset.manifest import sha256_of
from sim.dataset.table import COLUMNS
from sim.errors import DatasetError, ScenarioError


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_ROWS", 16)


def table(folder: Path) -> pd.DataFrame:
    return pd.concat([pq.read_table(p).to_pandas() for p in sorted(folder.glob("*.parquet"))], ignore_index=True)


def contents(folder: Path) -> dict[str, str]:
    return {p.name: sha256_of(p) for p in sorted(folder.iterdir())}


MAKE_PART = workers.make_part


def interrupt_at(monkeypatch: pytest.MonkeyPatch, part_number: int) -> None:
    """Ctrl-C comes when this part is begun."""

    def stops(make: Any, part: Any, folder: Path) -> Any:
        if part.number == part_number:
            raise KeyboardInterrupt
        return MAKE_PART(make, part, folder)

    monkeypatch.setattr(workers, "make_part", stops)


def descendants(pid: int) -> list[int]:
    children = [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [d for child in children for d in descendants(child)]


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_same_bytes_whatever_the_number_of_workers(loaded: Any, tmp_path: Path) -> None:
    augment([loaded()], tmp_path / "one", seed=3, workers=1)
    augment([loaded()], tmp_path / "two", seed=3, workers=2)
    augment([loaded()], tmp_path / "other", seed=4, workers=1)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert contents(tmp_path / "one").keys() == contents(tmp_path / "other").keys()
    assert not set(contents(tmp_path / "one").values()) & set(contents(tmp_path / "other").values())


def test_rows_say_what_they_are(loaded: Any, tmp_path: Path) -> None:
    manifest = augment([loaded()], tmp_path / "out", seed=1)
    rows = table(tmp_path / "out")
    assert list(rows.columns) == list(COLUMNS)
    assert len(rows) == manifest["rows"] == 64
    counts = rows.groupby(["label", "fault_kind", "sensor_state"], observed=True).size().to_dict()
    assert counts == {
        ("normal", "normal", "ok"): 24,
        ("imbalance", "imbalance", "ok"): 12,
        ("bearing_wear", "bearing_outer", "ok"): 12,
        ("bearing_wear+imbalance", "bearing_outer+imbalance", "ok"): 8,
        ("normal", "normal", "stuck"): 8,
    }
    assert {tuple(c.values()) for c in manifest["counts"]} == {(*k, "synthetic", n) for k, n in counts.items()}
    assert (rows[rows.label == "normal"].severity == 0).all()
    assert (rows[rows.label != "normal"].severity > 0).all()
    assert rows.speed_rpm.between(880, 2420).all()
    assert (rows.provenance == "synthetic").all()
    assert (rows.group == rows.recording_id).all()
    assert rows.rise_db.isna().all()
    samples = np.stack(rows.samples.tolist()).reshape(64, 128, 6)
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()
    # Gravity is on y: 1 g within the specimen's offset and scale error.
    assert np.allclose(samples[rows.sensor_state == "ok", :, 1].mean(axis=1), 1.0, atol=0.3)
    stuck = samples[rows.sensor_state == "stuck"]
    assert (stuck == stuck[:, :1]).all()
    # All windows of a recording share its draw; recordings do not.
    severities = rows[rows.label == "imbalance"].groupby("recording_id", observed=True).severity.nunique()
    assert (severities == 1).all()
    assert rows[rows.label == "imbalance"].severity.nunique() == 3


def test_manifest_lists_all_that_was_read_and_written(loaded: Any, tmp_path: Path) -> None:
    scenario = loaded()
    augment([scenario], tmp_path / "out", seed=1)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    on_disk = contents(tmp_path / "out")
    assert {p["file"]: p["sha256"] for p in manifest["parts"]} | {"manifest.json": on_disk["manifest.json"]} == on_disk
    (read,) = manifest["scenarios"][0]["files"]
    assert read == {"file": "small.yaml", "sha256": sha256_of(tmp_path / "small.yaml")}
    assert manifest["versions"]["numpy"] == np.__version__


def test_an_interrupted_run_goes_on_where_it_was(loaded: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    augment([loaded()], tmp_path / "whole", seed=1)
    made: list[int] = []
    original = workers.make_part

    def interrupted(make: Any, part: Any, folder: Path) -> Any:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(part.number)
        return original(make, part, folder)

    monkeypatch.setattr(workers, "make_part", interrupted)
    with pytest.raises(KeyboardInterrupt):
        augment([loaded()], tmp_path / "out", seed=1)
    assert not (tmp_path / "out").exists()
    assert made == [0, 1]
    made.clear()
    made.extend([-1] * 100)
    monkeypatch.setattr(workers, "make_part", lambda m, p, f: (made.append(p.number), original(m, p, f))[1])
    seen: list[tuple[int, int]] = []
    augment([loaded()], tmp_path / "out", seed=1, progress=lambda done, total: seen.append((done, total)))
    assert made[100:] == [2, 3]
    assert seen[0] == (32, 64)
    assert seen[-1] == (64, 64)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert not (tmp_path / "out.partial").exists()


def test_killed_half_way_leaves_no_dataset_and_can_be_finished(write: Any, tmp_path: Path) -> None:
    many = {"normal": 3000, "imbalance": 3000}
    plan = {"window_length": 128, "windows_per_recording": 4, "windows_per_class": many}
    path, out = write(dataset=plan), tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "sim.cli",
        "augment",
        str(path),
        "--out",
        str(out),
        "--seed",
        "1",
        "--workers",
        "2",
    ]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    partial = tmp_path / "out.partial"
    deadline = time.monotonic() + 120
    while not list(partial.glob("part-*.json")):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    workers = descendants(process.pid)
    assert len(workers) >= 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()
    deadline = time.monotonic() + 30
    while any(alive(pid) for pid in workers):
        assert time.monotonic() < deadline, "workers outlive the run that was killed"
        time.sleep(0.05)
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    rest = subprocess.run(
        [sys.executable, "-m", "sim.cli", "inspect", str(out), "--verify"], check=True, capture_output=True, text=True
    )
    assert "6000 windows" in rest.stdout
    assert not partial.exists()


def test_a_damaged_part_is_made_again(loaded: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    augment([loaded()], tmp_path / "whole", seed=1)
    interrupt_at(monkeypatch, part_number=2)
    with pytest.raises(KeyboardInterrupt):
        augment([loaded()], tmp_path / "out", seed=1)
    damaged = tmp_path / "out.partial" / "part-000001.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-1000])
    monkeypatch.setattr(workers, "make_part", MAKE_PART)
    augment([loaded()], tmp_path / "out", seed=1)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_refuses_to_overwrite(loaded: Any, tmp_path: Path) -> None:
    augment([loaded()], tmp_path / "out", seed=1)
    before = contents(tmp_path / "out")
    with pytest.raises(DatasetError, match="exists already and is not overwritten"):
        augment([loaded()], tmp_path / "out", seed=2)
    assert contents(tmp_path / "out") == before


def test_refuses_to_mix_two_runs(loaded: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_at(monkeypatch, part_number=1)
    with pytest.raises(KeyboardInterrupt):
        augment([loaded()], tmp_path / "out", seed=1)
    before = contents(tmp_path / "out.partial")
    with pytest.raises(DatasetError, match="unfinished run of other scenarios, seed"):
        augment([loaded()], tmp_path / "out", seed=2)
    assert contents(tmp_path / "out.partial") == before


def test_does_not_touch_a_folder_that_is_not_its_own(loaded: Any, tmp_path: Path) -> None:
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "thesis.txt").write_text("mine")
    with pytest.raises(DatasetError, match="not an unfinished run"):
        augment([loaded()], tmp_path / "out", seed=1)
    assert [p.name for p in (tmp_path / "out.partial").iterdir()] == ["thesis.txt"]
    assert (tmp_path / "out.partial" / "thesis.txt").read_text() == "mine"


def test_full_disk(loaded: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fills up while the second part is written (a real one can only be had with mount rights)."""
    original = parts.pq.write_table
    calls: list[Path] = []

    def fills_up(rows: Any, path: Path, **options: Any) -> None:
        calls.append(path)
        if len(calls) == 2:
            path.write_bytes(b"half a part")
            raise OSError(28, "No space left on device")
        original(rows, path, **options)

    monkeypatch.setattr(parts.pq, "write_table", fills_up)
    with pytest.raises(DatasetError, match="the disk is full; free some space and run the same command again"):
        augment([loaded()], tmp_path / "out", seed=1)
    assert not (tmp_path / "out").exists()
    assert sorted(p.name for p in (tmp_path / "out.partial").iterdir() if "part-" in p.name) == [
        "part-000000.json",
        "part-000000.parquet",
    ]


def test_too_large_for_the_disk_is_said_before_the_work(
    loaded: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_disk = workshop.shutil.disk_usage(tmp_path)._replace(free=100_000)
    monkeypatch.setattr(workshop.shutil, "disk_usage", lambda folder: small_disk)
    with pytest.raises(DatasetError, match=r"GB are needed and .* GB are free"):
        augment([loaded()], tmp_path / "out", seed=1)
    assert list(tmp_path.glob("out*")) == []


def test_folder_that_cannot_be_made(loaded: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="cannot be written"):
        augment([loaded()], tmp_path / "file" / "out", seed=1)


def test_scenarios_of_one_name_are_refused(loaded: Any, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="two scenarios are called 'small'"):
        augment([loaded(), loaded()], tmp_path / "out", seed=1)


def test_scenarios_of_different_shapes_are_refused(loaded: Any, tmp_path: Path) -> None:
    other = loaded(name="other", dataset={"window_length": 256, "windows": 8})
    with pytest.raises(ScenarioError, match="windows of one shape"):
        augment([loaded(), other], tmp_path / "out", seed=1)


def test_two_scenarios_share_no_noise(loaded: Any, tmp_path: Path) -> None:
    plan = {"window_length": 128, "windows_per_recording": 4, "windows_per_class": {"normal": 8}}
    augment([loaded(dataset=plan), loaded(name="other", dataset=plan)], tmp_path / "out", seed=1)
    rows = table(tmp_path / "out")
    a, b = (np.stack(rows[rows.scenario == n].samples.tolist()) for n in ("small", "other"))
    assert not (a == b).all(axis=1).any()


def test_as_written_labels_follow_the_onset(loaded: Any, tmp_path: Path) -> None:
    faults = [{"kind": "imbalance", "unbalance_g_mm": 500, "onset_s": 8, "clear_s": 14}]
    plan = {"window_length": 128, "windows_per_recording": 2, "windows": 200}
    scenario = loaded(faults=faults, sensors=[{"id": "imu0", "odr_hz": 1666}], dataset=plan)
    augment([scenario], tmp_path / "out", seed=1)
    rows = table(tmp_path / "out")
    assert len(rows) == 200
    middle = rows.start_s + 64 / 1666
    assert ((rows.label == "imbalance") == middle.between(8, 14)).all()
    assert set(rows.label) == {"normal", "imbalance"}


def test_a_life_under_a_sampling_plan_is_one_recording(loaded: Any, tmp_path: Path) -> None:
    growth = {"law": "exponential", "duration_s": 3600, "start_fraction": 0.05}
    faults = [{"kind": "bearing_wear", "roughness_factor": 8, "growth": growth, "onset_s": 600}]
    scenario = loaded(
        faults=faults,
        operation={"speed_rpm": 1500, "duration_s": 3600},
        sensors=[{"id": "imu0", "odr_hz": 1666}],
        sampling={"every_s": 300, "windows": 2},
        dataset={"window_length": 128, "windows": 48},
    )
    augment([scenario], tmp_path / "out", seed=1)
    rows = table(tmp_path / "out")
    assert rows.groupby("recording_id", observed=True).size().tolist() == [24, 24]
    life = rows[rows.recording_id == rows.recording_id.iloc[0]]
    assert life.start_s.is_monotonic_increasing
    assert life.start_s.iloc[2] == pytest.approx(300.0)
    assert (life.severity.iloc[4:].diff().dropna() >= 0).all()
    assert life.severity.iloc[-1] > 5 * life.severity.iloc[4] > 0


def test_median_fusion_gives_one_row_for_all_sensors(loaded: Any, tmp_path: Path) -> None:
    sensors = [
        {"id": f"imu{i}", "odr_hz": 1666, "specimen": "nominal", "rotation_deg": [0, 90 * i, 0]} for i in range(3)
    ]
    sensors[1]["faults"] = [{"kind": "stuck", "level": 1.0}]
    plan = {"window_length": 128, "windows": 8}
    augment([loaded(sensors=sensors, fusion="median", dataset=plan, faults=[])], tmp_path / "out", seed=1)
    rows = table(tmp_path / "out")
    assert len(rows) == 8
    assert set(rows.sensor_id) == {"imu0+imu1+imu2"}
    assert set(rows.sensor_state) == {"stuck"}
    samples = np.stack(rows.samples.tolist()).reshape(8, 128, 6)
    # Two sound sensors outvote the one stuck at full scale (16 g).
    assert np.abs(samples[:, :, 1].mean() - 1.0) < 0.05
    assert np.abs(samples[:, :, 0]).max() < 8.0


def test_windows_option_keeps_the_proportions(loaded: Any) -> None:
    jobs = [job.recording for part in plan_parts([loaded().model], windows=640) for job in part.jobs]
    counts: dict[str | None, int] = {}
    for job in jobs:
        counts[job.class_name] = counts.get(job.class_name, 0) + job.windows
    assert counts == {
        "normal": 240,
        "imbalance": 120,
        "bearing_outer": 120,
        "imbalance+bearing_outer": 80,
        "imu0.stuck": 80,
    }
    assert {job.class_name for job in jobs[:5]} == set(counts)  # classes take turns, so that every part holds a mix


def test_times_multiplies_every_scenarios_own_plan(loaded: Any) -> None:
    other = loaded(name="other", faults=[], dataset={"window_length": 128, "windows": 10}).model
    counts = [0, 0]
    for part in plan_parts([loaded().model, other], None, times=3):
        for job in part.jobs:
            counts[job.scenario] += job.recording.windows
    assert counts == [3 * sum((loaded().model.dataset.windows_per_class or {}).values()), 30]


def test_truth_follows_the_sensors_own_clock(loaded: Any, tmp_path: Path) -> None:
    """A clock 5 % fast takes a 3000-sample window in 1.715 s, not 1.801: speed on a ramp, onset and start follow."""
    operation = {
        "segments": [
            {"duration_s": 1, "speed_rpm": 600},
            {"duration_s": 99, "speed_rpm": 2580, "ramp_s": 99},
        ],
        "ripple_pct": 0,
        "wander_pct": 0,
    }
    sensors = [{"id": "imu0", "odr_hz": 1666, "specimen": "nominal", "rate_error_ppm": 50_000}]
    plan = {"window_length": 3000, "windows_per_recording": 50, "windows": 50}
    faults = [{"kind": "imbalance", "unbalance_g_mm": 500, "onset_s": 50}]
    augment([loaded(operation=operation, sensors=sensors, faults=faults, dataset=plan)], tmp_path / "out", seed=1)
    rows = table(tmp_path / "out")
    length_s = 3000 / (1666 * 1.05)
    assert rows.start_s.diff().dropna().to_numpy() == pytest.approx(length_s, abs=1e-6)
    middle_s = rows.start_s + length_s / 2
    assert ((rows.label == "imbalance") == (middle_s >= 50)).all()
    assert rows.speed_rpm.to_numpy() == pytest.approx((600 + 20 * (middle_s - 1)).to_numpy(), abs=0.5)
