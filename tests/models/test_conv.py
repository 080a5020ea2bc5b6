"""The network learns what there is to learn, the same way every time, and stays small."""

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="no TensorFlow: pip install simtwin[train]")

from models.conv import BATCH, ConvNet, _batch, build, class_numbers, compress
from models.windows import LabelledWindows, Task, concatenate, labelled

TASK = Task(("normal", "imbalance", "misalignment"), 5000.0, 256)


def made(seed: int, counts: tuple[int, int, int] = (60, 20, 5)) -> LabelledWindows:
    """Noise; noise with a line of 40 Hz; noise with a line of 400 Hz. Fewer windows from class to class."""
    draws = np.random.default_rng(seed)
    time_s = np.arange(256)[None, :, None] / 5000.0
    parts = []
    for name, count, line_hz in zip(TASK.classes, counts, (0.0, 40.0, 400.0), strict=True):
        x = 0.05 * draws.standard_normal((count, 256, 2))
        x += 0.3 * np.sin(2 * np.pi * line_hz * time_s + draws.uniform(0, 6, (count, 1, 1)))
        parts.append(labelled(x.astype(np.float32), name, name, name, 1800.0, "real"))
    return concatenate(parts)


def test_it_learns_a_trivial_task_from_unequal_classes_and_the_same_seed_gives_the_same_net() -> None:
    train, test = made(0), made(1)
    first = ConvNet(TASK, seed=3).fit(train).probabilities(test)
    np.testing.assert_allclose(first.sum(axis=1), 1.0, rtol=1e-5)
    truth = class_numbers(test.label, TASK.classes)
    assert (first.argmax(axis=1) == truth).mean() > 0.95
    again = ConvNet(TASK, seed=3).fit(train).probabilities(test)
    np.testing.assert_array_equal(first, again)
    other = ConvNet(TASK, seed=4).fit(train).probabilities(test)
    assert np.abs(first - other).max() > 1e-4


def test_labels_matter() -> None:
    train = made(0, (30, 30, 30))
    shuffled = LabelledWindows(
        train.x, np.random.default_rng(0).permutation(train.label), train.kind, train.group, train.speed_rpm,
        train.provenance,
    )  # fmt: skip
    test = made(1, (30, 30, 30))
    truth = class_numbers(test.label, TASK.classes)
    assert (ConvNet(TASK, 0).fit(shuffled).probabilities(test).argmax(axis=1) == truth).mean() < 0.8


def test_it_is_small_enough_to_ship() -> None:
    assert build(1024, 3, 4, 0).count_params() < 4096


def test_batches_hold_every_class_alike() -> None:
    members = [np.arange(1000), np.arange(1000, 1003), np.array([1003])]
    drawn = np.concatenate([_batch(members, np.random.default_rng(0)) for _ in range(10)])
    share = [(drawn < 1000).mean(), ((drawn >= 1000) & (drawn < 1003)).mean(), (drawn == 1003).mean()]
    np.testing.assert_allclose(share, 1 / 3, atol=1 / BATCH)


def test_compression_is_odd_linear_for_small_and_logarithmic_for_large() -> None:
    x = np.array([-40.0, -1e-4, 0.0, 1e-4, 40.0], np.float32)
    y = compress(x)
    np.testing.assert_allclose(y, -y[::-1])
    assert y[3] == pytest.approx(1e-4 / 0.05, rel=1e-2)
    assert y[4] == pytest.approx(np.log(801.0), rel=1e-5)


def test_unknown_labels_and_a_single_class_are_refused() -> None:
    with pytest.raises(ValueError, match="labelled looseness; allowed are normal"):
        class_numbers(np.array(["looseness"]), TASK.classes)
    with pytest.raises(ValueError, match="at least two classes"):
        ConvNet(TASK, 0).fit(made(0).take(np.arange(10)))
