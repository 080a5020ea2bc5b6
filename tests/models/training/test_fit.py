"""Networks learn what there is to learn, the same way every time; thresholds keep the stated rate."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import f1_score, log_loss, precision_score, recall_score
from sklearn.utils.class_weight import compute_sample_weight

from models.training.crossval import DETECTORS
from models.training.dataset import Examples
from models.training.detector import Answer, Settings, threshold_for
from models.training.fit import Autoencoder, Cnn, class_scores, class_weights, drawn_alike
from models.training.folds import make_folds
from sim.errors import DatasetError, ParameterError
from tests.models.training.made import sines

QUICK = Settings(target="kind", folds=3, epochs=6, batch=16)


def fitted(data: Examples, folder: Path, seed: int = 0, arch: type[Cnn] = Cnn, **changes: object) -> Cnn:
    fold = make_folds(data, 3, 0)[0]
    network = arch()
    network.fit(data, fold.train, fold.validation, Settings(**(QUICK.plain() | changes)), seed, folder)  # type: ignore[arg-type]
    return network


@pytest.mark.parametrize("balance", ["weights", "resample", "none"])
def test_it_learns_a_trivial_task_under_every_balance(balance: str, tmp_path: Path) -> None:
    data = sines()
    test = make_folds(data, 3, 0)[0].test
    answer = fitted(data, tmp_path, balance=balance, epochs=12).answer(data, test)
    assert answer.probabilities is not None
    np.testing.assert_allclose(answer.probabilities.sum(axis=1), 1.0, rtol=1e-5)
    assert (answer.probabilities.argmax(axis=1) == data.target[test]).mean() > 0.9


def test_same_seed_same_network_and_another_seed_another(tmp_path: Path) -> None:
    data = sines()
    rows = np.arange(40)
    first, again, other = (fitted(data, tmp_path, seed, epochs=2).answer(data, rows).anomaly for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-4


def test_labels_matter(tmp_path: Path) -> None:
    data = sines()
    shuffled = data.take(np.arange(len(data)))
    groups = list(dict.fromkeys(data.group.tolist()))
    mixed = dict(zip(groups, np.random.default_rng(0).permutation(groups).tolist(), strict=True))
    shuffled.label[:] = shuffled.kind[:] = [mixed[g].split("-")[0] for g in data.group.tolist()]
    test = make_folds(data, 3, 0)[0].test
    probabilities = fitted(shuffled, tmp_path).answer(data, test).probabilities
    assert probabilities is not None
    assert (probabilities.argmax(axis=1) == data.target[test]).mean() < 0.8


def test_the_weights_kept_are_those_of_the_best_validation_f1_and_everything_is_logged(tmp_path: Path) -> None:
    data = sines()
    fold = make_folds(data, 3, 0)[0]
    network = fitted(data, tmp_path, epochs=8, patience=2, learning_rate=0.02)
    history = pd.read_csv(tmp_path / "history.csv")
    names = {"accuracy", "loss", "precision", "recall", "f1"}
    assert names | {f"val_{name}" for name in names} <= set(history.columns)
    assert len(history) <= 8
    answer = network.answer(data, fold.validation)
    assert answer.probabilities is not None
    found = class_scores(data.target[fold.validation], answer.probabilities)
    best = history.loc[history["val_f1"].idxmax()]
    assert found["f1"] == pytest.approx(best["val_f1"])
    assert found["loss"] == pytest.approx(best["val_loss"], rel=1e-4)
    assert len(history) == min(8, int(history["val_f1"].idxmax()) + 1 + 2)  # patience
    assert list((tmp_path / "tensorboard" / "validation").glob("events*"))


def test_a_saved_network_answers_alike(tmp_path: Path) -> None:
    data = sines()
    network = fitted(data, tmp_path, epochs=1)
    network.save(tmp_path)
    rows = np.arange(50)
    np.testing.assert_array_equal(Cnn.open(tmp_path).answer(data, rows).anomaly, network.answer(data, rows).anomaly)
    (tmp_path / "model.keras").write_bytes(b"no model")
    with pytest.raises(DatasetError, match=r"model.keras: cannot be read"):
        Cnn.open(tmp_path)


@pytest.mark.parametrize("name", ["autoencoder", "mahalanobis", "pca", "isolation-forest"])
def test_models_of_normal_data_never_see_a_fault_and_find_it_all_the_same(name: str, tmp_path: Path) -> None:
    data = sines()
    fold = make_folds(data, 3, 0)[0]
    normal = data.target == 0
    strange = data.take(np.arange(len(data)))
    strange.counts[~normal] = np.random.default_rng(9).integers(-30000, 30000, strange.counts[~normal].shape)
    answers = []
    for given_data in (data, strange):
        model = DETECTORS[name]()
        if isinstance(model, Autoencoder):  # its input's range is set by all training windows: the one thing shared
            given_data = data.take(np.arange(len(data)))
            model._prepare(data, fold.train, QUICK, 1)
            given_data.counts[~normal] = strange.counts[~normal] if answers else data.counts[~normal]
            model._train(given_data, fold.train, fold.validation, QUICK, 1, tmp_path, None)
        else:
            model.fit(given_data, fold.train, fold.validation, QUICK, 1, tmp_path)
        answers.append(model.answer(data, fold.test).anomaly)
        assert model.answer(data, fold.test).probabilities is None
    np.testing.assert_allclose(answers[0], answers[1], rtol=1e-6)
    truth = data.target[fold.test] != 0
    assert np.median(answers[0][truth]) > np.median(answers[0][~truth])


@pytest.mark.parametrize("balance", ["weights", "resample", "none"])
def test_the_random_forest_tells_classes_apart_and_can_be_saved(balance: str, tmp_path: Path) -> None:
    data = sines()
    fold = make_folds(data, 3, 0)[0]
    forest = DETECTORS["random-forest"]()
    forest.fit(data, fold.train, fold.validation, Settings(balance=balance), 1, tmp_path)  # type: ignore[arg-type]
    answer = forest.answer(data, fold.test)
    assert answer.probabilities is not None
    assert (answer.probabilities.argmax(axis=1) == data.target[fold.test]).mean() > 0.9
    forest.save(tmp_path)
    again = DETECTORS["random-forest"].open(tmp_path).answer(data, fold.test)
    np.testing.assert_array_equal(again.anomaly, answer.anomaly)


def test_weights_and_draws_give_every_class_the_same() -> None:
    target = np.repeat([0, 2, 3], [70, 20, 5])
    np.testing.assert_allclose(class_weights(target), compute_sample_weight("balanced", target))
    rows = drawn_alike(target, np.random.default_rng(0))
    assert len(rows) == len(target)
    counts = np.bincount(target[rows])[[0, 2, 3]]
    assert counts.max() - counts.min() <= 1


def test_scores_are_those_of_scikit_learn() -> None:
    draws = np.random.default_rng(0)
    p = draws.dirichlet([1.0, 1.0, 1.0, 1.0], 200)
    truth = draws.integers(0, 3, 200)  # the fourth class is said, but not there
    said = p.argmax(axis=1)
    found = class_scores(truth, p)
    labels = [0, 1, 2]
    assert found["f1"] == pytest.approx(f1_score(truth, said, labels=labels, average="macro"))
    assert found["precision"] == pytest.approx(precision_score(truth, said, labels=labels, average="macro"))
    assert found["recall"] == pytest.approx(recall_score(truth, said, labels=labels, average="macro"))
    assert found["loss"] == pytest.approx(log_loss(truth, p, labels=[0, 1, 2, 3]))


# --- thresholds and verdicts


def binary(anomalous: NDArray[np.float64]) -> Answer:
    return Answer.of(np.stack([1 - anomalous, anomalous], axis=1))


levels = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=300)


@settings(deadline=None)
@given(levels, st.floats(0.001, 0.5))
def test_a_threshold_of_probabilities_is_the_lowest_half_step_that_keeps_the_rate(
    given_levels: list[float], rate: float
) -> None:
    p = np.array(given_levels)
    threshold = threshold_for(binary(p), rate)
    step = threshold * 256 - 0.5
    assert step == int(step)
    assert 0 <= step <= 254
    if step < 254:
        assert (p > threshold).sum() <= rate * len(p) + 1e-6
    if step > 0:  # one step lower would flag too many
        assert (p > threshold - 1 / 256).sum() > rate * len(p) - 1e-6


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=300), st.floats(0.001, 0.5))
def test_a_threshold_of_distances_is_the_lowest_that_keeps_the_rate(distances: list[float], rate: float) -> None:
    d = np.array(distances)
    threshold = threshold_for(Answer(d), rate)
    assert (d > threshold).sum() <= rate * len(d) + 1e-6
    assert (d >= threshold).sum() > rate * len(d) - 1e-6


def test_float_and_int8_agree_at_every_threshold() -> None:
    p = np.linspace(0, 1, 100_001)
    rounded = np.minimum(np.rint(p * 256), 255) / 256
    for step in (0, 3, 128, 254):
        threshold = (step + 0.5) / 256
        apart = (p > threshold) != (rounded > threshold)
        assert np.abs(p[apart] - threshold).max(initial=0.0) < 1e-9


def test_verdicts_are_normal_up_to_the_threshold_and_else_the_likeliest_fault() -> None:
    p = np.array([[0.6, 0.1, 0.3], [0.4, 0.1, 0.5], [0.4, 0.35, 0.25], [0.1, 0.1, 0.8]])
    assert Answer.of(p).verdicts(0.5).tolist() == [0, 2, 1, 2]
    assert Answer.of(p).verdicts(0.3).tolist() == [2, 2, 1, 2]
    assert Answer.of(p).verdicts(0.7).tolist() == [0, 0, 0, 2]
    assert Answer(np.array([1.0, 2.0])).verdicts(1.0).tolist() == [0, 1]


@pytest.mark.parametrize(
    "changes", [{"target": "x"}, {"folds": 1}, {"epochs": 0}, {"balance": "x"}, {"false_alarm_rate": 0.0}, {"hop": 0}]
)
def test_settings_outside_what_is_allowed_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=f"{next(iter(changes))} is .*; allowed is "):
        Settings(**changes)  # type: ignore[arg-type]
