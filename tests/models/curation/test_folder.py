"""The command over a folder: table, files, manifest; broken files; the real collection when it is there."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.cli import _CURATION
from models.curation.curate import RULES
from models.curation.folder import FORMAT, curate_folder
from models.datasets.base import data_folder
from sim.errors import DatasetError
from tests.models.curation.made import ar1, labels

ROOT = Path(__file__).parents[3]


def simtwin(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sim.cli", "data", "curate", *map(str, arguments)]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, capture_output=True, text=True, env=variables, timeout=300)


def save(path: Path, x: Any, y: Any, **more: Any) -> None:
    np.savez_compressed(path, X=x, y=np.asarray(y, np.int8), **more)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "sets"
    made.mkdir()
    save(made / "2_good.npz", ar1(6000, 2, 0.8, 0), labels(6000, (1000, 2000)))
    save(
        made / "10_long.npz", ar1(130_000, 2, 0.8, 1), labels(130_000, *[(i, i + 500) for i in range(0, 130_000, 4000)])
    )
    save(made / "3_table.npz", np.random.default_rng(0).standard_normal((3000, 4)), labels(3000, (0, 600)))
    whole = (made / "2_good.npz").read_bytes()
    (made / "4_broken.npz").write_bytes(whole[: len(whole) // 2])
    np.savez(made / "5_other.npz", a=np.zeros(3))
    save(made / "6_labels.npz", np.zeros((5, 2)), [0, 1, 2, 1, 0])
    save(made / "7_shapes.npz", np.zeros((5, 2)), [0, 1])
    save(made / "8_text.npz", np.array([["a"], ["b"]]), [0, 1])
    (made / "notes.txt").write_text("nothing")
    (made / "README.md").write_text("about")
    return made


def test_the_rules_of_the_command_are_the_rules() -> None:
    assert tuple(kind.name for kind in RULES) == _CURATION


def test_verdicts_and_files(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = simtwin(folder, "--out", out)
    assert result.returncode == 0, result.stderr
    assert sorted(p.name for p in out.iterdir()) == ["10_long.parquet", "2_good.parquet", "manifest.json"]
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["format"] == FORMAT
    assert [(s["file"], s["verdict"]) for s in manifest["sets"]] == [
        ("2_good.npz", "kept"), ("3_table.npz", "refused"), ("4_broken.npz", "refused"), ("5_other.npz", "refused"),
        ("6_labels.npz", "refused"), ("7_shapes.npz", "refused"), ("8_text.npz", "refused"), ("10_long.npz", "thinned"),
        ("notes.txt", "refused"),
    ]  # fmt: skip
    for entry in manifest["sets"]:
        assert entry["sha256"] == hashlib.sha256((folder / entry["file"]).read_bytes()).hexdigest()
        assert entry["reason"].startswith("unreadable: ") == (entry["file"][0] in "45678n")
    for entry in manifest["files"]:
        assert entry["sha256"] == hashlib.sha256((out / entry["file"]).read_bytes()).hexdigest()
    assert "9 sets: 1 kept, 1 thinned, 7 refused (6 unreadable)" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr
    # Nothing of this machine, no time of day: another place gives the same bytes.
    assert str(tmp_path) not in (out / "manifest.json").read_text()


def test_written_sets_hold_what_the_manifest_says(folder: Path, tmp_path: Path) -> None:
    curate_folder(folder, out=tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    entry = next(s for s in manifest["sets"] if s["name"] == "10_long")
    table = pq.read_table(tmp_path / "out" / "10_long.parquet").to_pandas()
    source = np.load(folder / "10_long.npz")
    assert list(table.columns) == ["slice", "sample", "x0", "x1", "anomaly", "weight"]
    sample = table["sample"].to_numpy()
    np.testing.assert_array_equal(sample, np.concatenate([np.arange(a, b) for a, b in entry["slices"]]))
    np.testing.assert_array_equal(table[["x0", "x1"]].to_numpy(), source["X"][sample])
    np.testing.assert_array_equal(table["anomaly"].to_numpy(), source["y"][sample] == 1)
    assert (table.groupby("slice")["sample"].diff().dropna() == 1).all()
    assert table["slice"].nunique() == len(entry["slices"])
    assert table["weight"][table["anomaly"]].sum() == pytest.approx(table["weight"][~table["anomaly"]].sum(), rel=1e-4)


def test_same_input_same_bytes(folder: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert simtwin(folder, "--out", tmp_path / name, PYTHONHASHSEED=str(ord(name))).returncode == 0
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_switches_of_the_command(folder: Path, tmp_path: Path) -> None:
    result = simtwin(folder, "--no-order", "--no-thinning", "--rule", "length.least=7000", "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert {s["name"]: s["verdict"] for s in manifest["sets"] if "decisions" in s} == {
        "2_good": "refused", "3_table": "refused", "10_long": "kept",
    }  # fmt: skip
    assert manifest["rules"]["length"] == {"least": 7000}
    assert {"order", "thinning"} & set(manifest["rules"]) == set()


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--out", "."], 3, "exists already"),
        (["--rule", "length.most=7"], 2, "parameters are"),
        (["--rule", "length.least=-7"], 2, "greater than or equal to 1"),
        (["--no-such"], 2, "No such option"),
    ],
)
def test_wrong_command_lines(folder: Path, arguments: list[str], code: int, text: str) -> None:
    before = sorted(p.name for p in folder.iterdir())
    result = simtwin(folder, *arguments)
    assert result.returncode == code
    assert text in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(p.name for p in folder.iterdir()) == before


def test_only_when_nothing_can_be_read_is_it_an_error(folder: Path, tmp_path: Path) -> None:
    for name in ("2_good", "3_table", "10_long"):
        (folder / f"{name}.npz").unlink()
    result = simtwin(folder, "--out", tmp_path / "out")
    assert result.returncode == 3
    assert "none of 6 files could be read as a labelled set; the first: 4_broken.npz" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["sets"]
    with pytest.raises(DatasetError, match="no such folder"):
        curate_folder(tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="none of 0 files"):
        curate_folder(tmp_path / "empty")


def test_the_index_proves_labels_inverted(tmp_path: Path) -> None:
    save(tmp_path / "1_a.npz", ar1(3000, 2, 0.8, 0), ~labels(3000, (0, 600)))
    (tmp_path / "index.csv").write_text("file,id,readme_n,readme_anom,data_type\n1_a.npz,1,3.000,600,Tabular\n")
    (outcome,) = curate_folder(tmp_path)
    assert outcome.before == {"samples": 3000, "anomalies": 2400}
    assert outcome.curated is not None
    assert outcome.curated.decisions[0].after["anomalies"] == 600
    assert "labels inverted" in outcome.reason
    assert any("called tabular by its source" in note for note in outcome.curated.notes)
    (tmp_path / "index.csv").write_text("not,an,index\n1,2,3\n")
    (outcome,) = curate_folder(tmp_path)
    assert outcome.curated is not None
    assert outcome.curated.decisions[0].action == "noted"


# --- the real collection ---

SETS = data_folder() / "smartmanuad"

# By what the sets are, not by what the rule says: shuffled at the source (82, as its authors say), one part or specimen
# a row (19, 20, 22, 29, 60), one whole series a row (49, 52).
NO_SERIES = (19, 20, 22, 29, 49, 52, 60, 82)
# Sampled signals and logs of machines, one after the other.
SERIES = (3, 14, 28, 30, 33, 34, 38, 39, 40, 47, 48, 53, 54, 56, 57, 66, 68, 70, 74, 75, 76, 78, 88, 90, 94, 96, 100)
SHORT = (18, 21, 23, 24, 50, 51, 64, 72, 80, 83, 87, 96)
RARE = (2, 20, 40, 88)


@pytest.fixture(scope="module")
def real() -> dict[int, Any]:
    if not (SETS / "index.csv").is_file():
        pytest.skip("SmartManuAD is not on this machine; name the folder of the data in SIMTWIN_DATA")
    return {int(o.name.split("_")[0]): o for o in curate_folder(SETS)}


def action(outcome: Any, rule: str) -> str:
    return next(d.action for d in outcome.curated.decisions if d.rule == rule)


def test_real_tables_are_told_from_real_series(real: dict[int, Any]) -> None:
    assert [i for i in NO_SERIES if action(real[i], "order") != "refused"] == []
    assert [i for i in SERIES if action(real[i], "order") == "refused"] == []


def test_real_verdicts(real: dict[int, Any]) -> None:
    assert [i for i in SHORT if "fewer than 2000" not in real[i].reason] == []
    assert [i for i in RARE if "fewer than 5 %" not in real[i].reason] == []
    assert sorted(i for i, o in real.items() if o.verdict == "thinned") == [17, 74, 90]
    assert all(o.curated.samples <= 100_000 for o in real.values())
    assert [i for i in SERIES if real[i].verdict == "refused"] == [40, 88, 96]


def test_real_traps(real: dict[int, Any]) -> None:
    assert real[21].curated.decisions[0].after["anomalies"] == 126
    copies = next(d for d in real[42].curated.decisions if d.rule == "duplicates")
    assert (copies.before["samples"], copies.after["samples"]) == (42_000, 24_000)
    assert copies.after["anomalies"] == 21_000
    assert next(d.after for d in real[42].curated.decisions if d.rule == "length")["anomalies"] == 21_000
    # Univariate sets come with their only channel twice.
    assert all(len(real[i].curated.series.channels) == 1 for i in (3, 56, 57, 74, 75))
