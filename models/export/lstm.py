"""A Keras LSTM as the converter wants it: one function it knows by name and replaces by the fused operator.

A stock Keras 3 LSTM is a loop, and the int8 converter crashes on it.
"""

from __future__ import annotations

from typing import Any

from models.keras_runtime import tensorflow

_USUAL = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "use_bias": True,
    "go_backwards": False,
    "stateful": False,
}
"""What the twin does."""
_MARKS = {
    "api_implements": "lstm_simtwin",
    "api_preferred_device": "CPU",
    "time_major": False,
    "go_backwards": False,
}


def with_fused_lstm(model: Any) -> Any:
    """`model` with every LSTM layer replaced by a twin that converts to UNIDIRECTIONAL_SEQUENCE_LSTM; same weights.

    Raises:
        ValueError: an LSTM layer with other settings than Keras' own.
    """
    keras = tensorflow().keras

    def twin(layer: Any) -> Any:
        if isinstance(layer, keras.layers.LSTM):
            settings = layer.get_config()
            unusual = [key for key, usual in _USUAL.items() if settings[key] != usual]
            if unusual:
                raise ValueError(f"the LSTM layer {layer.name} has another {unusual[0]} than {_USUAL[unusual[0]]}")
            return _twin_class()(layer.units, layer.return_sequences, name=layer.name)
        return layer.__class__.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=twin)
    copy.set_weights(model.get_weights())
    return copy


def _twin_class() -> Any:
    tf = tensorflow()
    base: Any = tf.keras.layers.Layer

    class FusedLSTM(base):  # type: ignore[misc]  # TensorFlow is imported when needed, so its classes have no types
        """All outputs (n, steps, units) of an LSTM with Keras' own activations, or the last one (n, units)."""

        def __init__(self, units: int, return_sequences: bool, **options: Any) -> None:
            super().__init__(**options)
            self.units, self.return_sequences = units, return_sequences
            self.function = tf.function(_lstm, experimental_attributes=_MARKS, autograph=False)

        def build(self, shape: tuple[int, ...]) -> None:
            self.kernel = self.add_weight(shape=(shape[-1], 4 * self.units), name="kernel")
            self.recurrent_kernel = self.add_weight(shape=(self.units, 4 * self.units), name="recurrent_kernel")
            self.bias = self.add_weight(shape=(4 * self.units,), name="bias")

        def call(self, inputs: Any, mask: None = None) -> Any:  # Keras passes the mask of the layer that was copied
            zeros = tf.zeros((tf.shape(inputs)[0], self.units))
            weights = (tf.convert_to_tensor(each) for each in (self.kernel, self.recurrent_kernel, self.bias))
            last, every, *_ = self.function(inputs, zeros, zeros, *weights)
            return every if self.return_sequences else last

        def compute_output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
            return (*shape[:2], self.units) if self.return_sequences else (shape[0], self.units)

    return FusedLSTM


def _lstm(inputs: Any, h: Any, c: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
    """Keras' LSTM, step by step: gates in the order input, forget, cell, output."""
    tf = tensorflow()
    outputs = []
    for x in tf.unstack(inputs, axis=1):
        i, f, g, o = tf.split(x @ kernel + h @ recurrent_kernel + bias, 4, axis=1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        h = tf.sigmoid(o) * tf.tanh(c)
        outputs.append(h)
    return h, tf.stack(outputs, axis=1), h, c, tf.constant(0.0)
