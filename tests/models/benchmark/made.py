"""Folders of small labelled sets, easy to learn."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.models.curation.made import ar1, labels


def spells(n: int, every: int, length: int) -> NDArray[np.bool_]:
    """Anomalous for `length` of every `every` samples."""
    return labels(n, *[(at, at + length) for at in range(every // 2, n - length, every)])


def levels(n: int, anomaly: NDArray[np.bool_], seed: int, d: int = 2) -> NDArray[np.float32]:
    """A slow noise whose level is 3 standard deviations higher where it is anomalous."""
    return np.asarray(ar1(n, d, 0.8, seed) + 3.0 * anomaly[:, None], np.float32)


def save(path: Path, x: NDArray[Any], anomaly: NDArray[np.bool_]) -> None:
    np.savez(path, X=x, y=anomaly.astype(np.int8))


def folder_of_sets(folder: Path) -> Path:
    """Two sets that can be learnt, one that curation refuses, one of which no folds can be made; what the index says."""
    folder.mkdir()
    for name, seed in (("1_one", 1), ("2_two", 2)):
        anomaly = spells(4000, 250, 40)
        save(folder / f"{name}.npz", levels(4000, anomaly, seed), anomaly)
    save(folder / "3_short.npz", ar1(500, 2, 0.8, 3), labels(500, (100, 200)))
    save(folder / "4_few.npz", ar1(3000, 1, 0.8, 4), labels(3000, (40, 3000)))
    rows = ["id,file,labels,data_type,readme_n,readme_anom"]
    rows += [
        f"{i},{name}.npz,{kind},Time Series,," for i, name, kind in ((1, "1_one", "Real"), (2, "2_two", "Synthetic"))
    ]
    (folder / "index.csv").write_text("\n".join(rows) + "\n")
    return folder
