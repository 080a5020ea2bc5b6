"""An artifact opens when every file is as it was written, and says which is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.artifact import (
    CARD,
    FILES,
    INT8,
    METRICS,
    PREPROCESSING,
    Artifact,
    ArtifactError,
    open_artifact,
    write_artifact,
)
from models.preprocessing import Preprocessing

FACTS = {"architecture": "cnn", "classes": ["normal", "anomaly"], "threshold": 0.5}


def written(folder: Path) -> Artifact:
    constants = Preprocessing(
        channels=("accel_x_g",), lsb=(0.001,), rate_hz=3332.0, window=64, hop=64, length=64, offset=(0,),
        scaling="linear", knee=(0,), gain=(1,), shift=(1,),
    )  # fmt: skip
    files = dict.fromkeys(FILES, b"something")
    files[PREPROCESSING] = constants.model_dump_json().encode()
    files[METRICS] = b'{"f1": 0.9}'
    return write_artifact(folder, files, FACTS)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    artifact = written(tmp_path / "a" / "artifact")
    again = open_artifact(artifact.folder)
    assert again == artifact
    assert (again.architecture, again.classes, again.threshold) == ("cnn", ("normal", "anomaly"), 0.5)
    assert again.preprocessing.window == 64
    assert again.read(INT8) == b"something"
    assert again.metrics == {"f1": 0.9}
    assert [path.name for path in artifact.folder.parent.iterdir()] == ["artifact"]


@pytest.mark.parametrize("name", FILES)
def test_a_missing_or_altered_file_is_named(name: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "artifact").folder
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ArtifactError, match=rf"{name}: altered since it was exported") as error:
        open_artifact(folder)
    assert "\n" not in str(error.value)
    path.unlink()
    with pytest.raises(ArtifactError, match=rf"{name}: missing"):
        open_artifact(folder)
    path.write_bytes(content)
    assert open_artifact(folder)


def test_a_file_altered_after_opening_is_not_used(tmp_path: Path) -> None:
    artifact = written(tmp_path / "artifact")
    (artifact.folder / INT8).write_bytes(b"something else")
    with pytest.raises(ArtifactError, match="altered"):
        artifact.read(INT8)
    with pytest.raises(ArtifactError, match=r"no file 'x'; there are model\.keras"):
        artifact.read("x")


def test_further_files_do_no_harm(tmp_path: Path) -> None:
    folder = written(tmp_path / "artifact").folder
    (folder / "notes.txt").write_text("mine")
    assert open_artifact(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.pop("classes"), "no usable 'classes'"),
        (lambda m: m.update(threshold="high"), "no usable 'threshold'"),
        (lambda m: m.update(format="simtwin dataset 1"), "not a manifest of format 'simtwin artifact 1'"),
        (lambda m: m.update(files=m["files"][1:]), "lists no model.keras"),
        (lambda m: m["files"][0].update(file="../run.json"), "no usable list of files"),
        (lambda m: m.update(files=["model.keras"]), "no usable list of files"),
    ],
)
def test_a_broken_manifest_is_refused(change, message: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder = written(tmp_path / "artifact").folder
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match=message):
        open_artifact(folder)


def test_what_is_no_artifact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="nowhere: no such folder"):
        open_artifact(tmp_path / "nowhere")
    with pytest.raises(ArtifactError, match=r"no manifest\.json in it, so it is not an artifact"):
        open_artifact(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ArtifactError, match=r"manifest\.json: cannot be read"):
        open_artifact(tmp_path)


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path: Path) -> None:
    folder = written(tmp_path / "artifact").folder
    with pytest.raises(ArtifactError, match="exists already and is not overwritten"):
        written(folder)
    with pytest.raises(ArtifactError, match=f"an artifact needs {CARD}"):
        write_artifact(tmp_path / "other", dict.fromkeys(FILES[:-1], b""), FACTS)
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match="cannot be written"):
        written(tmp_path / "file" / "artifact")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["artifact", "file"]
