"""Every operator byte for byte as TensorFlow Lite Micro has it, on random inputs and those at the ends of the range."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("tflite_micro", reason="no TensorFlow Lite Micro: pip install simtwin[train]")

from models.export.c.code import Code
from models.export.c.graph import Value
from models.export.c.library import compiler
from models.export.c.operators import lstm
from models.export.c.operators.tables import asked
from models.export.convert import ExportError
from tests.models.export.c.single import Single, check, inputs, source_of

EVERY_PAIR = np.stack(np.meshgrid(np.arange(-128, 128), np.arange(-128, 128), indexing="ij")).astype(np.int8)
"""Two (256, 256) that hold every pair of int8."""
COUNT = 1000


def weights(seed: int, *shape: int) -> NDArray[np.int8]:
    """Symmetric ones, as the converter makes them; the first output's at the ends of the range."""
    made = np.random.default_rng(seed).integers(-127, 128, shape).astype(np.int8)
    made[0] = np.where(made[0] < 0, -127, 127)
    return made


def biases(seed: int, count: int, reach: int = 20_000) -> NDArray[np.int32]:
    return np.random.default_rng(seed).integers(-reach, reach, count).astype(np.int32)


@pytest.mark.parametrize(
    ("steps", "channels", "filters", "kernel", "stride", "same", "activation", "zero"),
    [
        (64, 3, 12, 16, 4, True, 1, 0),
        (37, 5, 3, 7, 3, True, 0, 11),
        (37, 5, 3, 7, 3, False, 3, -128),
        (20, 1, 1, 1, 1, True, 0, 5),
        (21, 2, 5, 2, 4, False, 0, -7),
        (9, 4, 8, 15, 1, True, 2, 3),
    ],
)
def test_conv_2d(
    steps: int, channels: int, filters: int, kernel: int, stride: int, same: bool, activation: int, zero: int,
    tmp_path: Path,
) -> None:  # fmt: skip
    model = Single((1, 1, steps, channels), 0.05, zero)
    rows = -(-steps // stride) if same else -(-(steps - kernel + 1) // stride)
    scales = np.linspace(0.002, 0.01, filters)
    inputs_of = [
        model.input,
        model.tensor((filters, 1, kernel, channels), scales, 0, weights(1, filters, 1, kernel, channels)),
        model.tensor((filters,), 0.05 * scales, 0, biases(2, filters)),
    ]
    out = model.tensor((1, 1, rows, filters), 0.09, -4)
    padding = 0 if same else 1
    model.add(
        "CONV_2D", inputs_of, out, padding=padding, strideW=stride, strideH=1, dilationWFactor=1, dilationHFactor=1,
        fusedActivationFunction=activation,
    )  # fmt: skip
    said = check(model.content(out), inputs((1, 1, steps, channels), COUNT), tmp_path)
    assert len(np.unique(said)) > 10


def conv(model: Single, x: int, steps: int, channels: int, filters: int, stride: int, seed: int) -> tuple[int, int]:
    """Another convolution of 5 taps behind a tensor; its output and its steps."""
    rows = -(-steps // stride)
    out = model.tensor((1, 1, rows, filters), 0.2, -9)
    model.add(
        "CONV_2D",
        [
            x, model.tensor((filters, 1, 5, channels), 0.004, 0, weights(seed, filters, 1, 5, channels)),
            model.tensor((filters,), 0.001, 0, biases(seed, filters)),
        ],
        out, padding=0, strideW=stride, strideH=1, dilationWFactor=1, dilationHFactor=1, fusedActivationFunction=0,
    )  # fmt: skip
    return out, rows


def test_a_convolution_behind_others_pulls_their_rows(tmp_path: Path) -> None:
    model = Single((1, 1, 50, 2))
    first, rows = conv(model, model.input, 50, 2, 6, 2, 1)
    turned = model.add("TANH", [first], model.tensor((1, 1, rows, 6), 1 / 128))
    second, rows = conv(model, turned, rows, 6, 4, 3, 2)
    third, _ = conv(model, second, rows, 4, 3, 1, 3)
    content = model.content(third)
    check(content, inputs((1, 1, 50, 2), COUNT), tmp_path)
    assert source_of(content).scratch_bytes < 100  # and not 25 * 6 + 9 * 4: none is kept as a whole


@pytest.mark.parametrize("stride", [1, 2])
def test_what_a_convolution_reads_may_be_read_by_others_too(stride: int, tmp_path: Path) -> None:
    model = Single((1, 1, 24, 3))
    first, _ = conv(model, model.input, 24, 3, 4, 1, 1)
    second, rows = conv(model, first, 24, 4, 4, stride, 2)
    other, _ = conv(model, first, 24, 4, 4, stride, 3)
    both = model.add("ADD", [second, other], model.tensor((1, 1, rows, 4), 0.3), fusedActivationFunction=0)
    if stride == 1:
        both = model.add("ADD", [both, first], model.tensor((1, 1, rows, 4), 0.4), fusedActivationFunction=1)
    check(model.content(both), inputs((1, 1, 24, 3), COUNT), tmp_path)


@pytest.mark.parametrize(
    ("rows", "width", "outputs", "scales", "biased", "activation", "out_scale"),
    [
        (1, 24, 4, [0.01] * 4, True, 0, 0.3),
        (1, 7, 5, [0.01], True, 1, 0.1),
        (6, 48, 24, list(np.linspace(1e-4, 0.02, 24)), False, 0, 0.2),
        (3, 2, 3, [0.02, 0.9, 4.0], True, 3, 0.021),  # factors of 1 and above: shifts to the left
        (2, 9, 1, [0.5], True, 0, 0.02),
    ],
)
def test_fully_connected(
    rows: int, width: int, outputs: int, scales: list[float], biased: bool, activation: int, out_scale: float,
    tmp_path: Path,
) -> None:  # fmt: skip
    model = Single((1, rows, width), 0.04, -17)
    given = [model.input, model.tensor((outputs, width), scales, 0, weights(4, outputs, width))]
    given += [model.tensor((outputs,), 0.04 * np.array(scales), 0, biases(5, outputs, 5000))] if biased else [-1]
    out = model.tensor((1, rows, outputs), out_scale, 6)
    model.add("FULLY_CONNECTED", given, out, fusedActivationFunction=activation, keepNumDims=True)
    check(model.content(out), inputs((1, rows, width), COUNT), tmp_path)


PAIRS: list[tuple[str, float, float, float]] = [
    ("ADD", 0.05, 0.05, 0.1), ("ADD", 0.05, 0.013, 0.04), ("ADD", 0.002, 0.05, 0.05), ("ADD", 1.0, 0.001, 0.02),
    ("SUB", 0.05, 0.05, 0.1), ("SUB", 0.05, 0.013, 0.04), ("SUB", 0.002, 0.05, 0.05), ("SUB", 0.05, 0.09, 0.001),
    ("MUL", 0.05, 0.013, 0.04), ("MUL", 0.05, 0.05, 0.0001), ("MUL", 1 / 256, 1 / 128, 1 / 128), ("MUL", 2.0, 3.0, 0.5),
]  # fmt: skip


@pytest.mark.parametrize(("name", "a_scale", "b_scale", "out_scale"), PAIRS)
@pytest.mark.parametrize("constant_first", [False, True])
def test_add_sub_and_mul_of_every_pair_of_values(
    name: str, a_scale: float, b_scale: float, out_scale: float, constant_first: bool, tmp_path: Path
) -> None:
    a, b = EVERY_PAIR
    model = Single((1, 256, 256), a_scale, -5)
    constant = model.tensor((1, 256, 256), b_scale, 23, b)
    pair = [constant, model.input] if constant_first else [model.input, constant]
    out = model.add(name, pair, model.tensor((1, 256, 256), out_scale, 2), fusedActivationFunction=0)
    said = check(model.content(out), a[None], tmp_path)
    assert len(np.unique(said)) > 10


@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL"])
@pytest.mark.parametrize("shape", [(1, 1, 6), (6,), (1,), (1, 9, 1), (1, 9, 6)])
@pytest.mark.parametrize("activation", [0, 1])
def test_operands_of_one_row_one_column_or_one_value(
    name: str, shape: tuple[int, ...], activation: int, tmp_path: Path
) -> None:
    model = Single((1, 9, 6))
    data = np.random.default_rng(3).integers(-128, 128, shape).astype(np.int8)
    constant = model.tensor(shape, 0.03, 4, data)
    out = model.tensor((1, 9, 6), 0.05, -20)
    model.add(name, [model.input, constant], out, fusedActivationFunction=activation)
    check(model.content(out), inputs((1, 9, 6), COUNT), tmp_path)


@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL"])
@pytest.mark.parametrize("over", [1, 2])
@pytest.mark.parametrize("swapped", [False, True])
def test_operands_that_are_computed(name: str, over: int, swapped: bool, tmp_path: Path) -> None:
    model = Single((1, 9, 6))
    shape = (1, 9, 1) if over == 2 else (1, 1, 6)
    mean = model.add("MEAN", [model.input, model.numbers([over])], model.tensor(shape, 0.011, 7), keepDims=True)
    pair = [mean, model.input] if swapped else [model.input, mean]
    out = model.add(name, pair, model.tensor((1, 9, 6), 0.05, -2), fusedActivationFunction=0)
    check(model.content(out), inputs((1, 9, 6), COUNT), tmp_path)


FUNCTIONS: list[tuple[str, float, int, float, int]] = [
    ("LOGISTIC", 0.05, 3, 1 / 256, -128), ("LOGISTIC", 0.2, -100, 1 / 256, -128),
    ("TANH", 0.03, 20, 1 / 128, 0), ("TANH", 0.3, 0, 1 / 128, 0),
    ("RSQRT", 0.01, -128, 0.01, -128), ("RSQRT", 0.0004, -128, 0.2, -128),
    ("QUANTIZE", 0.03, 20, 0.07, -8), ("QUANTIZE", 0.07, 0, 0.03, 5),
]  # fmt: skip


@pytest.mark.parametrize(("name", "scale", "zero", "out_scale", "out_zero"), FUNCTIONS)
def test_functions_of_every_value(
    name: str, scale: float, zero: int, out_scale: float, out_zero: int, tmp_path: Path
) -> None:
    model = Single((1, 4, 64), scale, zero)
    out = model.add(name, [model.input], model.tensor((1, 4, 64), out_scale, out_zero))
    said = check(model.content(out), EVERY_PAIR[0, :, 0].reshape(1, 4, 64), tmp_path)
    assert len(np.unique(said)) > 10


def test_functions_in_a_row_become_one_table_unless_another_reads_between(tmp_path: Path) -> None:
    for readers, tables in ((1, 1), (2, 2)):
        model = Single((1, 4, 64), 0.01, -128)
        tiny = model.tensor((), 0.001, -128, np.full((), 100, np.int8))
        more = model.add("ADD", [model.input, tiny], model.tensor((1, 4, 64), 0.01, -128), fusedActivationFunction=0)
        root = model.add("RSQRT", [more], model.tensor((1, 4, 64), 0.02, -128))
        out = model.add("QUANTIZE", [root], model.tensor((1, 4, 64), 0.03, 0))
        if readers == 2:
            out = model.add("MUL", [out, root], model.tensor((1, 4, 64), 0.05, 0), fusedActivationFunction=0)
        content = model.content(out)
        check(content, EVERY_PAIR[0, :, 0].reshape(1, 4, 64), tmp_path / str(readers))
        assert source_of(content).code.count("look_up(data") == tables


@pytest.mark.parametrize(
    ("rows", "width", "scale", "beta"),
    [(1, 4, 0.05, 1.0), (1, 2, 0.7, 1.0), (1, 3, 0.001, 1.0), (5, 64, 0.12, 1.0), (1, 300, 0.02, 1.0), (2, 9, 0.1, 0.5),
     (1, 5, 6.0, 1.0), (1, 1, 0.1, 1.0)],
)  # fmt: skip
def test_softmax(rows: int, width: int, scale: float, beta: float, tmp_path: Path) -> None:
    model = Single((1, rows, width), scale, -9)
    out = model.add("SOFTMAX", [model.input], model.tensor((1, rows, width), 1 / 256, -128), beta=beta)
    x = inputs((1, rows, width), 2 * COUNT)
    check(model.content(out), x, tmp_path)


@pytest.mark.parametrize("scale", [0.004, 0.03, 0.2])
def test_softmax_of_every_pair_of_values(scale: float, tmp_path: Path) -> None:
    model = Single((1, 1, 2), scale)
    out = model.add("SOFTMAX", [model.input], model.tensor((1, 1, 2), 1 / 256, -128), beta=1.0)
    check(model.content(out), EVERY_PAIR.reshape(2, -1).T[:, None, :], tmp_path)


@pytest.mark.parametrize("rows", [1, 3, 24, 64, 1000])
@pytest.mark.parametrize("over", [1, 2])
@pytest.mark.parametrize("scales", [(0.05, 0.05), (0.05, 0.02), (0.05, 0.0101), (0.01, 0.3)])
def test_mean(rows: int, over: int, scales: tuple[float, float], tmp_path: Path) -> None:
    shape = (1, rows, 5) if over == 1 else (1, 5, rows)
    if rows == 1:
        shape = (1, 2, 5) if over == 1 else (1, 5, 2)
    model = Single(shape, scales[0], 31)
    out = model.tensor(tuple(1 if axis == over else size for axis, size in enumerate(shape)), scales[1], -70)
    model.add("MEAN", [model.input, model.numbers([over])], out, keepDims=True)
    check(model.content(out), inputs(shape, COUNT if rows < 1000 else 200), tmp_path)


def dense(model: Single, x: int, rows: int, width: int, outputs: int, seed: int, zero: int) -> int:
    matrix = model.tensor((outputs, width), 0.01, 0, weights(seed, outputs, width))
    out = model.tensor((1, rows, outputs), 0.06, zero)
    return model.add("FULLY_CONNECTED", [x, matrix, -1], out, fusedActivationFunction=0, keepNumDims=True)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize(("rows", "width"), [(8, 12), (9, 6), (3, 5)])
def test_batch_matmul_and_transpose(turned: bool, transpose: bool, rows: int, width: int, tmp_path: Path) -> None:
    model = Single((1, rows, width))
    a = dense(model, model.input, rows, width, rows if turned is transpose else width, 1, 9)
    b = dense(model, model.input, rows, width, width, 2, -30)
    if transpose:
        b = model.add("TRANSPOSE", [b, model.numbers([0, 2, 1])], model.tensor((1, width, rows), 0.06, -30))
    outputs = width if turned is transpose else rows
    out = model.tensor((1, rows, outputs), 0.5, 3)
    model.add("BATCH_MATMUL", [a, b], out, adjX=False, adjY=turned)
    check(model.content(out), inputs((1, rows, width), COUNT), tmp_path)


def test_transpose_alone(tmp_path: Path) -> None:
    model = Single((1, 7, 5))
    out = model.add("TRANSPOSE", [model.input, model.numbers([0, 2, 1])], model.tensor((1, 5, 7)))
    check(model.content(out), inputs((1, 7, 5), 20), tmp_path)


@pytest.mark.parametrize("row", [0, 3, -1])
def test_strided_slice_of_a_row(row: int, tmp_path: Path) -> None:
    model = Single((1, 7, 5))
    ends = [1, row + 1 if row >= 0 else 2**31 - 1, 5]
    out = model.tensor((1, 5))
    given = [model.input, model.numbers([0, row, 0]), model.numbers(ends), model.numbers([1, 1, 1])]
    model.add(
        "STRIDED_SLICE", given, out, beginMask=0b101, endMask=0b101, shrinkAxisMask=0b010, ellipsisMask=0, newAxisMask=0
    )
    check(model.content(out), inputs((1, 7, 5), 20), tmp_path)


def test_reshapes_to_other_rows_cost_nothing_but_memory(tmp_path: Path) -> None:
    model = Single((1, 6, 4))
    first = dense(model, model.input, 6, 4, 8, 1, 0)
    second = model.add("RESHAPE", [first, model.numbers([1, 12, 4])], model.tensor((1, 12, 4), 0.06, 0))
    out = dense(model, second, 12, 4, 3, 2, 1)
    last = model.add("RESHAPE", [out, model.numbers([1, 36])], model.tensor((1, 36), 0.06, 1))
    check(model.content(last), inputs((1, 6, 4), COUNT), tmp_path)


@pytest.fixture(scope="module")
def gates(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """sigmoid_q15 and tanh_q15 of kernels/lstm.c as they are generated, to be called from here."""
    folder = tmp_path_factory.mktemp("gates")
    code = Code()
    code.needs("lstm")
    code.named_table(lstm.sigmoid_table())
    calls = """
void every_sigmoid(const int32_t *x, int32_t *y, int32_t n) { for (int32_t i = 0; i < n; i++) y[i] = sigmoid_q15(x[i]); }
void every_tanh(const int32_t *x, int32_t *y, int32_t n) { for (int32_t i = 0; i < n; i++) y[i] = tanh_q15(x[i]); }
"""
    (folder / "gates.c").write_text(f"#include <stdint.h>\n{code.text()}{calls}")
    subprocess.run([compiler(), "-shared", "-fPIC", "gates.c", "-o", "gates.so"], cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "gates.so"))


@pytest.mark.parametrize(("name", "power"), [("LOGISTIC", -12), *(("TANH", power) for power in range(-15, -5))])
def test_the_gates_functions_of_every_int16(name: str, power: int, gates: ctypes.CDLL) -> None:
    # Against TFLM's int16 operators, which are what its LSTM calls.
    x = np.arange(-32768, 32768, dtype=np.int32)
    level = Value((x.size,), np.int16, (2.0**-15,))
    said = asked(name, None, (Value((x.size,), np.int16, (2.0**power,)),), level, x.astype(np.int16))
    if name == "TANH":
        factor, right = lstm.tanh_scaling(power)
        x = (x * factor + ((1 << right) >> 1)) >> right
    found = np.empty_like(x)
    call = gates.every_sigmoid if name == "LOGISTIC" else gates.every_tanh
    call(ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(found.ctypes.data), x.size)
    np.testing.assert_array_equal(found, said)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda m: m.add("NEG", [m.input], m.tensor((1, 4, 8))), "no C for the operator NEG; there is for ADD, "),
        (lambda m: m.add("MEAN", [m.input, m.numbers([0, 1, 2])], m.tensor((1, 1, 1)), keepDims=True),
         r"no C for MEAN of \(1, 4, 8\) over the axes \[1, 2\]; allowed is the last one, or all others"),
        (lambda m: m.add("ADD", [m.input, m.input], m.tensor((1, 4, 8)), fusedActivationFunction=4),
         "no C for ADD with the fused activation 4"),
        (lambda m: m.add("SOFTMAX", [m.input], m.tensor((1, 4, 8), 0.1), beta=1.0), "no C for SOFTMAX of 8 values to a scale"),
        (lambda m: m.add("LOGISTIC", [m.input], m.tensor((1, 4, 8), kind=np.int16)), "not int8"),
        (lambda m: m.add("RESHAPE", [m.input, m.numbers([1, 32])], m.tensor((1, 32))), "whose output is its input"),
        (lambda m: m.add("TRANSPOSE", [m.input, m.numbers([2, 1, 0])], m.tensor((8, 4, 1))), "swap the last two axes"),
        (lambda m: m.add("FULLY_CONNECTED", [m.input, m.input, -1], m.tensor((1, 4, 4)), fusedActivationFunction=0),
         "weights are no symmetric int8 constants"),
    ],
)  # fmt: skip
def test_what_has_no_c_is_refused_in_one_line(build: Callable[[Single], int], message: str) -> None:
    model = Single((1, 4, 8))
    content = model.content(build(model))
    with pytest.raises(ExportError, match=message) as error:
        source_of(content)
    assert "\n" not in str(error.value)


def test_sums_that_the_kernels_cannot_hold_are_refused() -> None:
    model = Single((1, 1, 8))
    given = [
        model.input,
        model.tensor((4, 8), 0.01, 0, weights(1, 4, 8)),
        model.tensor((4,), 1, 0, np.full(4, 2**30, np.int32)),
    ]
    out = model.add("FULLY_CONNECTED", given, model.tensor((1, 1, 4)), fusedActivationFunction=0)
    with pytest.raises(ExportError, match=r"whose sums reach \d+; allowed is below 2\^30"):
        source_of(model.content(out))
