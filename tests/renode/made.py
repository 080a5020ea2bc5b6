"""An artifact around the tiny model, for suites that are not about networks: a sound bearing rig is normal to it."""

from __future__ import annotations

from pathlib import Path

from models.artifact import FILES, write_artifact
from tests.firmware import tiny_model

THRESHOLD = 230


def artifact(folder: Path) -> Path:
    """The tiny model as `simtwin export` lays an artifact out; its Keras and TFLite files are empty."""
    pre = tiny_model.preprocessing()
    tiny_model.write(folder / "model", pre)
    source = folder / "model" / "model.c"
    source.write_text(
        source.read_text().replace(f".threshold_int8 = {tiny_model.THRESHOLD},", f".threshold_int8 = {THRESHOLD},")
    )
    files = dict.fromkeys(FILES, b"")
    files |= {name: (folder / "model" / name).read_bytes() for name in ("model.c", "model.h")}
    files["preprocessing.json"] = pre.model_dump_json().encode()
    facts = {
        "architecture": "tiny",
        "classes": list(tiny_model.CLASSES),
        "threshold": 0.5,
        "threshold_int8": THRESHOLD,
    }
    write_artifact(folder / "artifact", files, facts)
    return folder / "artifact"
