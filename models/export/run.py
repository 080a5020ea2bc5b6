"""From a run of `simtwin train` to an artifact."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import version
from math import floor
from pathlib import Path
from typing import Any

from models.artifact import (
    AUTOENCODER,
    C_HEADER,
    C_SOURCE,
    CARD,
    DYNAMIC,
    INT8,
    KERAS,
    METRICS,
    PREPROCESSING,
    Artifact,
    check_new,
    write_artifact,
)
from models.export.c.describe import Description
from models.export.c.generate import Source, generate
from models.export.export import Exported, export
from models.export.scales import PROBABILITY_SCALE, PROBABILITY_ZERO
from models.preprocessing import INPUT_SCALE, Preprocessing
from models.training import fit
from models.training import run as training
from models.training.run import Run, open_run
from sim.dataset.manifest import sha256_of, to_json, versions
from sim.errors import DatasetError

_PACKAGES = ("keras", "flatbuffers", "tflite-micro")


def export_run(folder: Path, out: Path | None = None) -> tuple[Artifact, Exported]:
    """Export the final network of a run into the folder `out` (default: `artifact` in the run), which must not exist.

    The scales are set by windows of the training part; the interpreters are compared on those of the validation part.

    Raises:
        DatasetError: no run, a run of a baseline, or a damaged one.
        ExportError: the network cannot be exported.
        ArtifactError: `out` exists or cannot be written.
    """
    run = open_run(folder)
    target = folder / "artifact" if out is None else out
    check_new(target)
    model, check = run.model, run.validation
    exported = export(run.arch, model, run.representative, check["inputs"], check["target"], run.threshold)
    source = _source(run, exported)
    exported = replace(exported, scratch_bytes=source.scratch_bytes)
    metrics = {"training": _metrics(folder), "export": exported.to_json()}
    files = {
        KERAS: (folder / fit.MODEL).read_bytes(),
        INT8: exported.converted.int8,
        DYNAMIC: exported.converted.dynamic,
        C_SOURCE: source.code.encode(),
        C_HEADER: source.header.encode(),
        PREPROCESSING: (folder / fit.PREPROCESSING).read_bytes(),
        METRICS: to_json(metrics).encode(),
        CARD: _card(run, exported, metrics["training"]).encode(),
    }
    return write_artifact(target, files, _facts(run, model, exported)), exported


def _source(run: Run, exported: Exported) -> Source:
    """The network as C."""
    preprocessing = Preprocessing.open(run.path / fit.PREPROCESSING)
    level = int8_level(run.arch, run.threshold, *exported.shape)
    return generate(exported.converted.int8, Description(run.arch, tuple(run.classes), level, preprocessing))


def int8_level(architecture: str, threshold: float, length: int, channels: int) -> int:
    """The threshold in the firmware's integers: a window is flagged when its level is above this.

    The level of a classifier is the sum of (output + 128) over all classes but the first, of an autoencoder the sum
    of (input - output)^2 over all samples.
    """
    one = INPUT_SCALE**2 / (length * channels) if architecture == AUTOENCODER else PROBABILITY_SCALE
    return floor(threshold / one)


def _facts(run: Run, model: Any, exported: Exported) -> dict[str, Any]:
    """What manifest.json says beside the files."""
    length, channels = exported.shape
    reconstructs = run.arch == AUTOENCODER
    output = (INPUT_SCALE, 0) if reconstructs else (PROBABILITY_SCALE, PROBABILITY_ZERO)
    return {
        "architecture": run.arch,
        "classes": list(run.classes),
        "threshold": run.threshold,
        "threshold_int8": int8_level(run.arch, run.threshold, length, channels),
        "parameters": int(model.count_params()),
        "input": {"shape": [length, channels], "scale": INPUT_SCALE, "zero_point": 0},
        "output": {"shape": list(model.output_shape[1:]), "scale": output[0], "zero_point": output[1]},
        "run": {
            "sha256": sha256_of(run.path / training.RUN),
            "dataset": run.content["dataset"],
            "seed": run.settings.seed,
            "false_alarm_rate": run.content["false_alarm_rate"],
        },
        "versions": {**versions(), **{name: version(name) for name in _PACKAGES}},
    }


def _metrics(folder: Path) -> dict[str, Any]:
    path = folder / training.METRICS
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read ({error})") from None


def _card(run: Run, exported: Exported, metrics: dict[str, Any]) -> str:
    """The model card, Markdown."""
    data, s, rate = run.content["dataset"], run.settings, run.rate_hz
    at = "rows without a rate" if rate is None else f"{rate:g} Hz"
    counts = ", ".join(
        f"{entry['windows']} {name} ({entry['recordings']} recordings)" for name, entry in data["by_class"].items()
    )
    figures = "\n".join(f"| {name} | {text} |" for name, text in _figures(metrics))
    report = "\n".join(exported.lines())
    return f"""# {run.arch}: {" or ".join(run.classes)}

Says of a window of {run.window} samples ({at}) of {", ".join(run.channels)} whether the machine is normal.
A window is flagged above a level of {run.threshold:.6g}, set for {s.false_alarm_rate:.1%} false alarms on validation windows.

## Trained on
{data["name"]} (manifest {data["manifest_sha256"][:12]}), target {s.target}, seed {s.seed}: {counts}.

## How good it is
Cross-validation by recording; all figures, with intervals, are in metrics.json.

| figure | value |
|---|---|
{figures}

## On the chip
```
{report}
```

## Limits
- It knows the machines, mountings and sensors of its data only; figures hold for recordings like those.
- Windows with a sensor fault were left out of training: check the sensor before the verdict.
- Level and class are of one window. An alarm should ask for several in a row.
"""


def _figures(metrics: dict[str, Any]) -> list[tuple[str, str]]:
    """The scores of metrics.json that there are, with their intervals."""
    return [
        (name, f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]")
        for name, score in metrics.get("scores", {}).items()
        if isinstance(score, dict) and all(score.get(key) is not None for key in ("value", "low", "high"))
    ]
