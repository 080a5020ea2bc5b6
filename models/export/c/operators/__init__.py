"""The operators that have C, a family a file: each turns an operator of the file into steps."""

from __future__ import annotations

from collections.abc import Callable

from models.export.c.graph import Operator
from models.export.c.lowering import Lowering
from models.export.c.operators import attention, dense, elementwise, loop, lstm, mean, shapes, softmax, tables

OPERATORS: dict[str, Callable[[Lowering, Operator], None]] = {
    "ADD": elementwise.add,
    "BATCH_MATMUL": attention.batch_matmul,
    "CONV_2D": dense.conv_2d,
    "EXPAND_DIMS": shapes.reshape,
    "FULLY_CONNECTED": dense.fully_connected,
    "LOGISTIC": tables.function,
    "MEAN": mean.mean,
    "MUL": elementwise.multiply,
    "QUANTIZE": tables.function,
    "RESHAPE": shapes.reshape,
    "RSQRT": tables.function,
    "SOFTMAX": softmax.softmax,
    "SQUEEZE": shapes.reshape,
    "STRIDED_SLICE": shapes.strided_slice,
    "SUB": elementwise.add,
    "TANH": tables.function,
    "TRANSPOSE": attention.transpose,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm.lstm,
    "WHILE": loop.loop,
}
"""By the name in TFLite's schema. LESS and GATHER are known as parts of a loop."""
