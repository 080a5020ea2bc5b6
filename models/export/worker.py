"""The converter at work, in a process of its own: on some models it dies instead of raising an error.

`python -m models.export.worker FOLDER` reads model.keras and windows.npy there and writes int8.tflite and
dynamic.tflite; `stage` says what it is at. Called by models/export/convert.py only.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.export.flatbuffer import operator_name, read, set_scale, write
from models.export.gru import gru_layer, loop
from models.export.lstm import with_fused_lstm
from models.export.scales import LARGEST, SMALLEST
from models.keras_runtime import tensorflow
from models.preprocessing import INPUT_SCALE, to_float

Floats = NDArray[np.float32]


def int8_model(model: Any, windows: NDArray[np.int8]) -> bytes:
    """The int8 model, calibrated on `windows`; its input has the scale 1/32, zero point 0, exactly."""
    edge = np.zeros_like(windows[:1])
    edge[0, 0], edge[0, 1] = SMALLEST, LARGEST  # the whole range: -4 to 127/32 over 255 steps is 1/32
    samples = to_float(np.concatenate([edge, windows]))
    if gru_layer(model) is not None:
        return loop(model, samples, _int8)
    converted = _int8(with_fused_lstm(model), [[sample[None]] for sample in samples])
    if len(model.output_shape) == 3:  # an autoencoder: its output is compared with its input, so has the same scale
        _like_the_input(converted)
    return write(converted)


def dynamic_model(model: Any) -> bytes:
    """The model for Linux hosts: int8 weights, float input and output."""
    return _converted(model, None)


def _int8(model: Any, samples: list[list[Floats]]) -> Any:
    return read(_converted(model, samples))


def _converted(model: Any, samples: list[list[Floats]] | None) -> bytes:
    """A Keras model's .tflite file: int8 throughout with calibration samples (a list of inputs each), else float."""
    tf = tensorflow()
    names = [each.name for each in model.inputs]
    signature = [tf.TensorSpec((1, *each.shape[1:]), tf.float32, name=each.name) for each in model.inputs]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the interpreter's coming move to another package
        model.export(folder, verbose=False, input_signature=signature if len(names) == 1 else [signature])
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if samples is not None:
            converter.representative_dataset = lambda: (
                sample if len(names) == 1 else dict(zip(names, sample, strict=True)) for sample in samples
            )
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        return bytes(converter.convert())


def _like_the_input(model: Any) -> None:
    """Give the output, and what is only its shape changed, the input's scale."""
    graph = model.subgraphs[0]
    number = int(graph.outputs[0])
    while True:
        set_scale(graph.tensors[number], INPUT_SCALE, 0)
        writer = next(each for each in graph.operators if number in each.outputs)
        if operator_name(model, writer) != "RESHAPE":
            return
        number = int(writer.inputs[0])


def main(folder: Path) -> None:
    """Convert what is in `folder`."""
    stage = folder / "stage"
    stage.write_text("loading the model")
    model = tensorflow().keras.models.load_model(folder / "model.keras", compile=False)
    windows = np.load(folder / "windows.npy")
    stage.write_text("making the int8 model")
    (folder / "int8.tflite").write_bytes(int8_model(model, windows))
    stage.write_text("making the dynamic-range model")
    (folder / "dynamic.tflite").write_bytes(dynamic_model(model))
    stage.write_text("done")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except Exception as error:  # Keras' and TensorFlow's messages are pages; the caller wants a line
        sys.exit(" ".join(str(error).split())[:300])
