"""A folder of labelled sets, curated file by file: what came of each, as a table, a manifest, and Parquet files."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.curation.base import Rule
from models.curation.curate import Curated, all_rules, curate
from models.curation.series import UNSTATED, LabelledSeries, Stated
from models.datasets.packed import open_npz
from sim.dataset.manifest import MANIFEST, sha256_of, to_json, versions, write_aside
from sim.errors import DatasetError
from sim.progress import Progress

FORMAT = "simtwin curation 1"
INDEX = "index.csv"
_NO_SETS = (INDEX, ".md")  # files that go with a collection but are none of its sets


@dataclass(frozen=True)
class Outcome:
    """One file of the folder: what curation made of it, or why it could not be read.

    Attributes:
        name: the set, the file's name without its ending.
        file: the file's name.
        sha256: of the file.
        before: samples and anomalies as they stand in the file.
        curated: None when the file could not be read.
        error: why it could not.
    """

    name: str
    file: str
    sha256: str
    before: dict[str, int]
    curated: Curated | None
    error: str = ""

    @property
    def verdict(self) -> str:
        """kept, thinned or refused."""
        return "refused" if self.curated is None else self.curated.verdict

    @property
    def reason(self) -> str:
        """What was done and why, in a line."""
        return f"unreadable: {self.error}" if self.curated is None else self.curated.reason

    def as_dict(self) -> dict[str, Any]:
        """For the manifest."""
        entry: dict[str, Any] = {
            "name": self.name,
            "file": self.file,
            "sha256": self.sha256,
            "verdict": self.verdict,
            "reason": self.reason,
            "before": self.before,
        }
        if self.curated is not None:
            entry |= {
                "channels": list(self.curated.series.channels),
                "decisions": [decision.as_dict() for decision in self.curated.decisions],
                "notes": [*self.curated.series.notes, *self.curated.notes],
                "slices": [list(span) for span in self.curated.slices],
                "samples": self.curated.samples,
                "weights": self.curated.weights,
            }
        return entry


def load(path: Path, stated: Stated = UNSTATED, notes: tuple[str, ...] = ()) -> LabelledSeries:
    """A file of the SmartManuAD form as a series: NPZ with X (n, d) and y (n,), in which 1 is an anomaly.

    Raises:
        DatasetError: unreadable, or of another form.
    """
    if path.suffix != ".npz":
        raise DatasetError(f"{path.name}: not an .npz file with X and y")
    arrays = open_npz(path)
    if not {"X", "y"} <= set(arrays):
        raise DatasetError(f"{path.name}: holds {', '.join(sorted(arrays)) or 'nothing'}, but X and y are expected")
    x, y = arrays["X"], arrays["y"]
    if x.ndim != 2 or y.shape != x.shape[:1] or x.dtype.kind not in "fiu" or 0 in x.shape:
        raise DatasetError(f"{path.name}: X is {x.dtype} {x.shape}, y {y.shape}; expected numbers (n, d) and (n,)")
    if not np.isin(y, (0, 1)).all():
        raise DatasetError(f"{path.name}: y holds other values than 0 (normal) and 1 (anomaly)")
    with np.errstate(over="ignore"):  # what is too large for float32 is no number of a sensor
        return LabelledSeries(x.astype(np.float32, copy=False), y == 1, path.stem, notes, stated=stated)


def curate_folder(
    folder: Path,
    rules: Sequence[Rule] | None = None,
    *,
    out: Path | None = None,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Curate every set of a folder; with `out`, write what is kept and a manifest there.

    Files that cannot be read are refused with the reason. An `index.csv` beside the sets (columns file, readme_n,
    readme_anom, data_type, as SmartManuAD has it) says what the source states of each.

    Args:
        folder: the sets, one file each.
        rules: see `all_rules`; all with their defaults when None.
        out: folder to make: one NAME.parquet for each set kept, and manifest.json. It appears when all is done.
        progress: called with files done and files in all.

    Returns:
        One outcome a file, ordered by number and name; the values of written sets are not held.

    Raises:
        DatasetError: no such folder, nothing in it could be read, or `out` exists or cannot be written.
    """
    paths, asked = _sets(folder), tuple(all_rules() if rules is None else rules)
    if out is None:
        outcomes = _curate_files(folder, paths, asked, None, progress)
    else:
        from sim.simulate import new_folder

        with new_folder(out) as aside:
            outcomes = _curate_files(folder, paths, asked, aside, progress)
            write_aside(aside / MANIFEST, to_json(manifest(outcomes, asked, folder / INDEX, aside)))
    return outcomes


def manifest(outcomes: Sequence[Outcome], rules: Sequence[Rule], index: Path, written: Path) -> dict[str, Any]:
    """The record of a curation: the rules with their parameters, each set with each decision, and the files written."""
    files = sorted(written.glob("*.parquet"))
    return {
        "index_sha256": sha256_of(index) if index.is_file() else "",
        "format": FORMAT,
        "rules": {rule.name: rule.model_dump() for rule in rules},
        "sets": [outcome.as_dict() for outcome in outcomes],
        "files": [{"file": path.name, "sha256": sha256_of(path)} for path in files],
        "versions": versions(),
    }


def _sets(folder: Path) -> list[Path]:
    """The files of a folder that may be sets, ordered by number and name."""
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    try:
        files = [p for p in folder.iterdir() if p.is_file() and p.name[0] != "." and not p.name.endswith(_NO_SETS)]
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be read ({error.strerror or error})") from None
    return sorted(files, key=_number)


def _curate_files(
    folder: Path,
    paths: Sequence[Path],
    rules: Sequence[Rule],
    out: Path | None,
    progress: Progress | None,
) -> list[Outcome]:
    outcomes, stated = [], _stated(folder / INDEX)
    for done, path in enumerate(paths):
        if progress is not None:
            progress(done, len(paths))
        digest = ""
        try:
            digest = sha256_of(path)
            series = load(path, *stated.get(path.name, ()))
        except (DatasetError, OSError) as error:
            text = " ".join(str(error).removeprefix(f"{path}: ").removeprefix(f"{path.name}: ").split())
            outcomes.append(Outcome(path.stem, path.name, digest, {}, None, text))
            continue
        before = {"samples": len(series.anomaly), "anomalies": int(series.anomaly.sum())}
        curated = curate(series, rules)
        if out is not None and curated.slices:
            _write(curated, out / f"{path.stem}.parquet")
        outcomes.append(Outcome(path.stem, path.name, digest, before, _light(curated)))
    if all(outcome.curated is None for outcome in outcomes):
        first = f"; the first: {outcomes[0].file}: {outcomes[0].error}" if outcomes else ""
        raise DatasetError(f"{folder}: none of {len(outcomes)} files could be read as a labelled set{first}")
    return outcomes


def _light(curated: Curated) -> Curated:
    """The same without the values, so that a folder of large sets does not stay in memory."""
    series = curated.series
    return replace(curated, series=replace(series, x=series.x[:0].copy(), anomaly=series.anomaly[:0].copy()))


def _write(curated: Curated, path: Path) -> None:
    """The slices kept as Parquet: slice, sample (its number in the file), the channels, anomaly, weight."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    x, anomaly = (np.concatenate(parts) for parts in zip(*curated.parts(), strict=True))
    columns: dict[str, Any] = {
        "slice": np.concatenate([np.full(span.length, i, np.int32) for i, span in enumerate(curated.slices)]),
        "sample": np.concatenate([np.arange(span.start, span.stop, dtype=np.int64) for span in curated.slices]),
        **{name: np.ascontiguousarray(x[:, j]) for j, name in enumerate(curated.series.channels)},
        "anomaly": anomaly,
    }
    if curated.weights:
        columns["weight"] = np.where(anomaly, curated.weights["anomaly"], curated.weights["normal"]).astype(np.float32)
    pq.write_table(pa.table(columns), path, compression="zstd")


def _stated(path: Path) -> dict[str, tuple[Stated, tuple[str, ...]]]:
    """What an index says of each file, and the traps known of it; nothing when there is no index or it is of another form."""
    from models.datasets.smartmanuad import TRAPS

    try:
        with path.open(newline="") as file:
            return {
                row["file"]: (
                    Stated(_count(row["readme_n"]), _count(row["readme_anom"]), row["data_type"]),
                    tuple(TRAPS[n] for n in [_count(row["id"])] if n in TRAPS),
                )
                for row in csv.DictReader(file)
            }
    except (OSError, KeyError, UnicodeDecodeError, csv.Error):
        return {}


def _count(text: str | None) -> int | None:
    """A whole number, with points between the thousands ("24.000"); None for anything else."""
    digits = (text or "").replace(".", "")
    return int(digits) if digits.isdecimal() else None


def _number(path: Path) -> tuple[int, str]:
    """Order of the files: 2_x before 10_y, files without a number last."""
    head = path.name.split("_")[0]
    return (int(head) if head.isdecimal() else 10**9, path.name)


def table(outcomes: Sequence[Outcome], width: int | None = None) -> Any:
    """The outcomes as a table of rich, to be printed on a Console."""
    from rich.table import Table
    from rich.text import Text

    styles = {"kept": "green", "thinned": "cyan", "refused": "red"}
    result = Table(width=width, box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    result.add_column("set", no_wrap=True, overflow="ellipsis", max_width=28)
    for name in ("samples", "anom.%", "left", "anom.%"):
        result.add_column(name, justify="right", no_wrap=True)
    result.add_column("verdict", no_wrap=True)
    result.add_column("why", ratio=1)
    for outcome in outcomes:
        before, after = outcome.before, {"samples": 0, "anomalies": 0}
        if outcome.curated is not None and outcome.curated.slices:
            after = outcome.curated.decisions[-1].after
        notes = (*outcome.curated.series.notes, *outcome.curated.notes) if outcome.curated is not None else ()
        why = Text(outcome.reason or ("all of it" if outcome.curated is not None else ""))
        if notes:
            why.append(f" [{'; '.join(notes)}]", style="dim")
        verdict = Text(outcome.verdict, style=styles[outcome.verdict])
        result.add_row(outcome.name, *_figures(before), *_figures(after), verdict, why)
    return result


def summary(outcomes: Sequence[Outcome]) -> str:
    """How many sets were kept, thinned and refused, in a line."""
    counts = Counter(outcome.verdict for outcome in outcomes)
    unreadable = sum(outcome.curated is None for outcome in outcomes)
    text = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("kept", "thinned", "refused"))
    return f"{len(outcomes)} sets: {text}" + (f" ({unreadable} unreadable)" if unreadable else "")


def _figures(counts: dict[str, int]) -> tuple[str, str]:
    samples = counts.get("samples", 0)
    return (f"{samples}", f"{100 * counts['anomalies'] / samples:.1f}") if samples else ("-", "-")
