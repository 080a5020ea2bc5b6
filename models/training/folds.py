"""Folds by recording: every class in every part, nothing on two sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.splits import LeakError
from models.training.dataset import Examples, Ints, Strings, check_classes
from sim.errors import DatasetError

VALIDATION_FOLDS = 5
"""One in so many of the recordings that are not tested is used for early stopping and the threshold."""


@dataclass(frozen=True)
class Fold:
    """Rows of windows to train on, to stop and set the threshold by, and to test (none in the final fit).

    `check` refuses one that leaks.
    """

    name: str
    train: Ints
    validation: Ints
    test: Ints

    def check(self, data: Examples, digests: dict[str, str]) -> Fold:
        """The fold itself, when no group and no recording's samples are on two sides, and no class is missing on one.

        Raises:
            LeakError: something is on two sides.
            DatasetError: a part lacks a class.
        """
        sides = {"train": self.train, "validate": self.validation, "test": self.test}
        seen: dict[str, tuple[str, str]] = {}
        contents: dict[str, tuple[str, str]] = {}
        for side, rows in sides.items():
            for group in dict.fromkeys(data.group[rows].tolist()):
                if group in seen:
                    raise LeakError(
                        f"split {self.name}: recording {group} is on two sides ({seen[group][1]} and {side}); split by"
                        " group, so that each is on one side only"
                    )
                seen[group] = (group, side)
                twin = contents.setdefault(digests[group], (group, side))
                if twin[1] != side:
                    raise LeakError(
                        f"split {self.name}: recording {group} to {side} has the same samples as {twin[0]} to {twin[1]}"
                    )
            present = set(data.label[rows].tolist())
            missing = [name for name in dict.fromkeys(data.label.tolist()) if name not in present]
            if len(rows) and missing:
                raise DatasetError(
                    f"{data.name}: fold {self.name} has no recording of class {missing[0]} to {side}; ask for fewer"
                    " --folds, another --seed, or add recordings"
                )
        return self


def make_folds(data: Examples, folds: int, seed: int) -> list[Fold]:
    """Stratified group k-fold, each with a validation part; and a last one, `final`, without a test part.

    The same data, number and seed give the same folds, whatever is trained on them.

    Raises:
        DatasetError: fewer than two classes, or too few recordings of one.
        LeakError: two recordings have the same samples and would be on two sides.
    """
    check_classes(data, folds)
    digests = data.digests()
    everything = np.arange(len(data))
    made = []
    for number, (rest, test) in enumerate(_split(data, everything, folds, seed)):
        train, validation = _validation(data, rest, seed)
        made.append(Fold(f"fold-{number}", train, validation, test).check(data, digests))
    train, validation = _validation(data, everything, seed)
    made.append(Fold("final", train, validation, np.zeros(0, np.intp)).check(data, digests))
    return made


def _validation(data: Examples, rows: Ints, seed: int) -> tuple[Ints, Ints]:
    """Rows to train on and to validate by: the first split with every class on both sides."""
    folds = int(np.clip(_fewest(data.label[rows], data.group[rows]), 2, VALIDATION_FOLDS))
    splits, classes = _split(data, rows, folds, seed), set(data.label[rows].tolist())
    whole = (parts for parts in splits if all(set(data.label[part].tolist()) == classes for part in parts))
    return next(whole, splits[0])


def _split(data: Examples, rows: Ints, folds: int, seed: int) -> list[tuple[Ints, Ints]]:
    from sklearn.model_selection import StratifiedGroupKFold

    label, kind, group = data.label[rows], data.kind[rows], data.group[rows]
    stratum = kind if _fewest(kind, group) >= folds else label  # of a binary target: every kind of fault in every part
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed % 2**32)
    return [(rows[train], rows[held]) for train, held in splitter.split(np.zeros(len(rows)), stratum, group)]


def _fewest(stratum: Strings, group: Strings) -> int:
    """Groups of the stratum that has the fewest."""
    return min(len(set(group[stratum == name].tolist())) for name in set(stratum.tolist()))
