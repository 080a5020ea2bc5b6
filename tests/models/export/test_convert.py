"""What comes out of the converter: exact scales, integers alone, the same bytes each time; and what it says when it fails."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="no TensorFlow: pip install simtwin[train]")
pytest.importorskip("tflite_micro", reason="no TensorFlow Lite Micro: pip install simtwin[train]")

from models.architectures import ARCHITECTURES, CLASSIFIERS, build
from models.export import convert as convert_module
from models.export.convert import ExportError, _check, convert
from models.export.flatbuffer import FLOAT32, INT8, operator_names, read, scale, shape
from models.export.gru import loop
from models.export.interpreters import Lite, Micro
from models.export.lstm import with_fused_lstm
from models.export.run import int8_level
from models.keras_runtime import keras
from models.preprocessing import to_float
from tests.models.export.made import MIXED, Made, windows

Exports = Callable[[str], Made]
SMALL = np.random.default_rng(0).integers(-127, 128, (20, 32, 2)).astype(np.int8)

OPERATORS = {
    "cnn": {"RESHAPE", "CONV_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX"},
    "lstm": {"RESHAPE", "CONV_2D", "UNIDIRECTIONAL_SEQUENCE_LSTM", "MEAN", "FULLY_CONNECTED", "SOFTMAX"},
    "gru": {
        "RESHAPE", "CONV_2D", "WHILE", "LESS", "GATHER", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "LOGISTIC", "TANH",
        "SOFTMAX",
    },
    "transformer": {
        "RESHAPE", "CONV_2D", "TANH", "ADD", "SUB", "MUL", "MEAN", "RSQRT", "BATCH_MATMUL", "FULLY_CONNECTED", "SOFTMAX",
    },
    "autoencoder": {"RESHAPE", "CONV_2D"},
}  # fmt: skip
"""All that the firmware's generator has to know."""


def network(*layers: Any) -> Any:
    """A Keras model of windows (32, 2)."""
    inputs = x = keras().Input((32, 2))
    for layer in layers:
        x = layer(x)
    return keras().Model(inputs, x, name="small")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_scales_are_exact_and_nothing_is_left_in_floating_point(name: str, exports: Exports) -> None:
    model = read(exports(name).exported.converted.int8)
    graph = model.subgraphs[0]
    first, last = graph.tensors[int(graph.inputs[0])], graph.tensors[int(graph.outputs[0])]
    assert (shape(first), first.type, scale(first)) == ((1, 1024, 3), INT8, (1 / 32, 0))
    expected = ((1, 4), (1 / 256, -128)) if name in CLASSIFIERS else ((1, 1024, 3), (1 / 32, 0))
    assert (shape(last), scale(last)) == expected
    used = [
        tensor for each in model.subgraphs for tensor in each.tensors if 0 not in shape(tensor)
    ]  # LSTM lists empty ones
    assert all(tensor.type != FLOAT32 for tensor in used)
    assert set(operator_names(model)) == OPERATORS[name]


@pytest.mark.parametrize("name", ["gru", "lstm"])  # the two that are rebuilt on the way
def test_the_same_network_gives_the_same_bytes_in_another_process(name: str, exports: Exports) -> None:
    model, exported = exports(name)
    assert convert(model, windows(200, seed=0, level=MIXED)[0]) == exported.converted


def test_the_gru_loop_has_one_scale_for_its_state(exports: Exports) -> None:
    model = read(exports("gru").exported.converted.int8)
    main, _, body = model.subgraphs
    (loop,) = [each for each in main.operators if len(each.outputs) == 3]
    states = [main.tensors[int(loop.inputs[2])], main.tensors[int(loop.outputs[2])]]
    states += [body.tensors[int(body.inputs[2])], body.tensors[int(body.outputs[2])]]
    assert [scale(state) for state in states] == [(1 / 128, 0)] * 4


def test_the_lstms_twin_computes_what_keras_does() -> None:
    layers = keras().layers
    for model in (build("lstm", 32, 2, 4, 0), network(layers.LSTM(4))):
        x = to_float(SMALL)
        np.testing.assert_allclose(with_fused_lstm(model).predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)


def test_the_lstm_starts_afresh_with_every_window(exports: Exports) -> None:
    content = exports("lstm").exported.converted.int8
    check = windows(200, seed=6, level=MIXED)[0]
    for kind in (Micro, Lite):
        expected, interpreter = kind(content).run(check), kind(content)
        np.testing.assert_array_equal(interpreter.run(check[::-1])[::-1], expected)
    micro, carried_on = Micro(content), []
    for window in check:  # without a reset the state is carried on, so the test above tells
        micro._interpreter.set_input(window[None], 0)
        micro._interpreter.invoke()
        carried_on.append(micro.output(0)[0].copy())
    assert (np.stack(carried_on) != Micro(content).run(check)).any()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_dynamic_range_model_stays_close_to_keras(name: str, exports: Exports) -> None:
    exported = exports(name).exported
    assert exported.dynamic_difference < 0.1
    first = Lite(exported.converted.dynamic, reference=False)
    assert first(to_float(windows(1, seed=0)[0])).dtype == np.float32


def test_a_converter_that_dies_is_reported_in_one_line() -> None:
    # Crashes inside TensorFlow's converter: a loop that nobody took apart.
    layers = keras().layers
    with pytest.raises(
        ExportError, match=r"^small: TensorFlow's converter crashed \(SIG\w+\) while making the int8 model"
    ):
        convert(network(layers.SimpleRNN(4), layers.Dense(2, "softmax")), SMALL)


def test_models_that_the_firmware_could_not_run_are_refused(exports: Exports) -> None:
    (classifier, cnn), (reconstructs, _) = exports("cnn"), exports("autoencoder")
    _check(classifier, cnn.converted.int8)
    with pytest.raises(ExportError, match=r"^cnn: the converter left \w+ in floating point"):
        _check(classifier, cnn.converted.dynamic)
    with pytest.raises(ExportError, match=r"output scale \(0\.00390625, -128\); needed are .* and \(0\.03125, 0\)"):
        _check(reconstructs, cnn.converted.int8)


def test_recurrent_layers_that_the_rebuilt_ones_do_not_equal_are_refused() -> None:
    layers = keras().layers
    with pytest.raises(ValueError, match=r"the LSTM layer .* has another go_backwards than False"):
        with_fused_lstm(network(layers.LSTM(4, go_backwards=True)))
    backwards = network(layers.GRU(4, go_backwards=True))
    with pytest.raises(ValueError, match="one GRU layer as Keras makes it is needed; this has another go_backwards"):
        loop(backwards, to_float(SMALL), lambda *_: pytest.fail("nothing may be converted"))


@pytest.mark.parametrize("given", [SMALL[:0], SMALL[:, :16], SMALL.astype(np.float32), SMALL[0]])
def test_calibration_windows_that_do_not_fit_are_refused(given: np.ndarray) -> None:
    model = network(keras().layers.Flatten(), keras().layers.Dense(2, "softmax"))
    with pytest.raises(ExportError, match=r"small: needs int8 windows \(n, 32, 2\) to calibrate; given: "):
        convert(model, given)


def test_a_converter_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: Any, **options: Any) -> Any:
        raise subprocess.TimeoutExpired("worker", options["timeout"])

    monkeypatch.setattr(convert_module.subprocess, "run", hang)
    model = network(keras().layers.Flatten(), keras().layers.Dense(2, "softmax"))
    with pytest.raises(ExportError, match="took more than 3 s"):
        convert(model, SMALL, timeout_s=3)


def test_the_firmwares_threshold_flags_what_the_float_one_flags() -> None:
    for step in (0, 100, 254):
        level = int8_level("cnn", (step + 0.5) / 256, 1024, 3)
        assert [whole > level for whole in (step, step + 1)] == [False, True]
    level = int8_level("autoencoder", 0.2, 1024, 3)
    squares = np.array([level, level + 1])
    np.testing.assert_array_equal(squares / 32**2 / 3072 > 0.2, [False, True])
