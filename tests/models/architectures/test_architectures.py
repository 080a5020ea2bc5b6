"""Every network is repeatable, small, well-formed, and refuses what it cannot be built for."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="no TensorFlow: pip install simtwin[train]")

from models.architectures import ARCHITECTURES, CLASSIFIERS, build
from models.architectures.autoencoder import scores
from models.architectures.base import strides
from models.architectures.cnn import logits
from models.architectures.transformer import EPSILON, normalised, positions
from models.keras_runtime import keras
from sim.errors import ParameterError

LARGEST = {"cnn": 3800, "lstm": 6176, "gru": 5264, "transformer": 7792, "autoencoder": 4200}
"""Parameters for 3 channels and 4 classes."""


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_same_seed_gives_the_same_weights_and_another_one_others(name: str) -> None:
    first, again, other = (build(name, 1024, 3, 4, seed).get_weights() for seed in (5, 5, 6))
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    kernels = [(one, two) for one, two in zip(first, other, strict=True) if one.ndim > 1 and np.ptp(one) > 0]
    assert kernels
    assert all(not np.array_equal(one, two) for one, two in kernels)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_no_two_layers_start_alike(name: str) -> None:
    kernels = [
        w.ravel()[:8].tobytes() for w in build(name, 1024, 3, 4, 0).get_weights() if w.ndim > 1 and np.ptp(w) > 0
    ]
    assert len(set(kernels)) == len(kernels)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_parameters_stay_few(name: str) -> None:
    assert build(name, 1024, 3, 4, 0).count_params() == LARGEST[name]


def test_the_cnn_is_the_one_that_the_evaluation_of_augmentation_has_always_used() -> None:
    # Noted from models/conv.py before the network moved: docs/evaluation.md's figures rest on these very weights.
    weights = logits(1024, 3, 4, seed=7).get_weights()
    kernels, biases = weights[::2], weights[1::2]
    sums = [float(np.abs(each).sum(dtype=np.float64)) for each in kernels]
    assert sums == pytest.approx(
        [100.85569895181106, 189.82761243582354, 218.18244145713106, 20.704535752534866], rel=1e-6
    )
    firsts = [float(each.ravel()[0]) for each in kernels]
    assert firsts == pytest.approx([0.05017739534, -0.05417281389, -0.18945692480, 0.37803786993], rel=1e-6)
    assert not any(each.any() for each in biases)
    assert logits(1024, 3, 4, seed=7).layers[-1].activation is keras().activations.linear


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("shape", [(1024, 3, 4), (64, 1, 2), (100, 11, 3)])
def test_classifiers_answer_with_probabilities(name: str, shape: tuple[int, int, int]) -> None:
    length, channels, classes = shape
    x = np.random.default_rng(0).normal(size=(5, length, channels)).astype(np.float32)
    p = build(name, *shape, seed=1).predict(x, verbose=0)
    assert p.shape == (5, classes)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-5)


@pytest.mark.parametrize("name", ["lstm", "gru", "transformer"])
def test_recurrence_and_attention_see_64_steps(name: str) -> None:
    model = build(name, 1024, 3, 4, 0)
    assert model.get_layer("front2").output.shape[1] == 64
    if name != "transformer":
        assert model.get_layer(name).input.shape[1] == 64


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_saved_network_is_read_back_by_plain_keras(name: str, tmp_path: Path) -> None:
    model = build(name, 128, 3, 4, 0)
    model.save(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(3, 128, 3)).astype(np.float32)
    again = keras().models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_strides_leave_64_steps_at_most_or_all_there_are() -> None:
    assert strides(1024) == (4, 4)
    for length in range(16, 5000, 7):
        first, second = strides(length)
        steps = ceil(ceil(length / first) / second)
        assert steps == length if length <= 64 else 32 < steps <= 64


def test_normalisation_is_that_of_a_layer_norm_without_gain() -> None:
    x = np.random.default_rng(0).normal(3.0, 2.0, (2, 5, 24)).astype(np.float32)
    expected = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + EPSILON)
    np.testing.assert_allclose(np.asarray(normalised(x)), expected, rtol=1e-4, atol=1e-5)


def test_positions_are_told_apart() -> None:
    table = positions(64, 24)[0]
    apart = np.linalg.norm(table[:, None] - table[None], axis=-1)
    assert table.shape == (64, 24)
    assert apart[~np.eye(64, dtype=bool)].min() > 0.5


def test_an_untrained_transformer_hears_the_order_of_its_steps() -> None:
    model = build("transformer", 1024, 3, 4, 0)
    x = np.random.default_rng(0).normal(size=(1, 1024, 3)).astype(np.float32)
    blocks = x.reshape(1, 8, 128, 3)[:, ::-1].reshape(1, 1024, 3)
    assert np.abs(model.predict(x, verbose=0) - model.predict(blocks, verbose=0)).max() > 1e-3


def test_scores_are_the_mean_square_of_what_is_missing() -> None:
    x = np.zeros((2, 4, 3), np.float32)
    reconstructed = np.stack([np.full((4, 3), 2.0), np.zeros((4, 3))]).astype(np.float32)
    np.testing.assert_array_equal(scores(x, reconstructed), [4.0, 0.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("rnn", 1024, 3, 4), "no architecture 'rnn'; there are cnn, lstm, gru, transformer, autoencoder"),
        (("cnn", 8, 3, 4), "at least 16 samples"),
        (("cnn", 1024, 0, 4), "1 channel"),
        (("gru", 1024, 3, 1), "at least 2 classes"),
        (("autoencoder", 1000, 3, 2), "a multiple of 16 samples, not 1000"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(arguments: tuple[str, int, int, int], message: str) -> None:
    with pytest.raises(ParameterError, match=message) as error:
        build(*arguments, seed=0)
    assert "\n" not in str(error.value)
