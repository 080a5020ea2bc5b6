"""The one door to TensorFlow: imported when first needed (it takes 6-9 s), on one thread, quietly."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from functools import cache
from typing import Any


@cache
def tensorflow() -> Any:
    """TensorFlow on one thread, quietly: workers are processes, and sums in one order give the same figures again."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # plain kernels: no rounding that differs by processor
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of a package TensorFlow brings along, about Python's age
        import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # it counts one new graph per training as a mistake
    with suppress(RuntimeError):  # the caller has used TensorFlow before: its threads stay as they are
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    return tf


def keras() -> Any:
    """Keras as TensorFlow brings it."""
    return tensorflow().keras
