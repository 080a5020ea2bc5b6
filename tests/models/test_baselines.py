"""Forest, Mahalanobis distance and classical augmentation."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="no scikit-learn: pip install simtwin[train]")
pytest.importorskip("tsaug", reason="no tsaug: pip install simtwin[train]")

from models.classical import COPIES, classical
from models.forest import Forest, GatedForest, NormalisedForest
from models.mahalanobis import Mahalanobis
from models.windows import LabelledWindows, Task, concatenate, labelled, windows_of
from sim.dataset.real import RealRecording

TASK = Task(("normal", "imbalance"), 5000.0, 1024)
TIME_S = np.arange(1024)[None, :, None] / 5000.0


def made(rpm: float, seed: int = 0, n: int = 30) -> LabelledWindows:
    """An imbalance's line at 1x that grows with the square of the speed, 10 times the healthy one; noise."""
    draws = np.random.default_rng(seed)
    parts = []
    for name, amplitude in (("normal", 0.01), ("imbalance", 0.1)):
        line = np.cos(2 * np.pi * rpm / 60 * TIME_S + draws.uniform(0, 6, (n, 1, 1)))
        x = (rpm / 1800) ** 2 * (
            amplitude * draws.uniform(0.7, 1.4, (n, 1, 1)) * line + 0.01 * draws.standard_normal((n, 1024, 2))
        )
        parts.append(labelled(x.astype(np.float32), name, name, name, rpm, "real"))
    return concatenate(parts)


def test_the_forest_learns_and_the_normalised_one_carries_over_to_another_speed() -> None:
    truth = np.repeat([0, 1], 30)
    same, slower = made(1800.0, 1), made(600.0, 2)
    plain, normalised = (kind(TASK, 0).fit(made(1800.0)) for kind in (Forest, NormalisedForest))
    assert (plain.probabilities(same).argmax(axis=1) == truth).all()
    assert (normalised.probabilities(slower).argmax(axis=1) == truth).mean() > 0.95
    assert (plain.probabilities(slower).argmax(axis=1) == truth).mean() < 0.7
    again = Forest(TASK, 0).fit(made(1800.0)).probabilities(same)
    np.testing.assert_array_equal(plain.probabilities(same), again)


def test_the_forest_keeps_a_place_for_a_class_it_was_not_shown() -> None:
    task = Task(("normal", "looseness", "imbalance"), 5000.0, 1024)
    p = Forest(task, 0).fit(made(1800.0)).probabilities(made(1800.0, 1))
    assert p.shape == (60, 3)
    assert (p[:, 1] == 0).all()
    assert (p.argmax(axis=1) == np.repeat([0, 2], 30)).all()


def test_one_class_is_no_task() -> None:
    with pytest.raises(ValueError, match="at least two classes"):
        Forest(TASK, 0).fit(made(1800.0).take(np.arange(10)))
    with pytest.raises(ValueError, match="at least two normal windows"):
        Mahalanobis(TASK, 0).fit(made(1800.0).take(np.arange(30, 60)))
    with pytest.raises(ValueError, match="needs faulty windows"):
        GatedForest(TASK, 0).fit(made(1800.0).take(np.arange(30)))


def test_mahalanobis_learns_from_normals_alone() -> None:
    train, test = made(1800.0, n=200), made(1800.0, 1, n=200)
    far = Mahalanobis(TASK, 0).fit(train).anomaly(test)
    without = Mahalanobis(TASK, 0).fit(train.take(train.label == "normal")).anomaly(test)
    np.testing.assert_array_equal(far, without)
    assert far[200:].min() > np.quantile(far[:200], 0.99)


def test_a_gate_calls_what_it_was_never_shown_a_fault_and_keeps_its_false_alarms() -> None:
    task = Task(("normal", "looseness", "imbalance"), 5000.0, 1024)
    train, test = made(1800.0, n=400), made(1800.0, 1, n=400)
    labels = train.label.copy()
    labels[-200:] = "looseness"  # a second kind, so that the forest has to choose
    kinds = replace(train, label=labels, kind=labels)
    gated = GatedForest(task, 0).fit(kinds)
    named, distance = gated.judge(test)
    assert (distance[400:] > gated.limit).all()
    assert set(named[400:].tolist()) <= {1, 2}
    assert (named[:400] != 0).mean() < 0.04  # 1 % asked: 16 of 400 or more come once in 10^5 such tests
    squeal = 0.05 * np.sin(2 * np.pi * 1337.0 * TIME_S)  # a line that no training window has
    unknown = replace(test, x=(test.x + squeal).astype(np.float32)).take(np.arange(50))
    assert (gated.judge(unknown)[0] != 0).all()
    plain = NormalisedForest(task, 0).fit(kinds).probabilities(unknown).argmax(axis=1)
    assert (plain == 0).any()  # which is what the gate is for


def test_a_gate_needs_one_recording_and_one_kind_of_fault_only() -> None:
    truth = np.repeat([0, 1], 100)
    named, _ = GatedForest(TASK, 0).fit(made(1800.0, n=100)).judge(made(1800.0, 1, n=100))
    assert (named == truth).mean() > 0.95


def test_classical_copies_keep_labels_and_groups_and_change_the_samples() -> None:
    slow = np.random.default_rng(0).standard_normal((1002, 3))  # slow enough for a warp to leave its level alone
    x = np.repeat(slow, 20, axis=0)[:20_000].astype(np.float32)
    axes = ("accel_x_g", "accel_y_g", "accel_z_g")
    train = [
        RealRecording(x, axes, 5000.0, "a", "normal", speed_rpm=600.0),
        RealRecording(2 * x[::-1], axes, 5000.0, "b", "imbalance", "imbalance", speed_rpm=900.0, group="g"),
    ]
    real, added = windows_of(train, TASK, TASK.train_hop), classical(train, TASK, seed=1)
    assert added.x.shape == (COPIES * len(real), 1024, 3)
    assert np.isfinite(added.x).all()
    for name in ("label", "kind", "group", "speed_rpm"):
        np.testing.assert_array_equal(getattr(added, name), np.tile(getattr(real, name), COPIES))
    assert set(added.provenance) == {"classical"}
    centred = np.tile(real.centred().x, (COPIES, 1, 1))
    changed = np.abs(added.x - centred).max(axis=(1, 2)) > 1e-3
    assert changed.mean() == pytest.approx(1 - (1 / 3) ** 3, abs=0.05)  # each of three with probability 2/3
    gain = added.x.std(axis=(1, 2)) / centred.std(axis=(1, 2))
    assert 0.4 < gain.min() < 0.6
    assert 1.7 < gain.max() < 2.4
    np.testing.assert_array_equal(added.x, classical(train, TASK, seed=1).x)
    assert np.abs(added.x - classical(train, TASK, seed=2).x).max() > 0.1
