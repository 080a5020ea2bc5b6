"""The model artifact: a folder with everything that runs a model, each file held against its SHA-256 when it is opened.

    model.keras            the trained network
    model_int8.tflite      for the chip: int8 in and out (docs/export.md)
    model_dynamic.tflite   for Linux hosts: float in and out
    model.c, model.h       the int8 network as C for the firmware, with all of the below (docs/c_model.md)
    preprocessing.json     from counts to the network's input (models/preprocessing.py)
    metrics.json           training's figures, and what the export cost
    card.md                what the model is for, and what it is not
    manifest.json          architecture, classes, threshold, shapes, and the SHA-256 of the files above

Opening one needs no TensorFlow.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from models.preprocessing import Preprocessing
from sim.dataset.manifest import MANIFEST, read_manifest_of, to_json
from sim.errors import SimtwinError

FORMAT = "simtwin artifact 1"
REFERENCES = Path(__file__).parent / "reference"
"""Artifacts of the bundled machines, by the machine's id."""
KERAS, INT8, DYNAMIC = "model.keras", "model_int8.tflite", "model_dynamic.tflite"
C_SOURCE, C_HEADER = "model.c", "model.h"
PREPROCESSING, METRICS, CARD = "preprocessing.json", "metrics.json", "card.md"
FILES = (KERAS, INT8, DYNAMIC, C_SOURCE, C_HEADER, PREPROCESSING, METRICS, CARD)
AUTOENCODER = "autoencoder"
"""The architecture whose level is what it does not reconstruct; all others give probabilities."""


class ArtifactError(SimtwinError):
    """An artifact that is missing, incomplete or altered, or a place where none can be written."""

    exit_code = 5


def reference(machine_id: str) -> Path:
    """Folder of the reference artifact of a bundled machine, committed with the project.

    Raises:
        ArtifactError: there is none for that machine.
    """
    folder = REFERENCES / machine_id
    if not (folder / MANIFEST).is_file():
        known = sorted(path.parent.name for path in REFERENCES.glob(f"*/{MANIFEST}"))
        raise ArtifactError(
            f"no reference model for machine {machine_id!r}; there are {', '.join(known) or 'none'}: "
            "train and export one, and name it with --model"
        )
    return folder


@dataclass(frozen=True)
class Artifact:
    """An artifact whose files are all there, as they were written.

    Attributes:
        folder: where it is.
        architecture: name in models.architectures, such as "gru".
        classes: names, `normal` first; of a classifier's outputs in order, of an autoencoder's two verdicts.
        threshold: level above which a window is flagged: probability of not normal, or mean square not reconstructed.
        preprocessing: from counts to the network's int8 input.
        manifest: all of manifest.json.
    """

    folder: Path
    architecture: str
    classes: tuple[str, ...]
    threshold: float
    preprocessing: Preprocessing
    manifest: dict[str, Any]

    def read(self, name: str) -> bytes:
        """A file of it, such as `artifact.read(artifact.INT8)`; ArtifactError when altered since it was opened."""
        entry = next((each for each in self.manifest["files"] if each["file"] == name), None)
        if entry is None:
            raise ArtifactError(f"{self.folder}: no file {name!r}; there are {', '.join(FILES)}")
        return _checked(self.folder, entry)

    @property
    def reconstructs(self) -> bool:
        """Whether the level is what the model does not reconstruct, not a probability."""
        return self.architecture == AUTOENCODER

    @property
    def threshold_int8(self) -> int:
        """The threshold in the firmware's integers (docs/export.md); ArtifactError when the manifest has none."""
        found = self.manifest.get("threshold_int8")
        if not isinstance(found, int):
            raise ArtifactError(f"{self.folder / MANIFEST}: no usable 'threshold_int8' in it; export the run again")
        return found

    @property
    def metrics(self) -> dict[str, Any]:
        """What metrics.json holds."""
        return dict(json.loads(self.read(METRICS)))


def open_artifact(folder: Path) -> Artifact:
    """Open an artifact and check every file of it.

    Raises:
        ArtifactError: no such folder, no artifact, a missing or altered file.
    """
    manifest = _manifest(folder)
    listed = {each["file"]: each for each in manifest["files"]}
    missing = [name for name in FILES if name not in listed]
    if missing:
        raise ArtifactError(f"{folder / MANIFEST}: lists no {missing[0]}; export the run again")
    for entry in listed.values():
        _checked(folder, entry)
    return Artifact(
        folder,
        manifest["architecture"],
        tuple(manifest["classes"]),
        float(manifest["threshold"]),
        Preprocessing.open(folder / PREPROCESSING),
        manifest,
    )


def write_artifact(folder: Path, files: Mapping[str, bytes], facts: Mapping[str, Any]) -> Artifact:
    """Write an artifact, whole or not at all, and open it.

    Args:
        folder: must not exist.
        files: content of every file but manifest.json.
        facts: `architecture`, `classes`, `threshold` and whatever else the manifest shall say.

    Raises:
        ArtifactError: the folder exists or cannot be made, a file is missing.
    """
    missing = [name for name in FILES if name not in files]
    if missing:
        raise ArtifactError(f"{folder}: an artifact needs {missing[0]}")
    check_new(folder)
    entries = [
        {"file": name, "bytes": len(content), "sha256": sha256(content).hexdigest()} for name, content in files.items()
    ]
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        aside.mkdir(parents=True)
        for name, content in files.items():
            (aside / name).write_bytes(content)
        (aside / MANIFEST).write_text(to_json({**facts, "format": FORMAT, "files": entries}))
        aside.rename(folder)
    except OSError as error:
        raise ArtifactError(f"{folder}: cannot be written ({error.strerror})") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return open_artifact(folder)


def check_new(folder: Path) -> None:
    """ArtifactError when an artifact cannot be written there because something is there already."""
    if folder.exists():
        raise ArtifactError(f"{folder}: exists already and is not overwritten; choose another --out or remove it")


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    content = read_manifest_of(folder, FORMAT, "an artifact of `simtwin export`", ArtifactError)
    wanted: dict[str, Any] = {"architecture": str, "classes": list, "threshold": (float, int), "files": list}
    for key, kind in wanted.items():
        if key not in content or not isinstance(content[key], kind):
            raise ArtifactError(f"{path}: no usable {key!r} in it")
    for entry in content["files"]:
        if (
            not isinstance(entry, dict)
            or not {"file", "sha256"} <= entry.keys()
            or Path(entry["file"]).name != entry["file"]
        ):
            raise ArtifactError(f"{path}: no usable list of files in it")
    return content


def _checked(folder: Path, entry: Mapping[str, Any]) -> bytes:
    """A file's bytes, when they are those the manifest names."""
    path = folder / str(entry["file"])
    try:
        content: bytes = path.read_bytes()
    except FileNotFoundError:
        raise ArtifactError(f"{path}: missing; the artifact is not complete") from None
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read ({error.strerror})") from None
    if sha256(content).hexdigest() != entry["sha256"]:
        raise ArtifactError(f"{path}: altered since it was exported (SHA-256 differs from {MANIFEST})")
    return content
