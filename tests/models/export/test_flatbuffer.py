"""Files come out small, aligned and as they went in; broken ones are refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="no TensorFlow: pip install simtwin[train]")
pytest.importorskip("tflite_micro", reason="no TensorFlow Lite Micro: pip install simtwin[train]")

from models.architectures import ARCHITECTURES
from models.export.flatbuffer import constant, read, schema, write
from models.export.interpreters import Micro
from sim.errors import DatasetError
from tests.models.export.made import Made, windows

Exports = Callable[[str], Made]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_constant_lies_at_a_multiple_of_16_bytes_and_is_there_once(name: str, exports: Exports) -> None:
    content = exports(name).exported.converted.int8
    root = schema().Model.GetRootAsModel(content, 0)
    assert root.BuffersLength() > 5
    found = [root.Buffers(number).DataAsNumpy() for number in range(root.BuffersLength())]
    full = [each for each in found if isinstance(each, np.ndarray)]
    base = np.frombuffer(content, np.uint8).__array_interface__["data"][0]
    assert {(each.__array_interface__["data"][0] - base) % 16 for each in full} == {0}
    assert len({each.tobytes() for each in full}) == len(full)


def test_reading_and_writing_again_changes_nothing(exports: Exports) -> None:
    content = exports("gru").exported.converted.int8
    again = write(read(content))
    assert again == content
    check = windows(10, seed=0)[0]
    np.testing.assert_array_equal(Micro(again).run(check), Micro(content).run(check))


def test_nothing_of_the_machine_or_the_day_is_in_the_file(exports: Exports) -> None:
    model = read(exports("lstm").exported.converted.int8)
    assert not model.metadata
    assert not model.signatureDefs
    assert not any(tensor.name for graph in model.subgraphs for tensor in graph.tensors)


def test_weights_are_found_in_the_file(exports: Exports) -> None:
    made = exports("cnn")
    model = read(made.exported.converted.int8)
    last = model.subgraphs[0].operators[-2]
    kernel = model.subgraphs[0].tensors[int(last.inputs[1])]
    stored = constant(model, kernel)
    assert stored is not None
    values = stored.view(np.int8).reshape(4, 24) * np.asarray(kernel.quantization.scale)[:, None]
    np.testing.assert_allclose(
        values, made.model.layers[-2].get_weights()[0].T, atol=kernel.quantization.scale.max() / 1.99
    )


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"\xff\xff\xff\x7fTFL3" + b"\xff" * 40])
def test_what_is_no_tflite_file_is_refused(content: bytes) -> None:
    with pytest.raises(DatasetError, match=r"^my.tflite: (not a|damaged) TFLite file"):
        read(content, "my.tflite")
