"""A dataset on real recordings: what of it is real, what is added, that it is pure, whole, and says what it rests on."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from sim.dataset import parts, workers
from sim.dataset.manifest import sha256_of
from sim.dataset.real import RealSet
from sim.dataset.table import COLUMNS
from sim.errors import DatasetError, ScenarioError
from sim.hybrid import dataset as making
from sim.hybrid.dataset import augment_real, plan_classes
from tests.sim.hybrid.made import RATE_HZ, as_set, recording, rig

CLASSES = {"normal": 40, "imbalance": 90, "bearing_inner": 24}
REAL = as_set(recording(1200), recording(1800, seconds=0.3), recording(1500, "imbalance"))
"""78 + 5 whole windows of 256 when healthy, 78 unbalanced."""


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_ROWS", 32)


def contents(folder: Path) -> dict[str, str]:
    return {p.name: sha256_of(p) for p in sorted(folder.iterdir())}


def table(folder: Path) -> pd.DataFrame:
    return pd.concat([pq.read_table(p).to_pandas() for p in sorted(folder.glob("*.parquet"))], ignore_index=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("made") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "PART_ROWS", 32)
        return out, augment_real(rig(CLASSES), REAL, out, seed=3)


def test_same_bytes_whatever_the_number_of_workers(made: tuple[Path, Any], tmp_path: Path) -> None:
    augment_real(rig(CLASSES), REAL, tmp_path / "two", seed=3, workers=2)
    assert contents(tmp_path / "two") == contents(made[0])
    augment_real(rig(CLASSES), REAL, tmp_path / "other", seed=4)
    assert not set(contents(tmp_path / "other").values()) & set(contents(made[0]).values())


def test_real_windows_count_first_and_hybrid_ones_fill_the_classes(made: tuple[Path, dict[str, Any]]) -> None:
    out, manifest = made
    rows = table(out)
    assert list(rows.columns) == list(COLUMNS)
    counts = rows.groupby(["label", "fault_kind", "sensor_state", "provenance"], observed=True).size().to_dict()
    assert counts == {
        ("normal", "normal", "ok", "real"): 40,
        ("imbalance", "imbalance", "ok", "real"): 78,
        ("imbalance", "imbalance", "ok", "hybrid"): 12,
        ("bearing_wear", "bearing_inner", "ok", "hybrid"): 24,
    }
    assert {tuple(c.values()) for c in manifest["counts"]} == {(*key, n) for key, n in counts.items()}
    assert json.loads((out / "manifest.json").read_text()) == manifest
    # The short recording gives all it has, the long one the rest.
    assert rows[rows.label == "normal"].recording_id.value_counts().to_dict() == {"normal-1200": 35, "normal-1800": 5}
    # Parts hold a mix.
    assert all(len(set(pq.read_table(p)["label"].to_pylist())) == 3 for p in sorted(out.glob("*.parquet"))[:-1])


def test_real_windows_are_the_recordings_own_samples(made: tuple[Path, Any]) -> None:
    rows = table(made[0])
    for r in REAL.recordings:
        of = rows[(rows.recording_id == r.id) & (rows.provenance == "real")]
        assert len(of)
        assert of.start_s.is_unique
        for samples, start_s in zip(of.samples, of.start_s, strict=True):
            first = round(start_s * RATE_HZ)
            assert np.array_equal(samples.reshape(256, 3), r.samples[first : first + 256])
        assert (of.speed_rpm == r.speed_rpm).all()
        assert (of.scenario_hash == "").all()


def test_hybrid_rows_say_what_they_rest_on(made: tuple[Path, Any]) -> None:
    rows = table(made[0])
    hybrid = rows[rows.provenance == "hybrid"]
    inner = hybrid[hybrid.fault_kind == "bearing_inner"]
    assert set(inner.recording_id) <= {"normal-1200", "normal-1800"}
    assert (hybrid.group == hybrid.recording_id).all()
    assert inner.speed_rpm.between(0.97 * 600, 1.03 * 3000).all()
    assert inner.severity.between(0.0, 1.0, inclusive="right").all()
    assert inner.severity_value.between(0.15, 2.5).all()
    assert set(inner.severity_unit) == {"mm (spall width)"}
    assert inner.rise_db.between(0.5, 60.0).all()
    assert rows[rows.provenance == "real"].rise_db.isna().all()
    assert np.isfinite(np.stack(hybrid.samples.tolist())).all()
    # A draw's windows follow each other, and there are several draws.
    assert inner.speed_rpm.nunique() >= 6
    assert np.isclose(inner.start_s, 256 / RATE_HZ * inner.groupby("speed_rpm").cumcount()).all()


def test_hybrid_windows_keep_gravity(tmp_path: Path) -> None:
    standing = recording(1500)
    standing = replace(standing, samples=standing.samples + np.float32([0.0, 1.0, 0.0]))
    augment_real(rig({"normal": 90, "looseness": 8}), as_set(standing), tmp_path / "out", seed=0)
    rows = table(tmp_path / "out")
    assert rows.groupby(["label", "provenance"], observed=True).size().to_dict() == {
        ("normal", "real"): 78, ("normal", "hybrid"): 12, ("looseness", "hybrid"): 8,
    }  # fmt: skip
    means = np.stack([samples.reshape(256, 3).mean(axis=0) for samples in rows.samples])
    assert means[rows.provenance == "hybrid"].mean(axis=0) == pytest.approx([0.0, 1.0, 0.0], abs=0.05)


def test_the_group_is_the_bases(tmp_path: Path) -> None:
    """Two recordings of one specimen keep their ids and share their group."""
    twice = (recording(1200, group="specimen"), recording(1800, group="specimen"))
    augment_real(rig({"normal": 4, "imbalance": 16}), as_set(*twice), tmp_path / "out", seed=0)
    rows = table(tmp_path / "out")
    assert set(rows.recording_id) == {"normal-1200", "normal-1800"}
    assert set(rows.group) == {"specimen"}


def test_a_speed_that_is_not_stated_is_found(tmp_path: Path) -> None:
    unstated = recording(1740, speed_rpm=np.nan)
    manifest = augment_real(rig({"normal": 10, "imbalance": 4}), as_set(unstated), tmp_path / "out", seed=0)
    rows = table(tmp_path / "out")
    assert manifest["rows"] == 14
    assert rows[rows.provenance == "real"].speed_rpm.to_numpy() == pytest.approx(1740, rel=0.002)


def test_long_recordings_are_taken_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "PIECE_S", 1.0)
    monkeypatch.setattr(making, "MOST_BASES", 3)
    long = recording(1200, seconds=10.0, speed_rpm=np.nan)
    augment_real(rig({"normal": 180, "imbalance": 40}), as_set(long), tmp_path / "out", seed=0)
    real = table(tmp_path / "out").query("provenance == 'real'")
    assert len(real) == 180  # 10 pieces of 19 windows
    assert real.start_s.max() > 9.0
    assert real.speed_rpm.to_numpy() == pytest.approx(1200, rel=0.01)


def test_an_interrupted_run_goes_on_where_it_was(
    made: tuple[Path, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, begun = workers.make_part, []

    def interrupted(make: Any, part: Any, folder: Path) -> Any:
        begun.append(part.number)
        if part.number == 2:
            raise KeyboardInterrupt
        return original(make, part, folder)

    monkeypatch.setattr(workers, "make_part", interrupted)
    with pytest.raises(KeyboardInterrupt):
        augment_real(rig(CLASSES), REAL, tmp_path / "out", seed=3)
    assert begun == [0, 1, 2]
    assert not (tmp_path / "out").exists()
    other = as_set(*REAL.recordings[:2], recording(1500, "imbalance", seed=9))
    with pytest.raises(DatasetError, match="unfinished run of other scenarios, seed, windows, recordings"):
        augment_real(rig(CLASSES), other, tmp_path / "out", seed=3)
    again: list[int] = []
    monkeypatch.setattr(workers, "make_part", lambda m, p, f: (again.append(p.number), original(m, p, f))[1])
    augment_real(rig(CLASSES), REAL, tmp_path / "out", seed=3)
    assert again == [2, 3, 4]
    assert contents(tmp_path / "out") == contents(made[0])


def test_refuses_to_overwrite(made: tuple[Path, Any]) -> None:
    before = contents(made[0])
    with pytest.raises(DatasetError, match="exists already and is not overwritten"):
        augment_real(rig(CLASSES), REAL, made[0], seed=3)
    assert contents(made[0]) == before


def test_manifest_says_what_it_rests_on(made: tuple[Path, dict[str, Any]]) -> None:
    manifest = made[1]
    assert manifest["real"]["content_sha256"] == REAL.content_sha256
    assert (manifest["real"]["healthy_recordings"], manifest["real"]["faulty_recordings"]) == (2, 1)
    assert manifest["mix"]["windows_per_draw"] == 4
    assert manifest["sampling_rate_hz"] == RATE_HZ
    assert [f["file"] for f in manifest["scenarios"][0]["files"]]


def test_what_the_plan_does_not_ask_for_is_told(tmp_path: Path) -> None:
    manifest = augment_real(rig({"normal": 4, "looseness": 4}), REAL, tmp_path / "out", seed=0)
    assert manifest["real"]["left_out"] == [["1 recordings labelled imbalance", "no class of scenario bearing_rig"]]


def test_plans() -> None:
    assert plan_classes(rig({"normal": 30, "imbalance": 10}).model, 8) == {"normal": 6, "imbalance": 2}
    even = plan_classes(rig(None, windows=900).model, None)
    assert len(even) == 9
    assert set(even.values()) == {100}
    with pytest.raises(ScenarioError, match="`windows_per_class` names `imbalance\\+looseness`, but real recordings"):
        plan_classes(rig({"normal": 1, "imbalance+looseness": 1}).model, None)


@pytest.mark.parametrize(
    ("real", "message"),
    [
        (as_set(recording(1500, "imbalance")), "made: no healthy recording"),
        (
            as_set(recording(1500, seconds=0.04)),
            "no healthy recording is as long as one window of 256 samples at 5000 Hz",
        ),
        (as_set(recording(1500), recording(1200, rate_hz=4000.0)), "all must agree"),
        (
            as_set(recording(1500, channels=("pressure_bar", "accel_y_g", "accel_z_g"))),
            "channel `pressure_bar` cannot be simulated",
        ),
        (
            as_set(recording(1500, seconds=0.1, speed_rpm=np.nan)),
            "recording normal-1500: its speed is not stated and cannot be found",
        ),
    ],
)
def test_what_cannot_be_is_said_before_the_work(real: RealSet, message: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=message) as raised:
        augment_real(rig({"normal": 4, "imbalance": 4}), real, tmp_path / "out", seed=0)
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def simtwin(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sim.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_the_command_on_a_users_own_recordings(tmp_path: Path) -> None:
    """Three files and a line of YAML each: one is broken, which is said; without it there is a dataset."""
    scenario = Path(__file__).parents[3] / "scenarios" / "bearing_rig.yaml"
    good, broken = [recording(1500), recording(1500, "imbalance")], recording(2400)
    for r, state in ((good[0], "ok"), (good[1], "unb"), (broken, "ok")):
        samples = r.samples.copy()
        if r is broken:
            samples[100, 1] = np.nan
        np.savez(tmp_path / f"{state}_{r.speed_rpm:.0f}.npz", x=samples)
    (tmp_path / "mine.yaml").write_text(
        "files: '*.npz'\npattern: '(?P<state>[a-z]+)_(?P<rpm>[0-9]+)'\nrate_hz: 5000\n"
        "channels:\n"
        + "".join(f"  accel_{axis}: {{column: x, index: {i}, unit: g}}\n" for i, axis in enumerate("xyz"))
        + "label: {group: state, map: {ok: normal, unb: imbalance}}\nspeed_rpm: {group: rpm}\n"
    )
    command = ("augment", scenario, "--real", tmp_path / "mine.yaml", "--out", tmp_path / "out", "--windows", "90")
    refused = simtwin(*command)
    assert refused.returncode == 3
    assert refused.stdout == ""
    assert len(refused.stderr.splitlines()) == 1
    assert "NaN" in refused.stderr
    done = simtwin(*command, "--skip-bad", "--rate", "2500")
    assert done.returncode == 0, done.stderr
    asked, left_out = done.stderr.splitlines()
    assert asked.startswith("question: scenario bearing_rig: windows have 2500 Hz, sensor imu0 of the scenario 3332 Hz")
    assert left_out.startswith("left out: ")
    assert "NaN" in left_out
    assert "90 windows" in done.stdout
    rows = table(tmp_path / "out")
    assert set(rows.sampling_rate_hz) == {2500.0}
    # Recordings of 4 s give 9 windows of 1024 at 2500 Hz; the plan wants 18 normal ones and 9 of imbalance.
    assert rows.groupby(["label", "provenance"], observed=True).size()["normal"].to_dict() == {"real": 9, "hybrid": 9}
    unknown = simtwin("augment", scenario, "--real", "nowhere", "--out", tmp_path / "other")
    assert (unknown.returncode, len(unknown.stderr.splitlines())) == (3, 1)
    assert "nowhere: no such set or file" in unknown.stderr
