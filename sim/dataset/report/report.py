"""`report.html` beside a dataset: whether its synthetic windows look like the real ones, and what it was made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sim.dataset.manifest import MANIFEST, sha256_of, write_aside
from sim.dataset.real import REAL
from sim.dataset.report import html, pictures
from sim.dataset.report.compare import PERMUTATIONS, TREES
from sim.dataset.report.coverage import NEIGHBOURS
from sim.dataset.report.measure import Comparison, Measured, measure
from sim.dataset.report.samples import CARRIED, WINDOWS, Dataset, check_comparable
from sim.errors import DatasetError
from sim.scenario.reader import content_hash
from sim.scenario.schema import NORMAL, Scenario

REPORT = "report.html"
"""The report's name in the dataset's folder."""

CALIBRATED, UNCALIBRATED = "twin, calibrated", "twin, not calibrated"
_LONG = 20
_NOT_SHOWN = ("parts", "counts", "scenarios", "rows")  # of the manifest: they have a table or are many


def write_report(
    dataset: Path,
    out: Path | None = None,
    *,
    scenario: Scenario | None = None,
    calibrated: Scenario | None = None,
    uncalibrated: Path | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write the report of a dataset folder; the same input gives the same bytes.

    Args:
        dataset: folder of the dataset, with real and synthetic windows.
        out: file to write; default `report.html` in the folder.
        scenario: the twin before calibration: a few windows of it are simulated at the real ones' speeds and compared.
        calibrated: the same twin after calibration, shown beside it.
        uncalibrated: folder of a dataset made without calibration, whose synthetic windows are compared as well.
        seed: of all draws.
        progress: called with (classes done, classes in all).

    Returns:
        The file written.

    Raises:
        DatasetError: no dataset, one that cannot be read or is not comparable, or a file that cannot be written.
    """
    shown = Dataset(dataset)
    twins = {UNCALIBRATED: scenario, CALIBRATED: calibrated}
    others = {}
    if uncalibrated is not None:
        other = Dataset(uncalibrated)
        check_comparable(shown, other)
        others = {f"{origin}, not calibrated": (other, origin) for origin in other.origins() if origin != CARRIED}
    given = {origin: twin for origin, twin in twins.items() if twin is not None}
    measured = measure(shown, given, others, seed, progress)
    settings = {f"twin {origin.partition(', ')[2]}, SHA-256": content_hash(twin) for origin, twin in given.items()}
    if uncalibrated is not None:
        settings["manifest of the dataset not calibrated, SHA-256"] = sha256_of(uncalibrated / MANIFEST)
    path = dataset / REPORT if out is None else out
    try:
        write_aside(path, _html(measured, {**settings, "seed of the report": str(seed)}))
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written ({error.strerror or error})") from None
    return path


def _html(measured: Measured, settings: dict[str, str]) -> str:
    dataset = measured.dataset
    name = dataset.folder.resolve().name
    parts = [
        html.heading(1, f"Dataset {name}"),
        html.paragraph(_opening(dataset)),
        html.items(measured.remarks),
        *_distances(measured),
        *_spectra(measured),
        *_coverage(measured),
        *_counts(dataset),
        *_severities(dataset),
        *_settings(dataset, settings),
        *_method(measured),
    ]
    return html.page(f"simtwin: dataset {name}", [part for part in parts if part])


def _opening(dataset: Dataset) -> str:
    found = dataset.table["provenance"]
    counts = ", ".join(f"{(found == provenance).sum()} {provenance}" for provenance in _provenances(dataset))
    length = dataset.manifest["window_length"]
    return (
        f"{len(dataset.table)} windows ({counts}) of {length} samples x {len(dataset.channels)} channels at"
        f" {dataset.rate_hz:g} Hz ({length / dataset.rate_hz:.3g} s): {', '.join(dataset.channels)}."
    )


def _provenances(dataset: Dataset) -> list[str]:
    """`real` first."""
    return sorted(dataset.table["provenance"].unique(), key=lambda provenance: (provenance != REAL, provenance))


def _distances(measured: Measured) -> list[str]:
    parts = [html.heading(2, "Real against synthetic")]
    without = [name for name in measured.dataset.classes if not len(measured.dataset.rows(name, REAL))]
    alone = [
        name
        for name in measured.dataset.classes
        if name not in without and not any(key[0] == name for key in measured.comparisons)
    ]
    if measured.comparisons:
        parts += [
            html.paragraph(
                "MMD² is 0 for equal distributions and grows with their distance; p is the share of random deals of whole"
                " recordings that are as far apart. AUC is how well a classifier tells real from synthetic windows: 0.5 not"
                " at all, 1 always. Both see the same windows, equally many of each speed."
            ),
            html.figure(
                pictures.distances(measured),
                "Mean MMD² over the classes compared: "
                + ", ".join(f"{origin} {value:.2f}" for origin, value in pictures.mean_distances(measured).items()),
            ),
            html.table(
                "Distance of synthetic windows from real ones of the same class",
                ("class", "synthetic windows from", "MMD²", "chance, 95 %", "p", "AUC", "folds' range", "windows a side",
                 "recordings real / other", "speeds"),
                [_distance_row(found) for found in measured.comparisons.values()],
                text_columns=2,
            ),
        ]  # fmt: skip
    if without:
        parts.append(html.paragraph(f"No real ones to compare with: {', '.join(without)}."))
    if alone:
        parts.append(
            html.paragraph(
                f"No synthetic ones to compare with at the real ones' speeds (within 10 %): {', '.join(alone)}."
            )
        )
    return parts


def _distance_row(found: Comparison) -> tuple[str, ...]:
    mmd, auc = found.mmd, found.auc
    return (
        found.name,
        found.origin,
        f"{mmd.squared:.3f}",
        f"{mmd.null_95:.3f}",
        f"{mmd.p_value:.3f}",
        "-" if auc is None else f"{auc.mean:.2f}",
        "" if auc is None else f"{auc.low:.2f}-{auc.high:.2f}",
        str(found.windows),
        f"{found.recordings[0]} / {found.recordings[1]}",
        str(found.speeds),
    )


def _spectra(measured: Measured) -> list[str]:
    if not measured.comparisons:
        return []
    parts = [
        html.heading(2, "Spectra and envelope spectra by class"),
        html.paragraph(
            "Lines are medians, bands hold 10 to 90 % of the windows. All axes together. Each picture is at the one speed that"
            " most windows share (synthetic ones within 10 %); each window is drawn over orders of its own speed."
        ),
    ]
    for name in dict.fromkeys(key[0] for key in measured.comparisons):
        parts += [html.heading(3, name), html.figure(pictures.spectra(measured, name))]
    return parts


def _coverage(measured: Measured) -> list[str]:
    if measured.space is None:
        return []
    rows = []
    for found in measured.comparisons.values():
        share = found.coverage
        if share is not None:
            figures = (share.recall, share.precision, share.density, share.coverage)
            rows.append((found.name, found.origin, *(f"{value:.2f}" for value in figures)))
    return [
        html.heading(2, "Coverage in feature space"),
        html.figure(pictures.feature_map(measured), "Windows beyond the frame are drawn on its edge."),
        html.table(
            "Coverage by nearest neighbours",
            ("class", "synthetic windows from", "real covered (recall)", "synthetic near real (precision)", "density",
             "coverage"),
            rows,
            text_columns=2,
        ),
        html.paragraph(
            f"Real covered: share of real windows no farther from a synthetic one than that one's {NEIGHBOURS}th neighbour"
            " among the synthetic. Near real: the same the other way round. Density: how many such balls of real windows a"
            " synthetic one lies in, over their expected number; coverage: share of real windows with a synthetic one in"
            f" their ball. In {len(measured.space.explained)} principal components of the real windows' features.",
            note=True,
        ),
    ]  # fmt: skip


def _counts(dataset: Dataset) -> list[str]:
    table = dataset.table
    provenances = _provenances(dataset)
    rows = []
    for label, kind, state in sorted(
        set(zip(table["label"], table["fault_kind"], table["sensor_state"], strict=True)),
        key=lambda row: (row[0] != NORMAL, row),
    ):
        same = (table["label"] == label) & (table["fault_kind"] == kind) & (table["sensor_state"] == state)
        of_class = table[same]
        cells = [f"{label}, {kind}" if kind != label else label, state]
        for provenance in provenances:
            chosen = of_class[of_class["provenance"] == provenance]
            cells += [str(len(chosen)), str(chosen["recording_id"].nunique())] if len(chosen) else ["-", "-"]
        rows.append((*cells, str(len(of_class))))
    header = ["class", "sensor"]
    for provenance in provenances:
        header += [f"{provenance} windows", "recordings"]
    return [
        html.heading(2, "What is in it"),
        html.table("Windows by class and provenance", (*header, "all windows"), rows, text_columns=2),
    ]


def _severities(dataset: Dataset) -> list[str]:
    picture = pictures.severities(dataset)
    if picture is None:
        return []
    return [html.heading(2, "How strong the simulated faults are"), html.figure(picture)]


def _settings(dataset: Dataset, settings: dict[str, str]) -> list[str]:
    manifest = dataset.manifest
    rows = [("manifest, SHA-256", sha256_of(dataset.folder / MANIFEST)), *settings.items()]
    rows += [
        (key, value) for key in sorted(manifest) if key not in _NOT_SHOWN for key, value in _flat(key, manifest[key])
    ]
    for scenario in manifest.get("scenarios", []):
        rows += [
            row
            for key in sorted(scenario)
            if key != "name"
            for row in _flat(f"scenario {scenario['name']}, {key}", scenario[key])
        ]
    return [html.heading(2, "Settings and hashes"), html.table("From the manifest", ("what", "value"), rows, 2)]


def _flat(key: str, value: Any) -> list[tuple[str, str]]:
    """A setting as rows of names and texts; long lists are cut."""
    if isinstance(value, dict) and value:
        if all(isinstance(inner, (str, int, float)) for inner in value.values()):
            return [(key, ", ".join(f"{name} {_plain(value[name])}" for name in sorted(value)))]
        return [row for name in sorted(value) for row in _flat(f"{key}, {name}", value[name])]
    if isinstance(value, list) and len(value) > _LONG:
        return [*_flat(key, value[:_LONG]), (key, f"and {len(value) - _LONG} more: see {MANIFEST}")]
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        return [row for item in value for row in _flat(key, item)]
    if isinstance(value, list):
        return [(key, ", ".join(_plain(item) for item in value) or "none")]
    return [(key, _plain(value))]


def _plain(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _method(measured: Measured) -> list[str]:
    if not measured.comparisons:
        return []
    notes = [
        f"At most {WINDOWS} windows a class and side, evenly spread. Synthetic windows count for a real speed within 10 %.",
        "Features: those of the forests (docs/evaluation.md), lines and bands divided by speed squared, in standard deviations"
        " of the real windows; without speeds, levels in bands and shape alone.",
        f"MMD²: unbiased, Gaussian kernel, bandwidth the median distance of the class's real windows, {PERMUTATIONS} deals"
        " (Gretton et al. 2012). With few recordings, p cannot be small.",
        f"AUC: random forest of {TREES} trees; a fold holds whole recordings out, and with them their speed on both sides."
        " Left out (-) where there are too few recordings. With few recordings it scatters, to below 0.5 as well.",
        "Precision and recall: Kynkäänniemi et al. 2019; density and coverage: Naeem et al. 2020.",
        f"{CARRIED.capitalize()}: a real faulty recording at another speed, with nothing simulated in it.",
        "Hybrid windows rest on the real recordings they are compared with, which makes them look closer than those of another"
        " machine of the same type would be. Twin windows do not: they are simulated throughout.",
        "A real class with few recordings is a few mountings of one machine; a synthetic one that spreads wider is not wrong.",
    ]
    return [html.heading(2, "How it was measured"), html.items(notes)]
