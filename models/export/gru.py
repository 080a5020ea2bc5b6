"""A Keras GRU as a loop of int8 operators.

TFLite has no GRU operator; unrolled over 64 steps it costs 165-217 KB, and on a loop the int8 converter crashes. So what
comes before it, one step of it and what comes after are converted apart, and joined as
`WHILE(i < steps; GATHER(sequence, i) -> step -> state; i + 1)`.

The state, which stays between -1 and 1, has the scale 1/128 everywhere: each part's calibration holds -1 and 127/128.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.export.flatbuffer import BOOL, INT32, Join, input_called, scale, schema, set_scale, write
from models.keras_runtime import keras

Floats = NDArray[np.float32]
Convert = Callable[[Any, list[list[Floats]]], Any]
"""(Keras model, calibration samples: a list of inputs each) to the int8 model as an object tree."""

_USUAL = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "use_bias": True,
    "reset_after": True,
    "return_sequences": False,
    "go_backwards": False,
    "stateful": False,
}
"""What `_step` does."""
STATE_SCALE = 1 / 128
_STATE_RANGE = (-1.0, 127 / 128)


def gru_layer(model: Any) -> Any | None:
    """The model's GRU layer, None if it has none."""
    found = [layer for layer in model.layers if isinstance(layer, keras().layers.GRU)]
    return found[0] if len(found) == 1 else None


def loop(model: Any, windows: Floats, convert: Convert) -> bytes:
    """The int8 TFLite model of a Keras model with one GRU layer; `windows` (n, length, channels) calibrate it."""
    gru = gru_layer(model)
    settings = {} if gru is None else gru.get_config()
    unusual = [key for key, usual in _USUAL.items() if settings.get(key) != usual]
    if gru is None or unusual:
        raise ValueError(f"one GRU layer as Keras makes it is needed; this has another {unusual[0]}")
    before = keras().Model(model.inputs, gru.input)
    after = _after(model, gru)
    sequences = before.predict(windows, batch_size=64, verbose=0)
    states = np.clip(_states(gru, sequences), *_STATE_RANGE)

    front = convert(before, [[window[None]] for window in windows])
    step = convert(_step(gru, sequences.shape[2]), list(_step_samples(sequences, states)))
    head = convert(after, [[_extremes(gru.units)], *([last[None]] for last in states[:, -1])])
    return _joined(front, step, head, steps=sequences.shape[1], units=gru.units)


def _after(model: Any, gru: Any) -> Any:
    """What follows the GRU, as a model of its last state."""
    state = x = keras().Input((gru.units,))
    for layer in model.layers[model.layers.index(gru) + 1 :]:
        x = layer(x)
    return keras().Model(state, x)


def _states(gru: Any, sequences: Floats) -> Floats:
    """The state after every step, (n, steps, units)."""
    layer = keras().layers.GRU(gru.units, return_sequences=True)
    layer.build(sequences.shape)
    layer.set_weights(gru.get_weights())
    return np.concatenate([layer(sequences[at : at + 64]).numpy() for at in range(0, len(sequences), 64)])


def _step(gru: Any, features: int) -> Any:
    """One step: (x, state) to the next state. A product each for x and state, and each gate: one scale each."""
    ops, layers = keras().ops, keras().layers
    kernel, recurrent, bias = (np.split(weights, 3, axis=-1) for weights in gru.get_weights())
    x, state = keras().Input((features,), name="x"), keras().Input((gru.units,), name="state")

    def product(of: Any, weights: Floats, offset: Floats) -> Any:
        dense = layers.Dense(gru.units)
        result = dense(of)
        dense.set_weights([weights, offset])
        return result

    from_x = [product(x, kernel[gate], bias[gate][0]) for gate in range(3)]
    from_state = [product(state, recurrent[gate], bias[gate][1]) for gate in range(3)]
    update = ops.sigmoid(from_x[0] + from_state[0])
    reset = ops.sigmoid(from_x[1] + from_state[1])
    candidate = ops.tanh(from_x[2] + reset * from_state[2])
    # Not `candidate + update (state - candidate)`, one product less: a difference in -2..2 has half the resolution.
    return keras().Model([x, state], update * state + (1.0 - update) * candidate)


def _extremes(units: int) -> Floats:
    """A state (1, units) that holds both ends of the scale."""
    state = np.zeros((1, units), np.float32)
    state[0, :2] = _STATE_RANGE
    return state


def _step_samples(sequences: Floats, states: Floats) -> Iterator[list[Floats]]:
    """Every step of every window: x and the state before it."""
    yield [sequences[0, :1], _extremes(states.shape[2])]
    before = np.concatenate([np.zeros_like(states[:, :1]), states[:, :-1]], axis=1)
    for x, state in zip(sequences.reshape(-1, sequences.shape[2]), before.reshape(-1, states.shape[2]), strict=True):
        yield [x[None], state[None]]


def _joined(front: Any, step: Any, head: Any, steps: int, units: int) -> bytes:
    options = schema()
    join = Join()
    main, condition, body = join.graph(), join.graph(), join.graph()

    # The step's own last operator writes the state; it may as well do so in the scale in which the state is read.
    step_graph = step.subgraphs[0]
    set_scale(step_graph.tensors[int(step_graph.outputs[0])], STATE_SCALE, 0)
    read_x, read_state = (input_called(step, name) for name in ("x", "state"))
    sequence_like, state_like = _output(front), step_graph.tensors[read_state]
    _check_same(sequence_like, step_graph.tensors[read_x])

    first = join.tensor(main, front.subgraphs[0].tensors[int(front.subgraphs[0].inputs[0])])
    main.inputs = np.array([first], np.int32)
    (sequence,) = join.inline(main, front, [first])
    start = join.plain(main, (), INT32, np.zeros((), np.int32))
    state = join.tensor(main, state_like, np.zeros((1, units), np.int8))
    after = [join.plain(main, (), INT32), join.tensor(main, sequence_like), join.tensor(main, state_like)]
    loop = options.WhileOptionsT()
    loop.condSubgraphIndex, loop.bodySubgraphIndex = 1, 2
    join.operator(main, "WHILE", [start, sequence, state], after, loop)
    main.outputs = np.array(join.inline(main, head, [after[2]]), np.int32)

    inputs = [
        join.plain(condition, (), INT32),
        join.tensor(condition, sequence_like),
        join.tensor(condition, state_like),
    ]
    condition.inputs = np.array(inputs, np.int32)
    limit, goes_on = join.plain(condition, (), INT32, np.array(steps, np.int32)), join.plain(condition, (), BOOL)
    join.operator(condition, "LESS", [inputs[0], limit], [goes_on], options.LessOptionsT())
    condition.outputs = np.array([goes_on], np.int32)

    inputs = [join.plain(body, (), INT32), join.tensor(body, sequence_like), join.tensor(body, state_like)]
    body.inputs = np.array(inputs, np.int32)
    x = join.tensor(body, step_graph.tensors[read_x])
    body.tensors[x].quantization = sequence_like.quantization
    gather = options.GatherOptionsT()
    gather.axis = 1
    join.operator(body, "GATHER", [inputs[1], inputs[0]], [x], gather)
    given = {read_x: x, read_state: inputs[2]}
    (new_state,) = join.inline(body, step, [given[int(each)] for each in step_graph.inputs], reshapes=False)
    one, following = join.plain(body, (), INT32, np.ones((), np.int32)), join.plain(body, (), INT32)
    join.operator(body, "ADD", [inputs[0], one], [following], options.AddOptionsT())
    body.outputs = np.array([following, inputs[1], new_state], np.int32)
    return write(join.model)


def _check_same(written: Any, read: Any) -> None:
    """The sequence is calibrated twice, where it is written and where it is read, on the same values."""
    (first, first_zero), (second, second_zero) = scale(written), scale(read)
    if first_zero != second_zero or abs(first - second) > 1e-5 * first:
        raise ValueError(f"scales at the join differ: {first:g} ({first_zero}) and {second:g} ({second_zero})")


def _output(model: Any) -> Any:
    graph = model.subgraphs[0]
    return graph.tensors[int(graph.outputs[0])]
