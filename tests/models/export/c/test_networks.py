"""Every network's C byte for byte as TensorFlow Lite Micro has it, on this machine and on the chip's instruction set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("tensorflow", reason="no TensorFlow: pip install simtwin[train]")
pytest.importorskip("tflite_micro", reason="no TensorFlow Lite Micro: pip install simtwin[train]")

from models.architectures import ARCHITECTURES, build
from models.datasets.adi import Adi
from models.export import flatbuffer
from models.export.c.describe import Description
from models.export.c.generate import generate
from models.export.c.library import Library
from models.export.convert import ExportError, convert
from models.export.interpreters import Micro
from models.preprocessing import Preprocessing, fit, to_counts
from sim.dataset.real import cut
from tests.models.export.c.chip import Chip
from tests.models.export.c.host import Int8, Sanitized, description, printed_description
from tests.models.export.conftest import Made
from tests.models.export.made import CHANNELS, CLASSES, LENGTH, MIXED, windows

Exports = Callable[[str], Made]

COUNT = 1000


@cache
def random() -> Int8:
    """Windows that no sensor gives: all values alike likely, noise of any level, only the ends of the range, or all equal."""
    draws = np.random.default_rng(7)
    x = draws.integers(-128, 128, (COUNT, LENGTH, CHANNELS))
    level = draws.uniform(1, 60, (COUNT // 4, 1, CHANNELS))
    x[COUNT // 4 : COUNT // 2] = np.clip(
        np.rint(level * draws.standard_normal((COUNT // 4, LENGTH, CHANNELS))), -128, 127
    )
    x[COUNT // 2 :: 4] = draws.choice([-128, 127], x[COUNT // 2 :: 4].shape)
    x[-256:] = np.arange(-128, 128)[:, None, None]
    return x.astype(np.int8)


@cache
def real() -> Int8:
    """Preprocessed windows of the ADI recordings."""
    if not Adi().there():
        pytest.skip("no data: `simtwin data fetch adi` or SIMTWIN_DATA")
    recordings = Adi().read()
    samples = np.concatenate([cut(each.samples, LENGTH) for each in recordings])
    steps = np.linspace(0, len(samples) - 1, COUNT).astype(int)
    made = fit(samples[steps], recordings[0].channels, recordings[0].rate_hz)
    return made.apply(to_counts(samples[steps], made.lsb))


def flat(content: bytes, x: Int8) -> Int8:
    """What TensorFlow Lite Micro says, (n, outputs)."""
    return Micro(content).run(x).reshape(len(x), -1)


def content_of(exports: Exports, name: str) -> bytes:
    return exports(name).exported.converted.int8


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("kind", ["lifelike", "random", "real"])
def test_a_network_is_as_in_tflm_with_the_sanitizers_on(name: str, kind: str, exports: Exports, tmp_path: Path) -> None:
    x = {"lifelike": lambda: windows(COUNT, 11, MIXED)[0], "random": random, "real": real}[kind]()
    assert len(np.unique(x.reshape(len(x), -1), axis=0)) >= COUNT
    content = content_of(exports, name)
    said = flat(content, x)
    assert len(np.unique(said, axis=0)) > 20
    source = generate(content, description(name, LENGTH, CHANNELS, CLASSES))
    np.testing.assert_array_equal(Sanitized(source, tmp_path).run(x), said)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_network_is_as_in_tflm_on_the_chips_instruction_set(name: str, exports: Exports, tmp_path: Path) -> None:
    content = content_of(exports, name)
    x = np.concatenate([windows(20, 12, MIXED)[0], random()[::50]])
    chip = Chip(generate(content, description(name, LENGTH, CHANNELS, CLASSES)), tmp_path)
    np.testing.assert_array_equal([chip.run(each) for each in x], flat(content, x))
    assert chip.size.missing == ()  # no libm, no heap, no helper of the compiler
    assert chip.size.data == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("kind", ["random", "real"])
def test_a_thousand_windows_on_the_chips_instruction_set(
    name: str, kind: str, exports: Exports, tmp_path: Path
) -> None:
    content = content_of(exports, name)
    x = {"random": random, "real": real}[kind]()
    chip = Chip(generate(content, description(name, LENGTH, CHANNELS, CLASSES)), tmp_path)
    np.testing.assert_array_equal([chip.run(each) for each in x], flat(content, x))


SHAPES = {
    "cnn": (250, 1, 2),
    "lstm": (64, 6, 3),
    "gru": (100, 2, 7),
    "transformer": (144, 3, 2),
    "autoencoder": (96, 2, 2),
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_windows_of_another_length_other_channels_and_classes(name: str, tmp_path: Path) -> None:
    length, channels, classes = SHAPES[name]
    x = np.random.default_rng(3).integers(-128, 128, (COUNT, length, channels)).astype(np.int8)
    content = convert(build(name, length, channels, classes, seed=4), np.clip(x[:50], -127, 127)).int8
    source = generate(content, description(name, length, channels, classes))
    np.testing.assert_array_equal(Library(source, tmp_path).run(x), flat(content, x))


def test_an_lstm_whose_gates_and_cells_are_at_their_limits(exports: Exports, tmp_path: Path) -> None:
    changed = flatbuffer.read(content_of(exports, "lstm"))
    graph = changed.subgraphs[0]
    lstm = next(
        each for each in graph.operators if flatbuffer.operator_name(changed, each) == "UNIDIRECTIONAL_SEQUENCE_LSTM"
    )
    for number in lstm.inputs[1:9]:
        graph.tensors[number].quantization.scale = graph.tensors[number].quantization.scale * np.float32(37)
    lstm.builtinOptions.cellClip = 0.7
    content = flatbuffer.write(changed)
    x = np.concatenate([random()[::4], windows(250, 13, MIXED)[0]])
    source = generate(content, description("lstm", LENGTH, CHANNELS, CLASSES))
    np.testing.assert_array_equal(Sanitized(source, tmp_path).run(x), flat(content, x))


def test_same_file_same_bytes_and_another_file_another_hash(exports: Exports) -> None:
    content = content_of(exports, "gru")
    described = description("gru", LENGTH, CHANNELS, CLASSES)
    assert generate(content, described) == generate(content, described)
    changed = flatbuffer.read(content)
    weights = max((each for each in changed.buffers if each.data is not None), key=lambda each: len(each.data))
    weights.data = np.frombuffer(bytes(weights.data)[::-1], np.uint8)
    other = generate(flatbuffer.write(changed), described)
    assert other.code.splitlines()[1] != generate(content, described).code.splitlines()[1]


def test_the_state_of_one_window_is_gone_in_the_next(exports: Exports, tmp_path: Path) -> None:
    x: NDArray[np.int8] = windows(6, 14, MIXED)[0]
    for name in ("lstm", "gru"):
        source = generate(content_of(exports, name), description(name, LENGTH, CHANNELS, CLASSES))
        library = Library(source, tmp_path / name)
        np.testing.assert_array_equal(library.run(x)[::-1], library.run(x[::-1]))


LOOPS: list[tuple[str, Callable[[Any], None]]] = [
    ("fewer turns than steps", lambda model: _set_constant(model, 1, 0, 1, 63)),
    ("a counter that goes by two", lambda model: _set_constant(model, 2, -1, 1, 2)),
    ("a counter that starts at one", lambda model: _set_start(model)),
]


@pytest.mark.parametrize(("_", "change"), LOOPS, ids=[name for name, _ in LOOPS])
def test_a_loop_of_another_form_is_refused(_: str, change: Callable[[Any], None], exports: Exports) -> None:
    changed = flatbuffer.read(content_of(exports, "gru"))
    change(changed)
    with pytest.raises(ExportError, match="no C for WHILE of another form than: a counter from 0, LESS"):
        generate(flatbuffer.write(changed), description("gru", LENGTH, CHANNELS, CLASSES))


def _set_constant(model: Any, graph: int, operator: int, given: int, value: int) -> None:
    """Give an input of an operator a constant of its own."""
    part = model.subgraphs[graph]
    tensor = part.tensors[int(part.operators[operator].inputs[given])]
    _own_buffer(model, tensor, value)


def _set_start(model: Any) -> None:
    part = model.subgraphs[0]
    loop = next(each for each in part.operators if flatbuffer.operator_name(model, each) == "WHILE")
    _own_buffer(model, part.tensors[int(loop.inputs[0])], 1)


def _own_buffer(model: Any, tensor: Any, value: int) -> None:
    buffer = flatbuffer.schema().BufferT()
    buffer.data = np.frombuffer(np.int32(value).tobytes(), np.uint8)
    tensor.buffer = len(model.buffers)
    model.buffers.append(buffer)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": ("normal", "a")}, "whose output is 4; allowed is 2 to 2"),
        ({"threshold_int8": -1}, "whose threshold_int8 is -1; allowed is 0 to 4294967295"),
        ({"preprocessing": {"lsb": (5.0, 1.0, 1.0)}}, r"whose lsb of channel0_g, 1e-9 is 5000000000; allowed is 1 to"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(change: dict[str, Any], message: str, exports: Exports) -> None:
    described = description("cnn", LENGTH, CHANNELS, CLASSES)
    if "preprocessing" in change:
        change = {"preprocessing": described.preprocessing.model_copy(update=change["preprocessing"])}
    with pytest.raises(ExportError, match=f"^no C for a model {message}"):
        generate(content_of(exports, "cnn"), replace(described, **change))


def test_the_description_is_what_the_firmware_reads(exports: Exports, tmp_path: Path) -> None:
    # Through the fixed header, by a program, so that names, order and types are those of the struct.
    content = content_of(exports, "cnn")
    made = Preprocessing(
        channels=("x_g", 'od"d\n_dps', "é"), lsb=(0.000122, 0.07, 1.5), rate_hz=3332.5, window=4 * 1023 + 5, hop=77,
        length=1024, decimation=4, taps=(-5, 300, 32000, 300, -5), offset=(0, 0, 0), scaling="log", knee=(1, 2, 3),
        gain=(65535, 2, 3), shift=(1, 2, 16),
    )  # fmt: skip
    described = Description("cnn", ("normal", "a", "b", "c"), 123, made)
    source = generate(content, described)
    assert printed_description(source, tmp_path).splitlines() == [
        sha256(content).hexdigest(), "cnn", "normal a b c", "123 3332500", "4097 77 1024 4",
        f"3072 4 {source.scratch_bytes}", "0 1 1 1", "x_g 122000 0 65535 1 1 1", 'od"d', "_dps 70000000 0 2 2 2 2",
        "é 1500000000 0 3 16 3 0", "-5 300 32000 300 -5",
    ]  # fmt: skip
