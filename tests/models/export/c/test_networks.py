"""Every network's C byte for byte as TensorFlow Lite Micro has it, on this machine and on the chip's instruction set."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("tensorflow", reason="no TensorFlow: pip install simtwin[train]")
pytest.importorskip("tflite_micro", reason="no TensorFlow Lite Micro: pip install simtwin[train]")

from models.architectures import ARCHITECTURES, build
from models.datasets.adi import Adi
from models.export import flatbuffer
from models.export.c.generate import generate
from models.export.convert import convert
from models.export.interpreters import Micro
from models.preprocessing import fit, to_counts
from sim.dataset.real import cut
from tests.models.export.c.chip import Chip
from tests.models.export.c.host import Int8, Library, Sanitized, description
from tests.models.export.conftest import Made
from tests.models.export.made import CHANNELS, CLASSES, LENGTH, MIXED, windows

Exports = Callable[[str], Made]

COUNT = 1000


@cache
def random() -> Int8:
    """Windows that no sensor gives: all values alike likely, only the ends of the range, or all the same."""
    draws = np.random.default_rng(7)
    x = draws.integers(-128, 128, (COUNT, LENGTH, CHANNELS))
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
    assert len(x) >= COUNT
    content = content_of(exports, name)
    said = flat(content, x)
    assert len(np.unique(said, axis=0)) > 50
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
    changed.buffers[3].data = np.frombuffer(bytes(changed.buffers[3].data)[::-1], np.uint8)
    other = generate(flatbuffer.write(changed), described)
    assert other.code.splitlines()[1] != generate(content, described).code.splitlines()[1]


def test_the_state_of_one_window_is_gone_in_the_next(exports: Exports, tmp_path: Path) -> None:
    x: NDArray[np.int8] = windows(6, 14, MIXED)[0]
    for name in ("lstm", "gru"):
        source = generate(content_of(exports, name), description(name, LENGTH, CHANNELS, CLASSES))
        library = Library(source, tmp_path / name)
        np.testing.assert_array_equal(library.run(x)[::-1], library.run(x[::-1]))


def broken_loop(content: bytes, change: Callable[[object], None]) -> bytes:
    changed = flatbuffer.read(content)
    change(changed)
    return flatbuffer.write(changed)
