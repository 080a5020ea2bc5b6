"""Keras, TFLite's reference kernels and TensorFlow Lite Micro on 1,000 windows: every difference has its cause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

pytest.importorskip("tensorflow", reason="no TensorFlow: pip install simtwin[train]")
pytest.importorskip("tflite_micro", reason="no TensorFlow Lite Micro: pip install simtwin[train]")

from models.architectures import ARCHITECTURES, CLASSIFIERS
from models.architectures.autoencoder import scores
from models.export import flatbuffer
from models.export.convert import convert
from models.export.interpreters import Lite, Micro
from models.export.parity import CAUSES, _Trace, parity, probabilities
from models.keras_runtime import keras
from models.preprocessing import to_float
from tests.models.export.made import MIXED, Made, windows
from tests.models.export.rounding import factor, once, twice

Exports = Callable[[str], Made]

MOST_LSB = {"FULLY_CONNECTED": 1, "BATCH_MATMUL": 1, "UNIDIRECTIONAL_SEQUENCE_LSTM": 12}
"""By how much an operator may differ on equal inputs; LSTM's is carried on over 64 steps."""


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_trained_networks_tell_the_classes_apart_and_int8_costs_at_most_a_hundredth_of_f1(
    name: str, exports: Exports
) -> None:
    model, exported = exports(name)
    found = exported.parity
    clear, truth = windows(1000, seed=7)
    assert (model.predict(to_float(clear), verbose=0).argmax(axis=1) == truth).mean() > 0.95
    assert (Micro(exported.converted.int8).run(clear).argmax(axis=1) == truth).mean() > 0.95
    assert found.rounding.windows == 1000  # of which many are hard to tell: there a difference shows
    assert found.f1_float is not None
    assert found.f1_drop is not None
    assert 0.85 < found.f1_float < 0.99
    assert found.f1_drop <= 0.01
    assert found.rounding.mean < 0.01


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_difference_between_the_int8_interpreters_has_a_known_cause(name: str, exports: Exports) -> None:
    found = exports(name).exported.parity.interpreters
    assert found.windows == 1000
    assert sum(found.causes.values()) == found.differing
    assert found.unexplained == 0
    assert found.differing <= 250
    assert found.decisions <= 5
    for operator, lsb in found.first_lsb.items():
        assert 1 <= lsb <= MOST_LSB[operator]


def test_the_figures_are_those_of_the_outputs(exports: Exports) -> None:
    model, exported = exports("transformer")
    check, _ = windows(1000, seed=1, level=MIXED)
    micro, lite = Micro(exported.converted.int8).run(check), Lite(exported.converted.int8).run(check)
    exact = model.predict(to_float(check), verbose=0)
    found = exported.parity
    assert found.interpreters.differing == int((micro != lite).any(axis=1).sum())
    assert found.rounding.decisions == int((micro.argmax(axis=1) != exact.argmax(axis=1)).sum())
    assert found.rounding.largest == pytest.approx(np.abs((micro + 128.0) / 256 - exact).max())


def test_a_threshold_makes_the_verdicts(exports: Exports) -> None:
    model, exported = exports("cnn")
    check, truth = windows(200, seed=2, level=MIXED)
    threshold = 10.5 / 256
    found = parity(model, exported.converted.int8, check, truth, threshold)
    p = [model.predict(to_float(check), verbose=0), probabilities(Micro(exported.converted.int8).run(check))]
    exact, rounded = (np.where(each[:, 1:].sum(axis=1) > threshold, each[:, 1:].argmax(axis=1) + 1, 0) for each in p)
    assert (exact != p[0].argmax(axis=1)).any()  # the threshold counts
    assert found.rounding.decisions == int((exact != rounded).sum())
    assert found.f1_float == pytest.approx(f1_score(truth, exact, average="macro"))
    assert found.f1_int8 == pytest.approx(f1_score(truth, rounded, average="macro"))


def test_the_autoencoders_score_survives_int8_and_ranks_faults_above_normal(exports: Exports) -> None:
    _, exported = exports("autoencoder")
    check, truth = windows(300, seed=3)
    reconstructed = Micro(exported.converted.int8).run(check)
    found = scores(to_float(check), to_float(reconstructed))
    assert np.quantile(found[truth > 0], 0.05) > np.quantile(found[truth == 0], 0.95)
    assert exported.parity.rounding.largest < 0.02


def test_a_trace_names_the_operator_that_differs(exports: Exports) -> None:
    content = exports("cnn").exported.converted.int8
    changed = flatbuffer.read(content)
    graph = changed.subgraphs[0]
    second = [each for each in graph.operators if flatbuffer.operator_name(changed, each) == "CONV_2D"][1]
    bias = changed.buffers[graph.tensors[int(second.inputs[2])].buffer]
    bias.data = np.frombuffer((bias.data.view(np.int32) + 4000).tobytes(), np.uint8)
    trace = _Trace(content)
    trace._lite = Lite(flatbuffer.write(changed), keep_tensors=True)
    name, lsb = trace.first_difference(windows(1, seed=4)[0])
    assert name == "CONV_2D"
    assert lsb > 0


def test_the_loops_body_alone_step_by_step_ends_in_the_loops_state(exports: Exports) -> None:
    content = exports("gru").exported.converted.int8
    tree = flatbuffer.read(content)
    loop = next(each for each in tree.subgraphs[0].operators if flatbuffer.operator_name(tree, each) == "WHILE")
    whole, body = Micro(content, keep_tensors=True), Micro(flatbuffer.subgraph_alone(tree, 2))
    for window in windows(20, seed=5)[0]:
        whole(window[None])
        sequence, state = whole.tensor(int(loop.inputs[1])).copy(), np.zeros((1, 24), np.int8)
        for step in range(64):
            body(np.array(step, np.int32), sequence, state)
            state = body.output(2).copy()
        assert state.any()
        np.testing.assert_array_equal(whole.tensor(int(loop.outputs[2])), state)


def test_fully_connected_rounds_once_in_tflite_and_twice_in_tflm() -> None:
    """Both interpreters' outputs, to the byte, in integer arithmetic of one's own: the cause that `CAUSES` names."""
    assert "FULLY_CONNECTED" in CAUSES
    draws = np.random.default_rng(0)
    inputs = keras().Input((16, 2))
    x = keras().layers.Flatten()(inputs)
    logits = keras().layers.Dense(24, bias_initializer=keras().initializers.RandomNormal(seed=1))(x)
    model = keras().Model(inputs, keras().layers.Softmax()(logits))
    content = convert(model, draws.integers(-127, 128, (50, 16, 2)).astype(np.int8)).int8
    tree = flatbuffer.read(content)
    graph = tree.subgraphs[0]
    dense = next(each for each in graph.operators if flatbuffer.operator_name(tree, each) == "FULLY_CONNECTED")
    source, kernel, bias, output = (graph.tensors[int(each)] for each in (*dense.inputs, *dense.outputs))
    check = draws.integers(-127, 128, (1000, 16, 2)).astype(np.int8)
    expected_once, expected_twice = _dense(tree, check.reshape(1000, 32), source, kernel, bias, output)
    micro, lite = Micro(content, keep_tensors=True), Lite(content, keep_tensors=True)
    number = int(dense.outputs[0])
    in_micro, in_lite = [], []
    for window in check:
        micro(window[None])
        lite(window[None])
        in_micro.append(micro.tensor(number).ravel().copy())
        in_lite.append(lite.tensor(number).ravel().copy())
    np.testing.assert_array_equal(np.stack(in_micro), expected_twice)
    np.testing.assert_array_equal(np.stack(in_lite), expected_once)
    assert (expected_once != expected_twice).any()


def _dense(tree: Any, x: Any, source: Any, kernel: Any, bias: Any, output: Any) -> list[Any]:
    """What a dense layer of 24 x 32 answers, rescaled in one rounding and in two."""
    weights = flatbuffer.constant(tree, kernel).view(np.int8).reshape(24, 32).astype(np.int64)  # type: ignore[union-attr]
    offsets = flatbuffer.constant(tree, bias).view(np.int32).astype(np.int64)  # type: ignore[union-attr]
    input_scale, input_zero = flatbuffer.scale(source)
    output_scale, output_zero = flatbuffer.scale(output)
    total = (x.astype(np.int64) - input_zero) @ weights.T + offsets
    by = factor(input_scale * kernel.quantization.scale.astype(np.float64) / output_scale)
    return [np.clip(rescale(total, *by) + output_zero, -128, 127) for rescale in (once, twice)]


def test_products_of_sequences_are_rescaled_by_a_float32_product_in_tflite_and_a_float64_one_in_tflm(
    exports: Exports,
) -> None:
    assert "BATCH_MATMUL" in CAUSES
    content = exports("transformer").exported.converted.int8
    tree = flatbuffer.read(content)
    tensors = tree.subgraphs[0].tensors
    products = [each for each in tree.subgraphs[0].operators if flatbuffer.operator_name(tree, each) == "BATCH_MATMUL"]
    assert len(products) == 2
    micro, lite = Micro(content, keep_tensors=True), Lite(content, keep_tensors=True)
    for window in windows(30, seed=8, level=MIXED)[0]:
        micro(window[None])
        lite(window[None])
        for product in products:
            numbers = [int(each) for each in (*product.inputs, *product.outputs)]
            (one, one_zero), (two, two_zero), (out, out_zero) = (flatbuffer.scale(tensors[each]) for each in numbers)
            for interpreter, scales in ((micro, one * two), (lite, float(np.float32(one) * np.float32(two)))):
                left, right, found = (interpreter.tensor(each)[0].astype(np.int64) for each in numbers)
                total = (left - one_zero) @ ((right.T if product.builtinOptions.adjY else right) - two_zero)
                expected = np.clip(twice(total, *factor(scales / out)) + out_zero, -128, 127)
                np.testing.assert_array_equal(found, expected)
