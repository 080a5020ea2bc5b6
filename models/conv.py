"""A small convolutional network on raw windows: the kind that ships on a microcontroller.

1024 x n samples, three strided convolutions, mean over time, one dense layer: 3,800 parameters for three channels and
four classes, so under 4 KB as int8. Its make and its training are the same for all protocols and sets. They were set by
convention; of two ways of pooling and two learning rates the one was kept that serves training on real labels alone
best (ADI, protocol a), so that no augmentation is held against a weak baseline.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.architectures.cnn import logits as build
from models.keras_runtime import tensorflow
from models.windows import LabelledWindows, Samples, Task
from sim.seeds import generator

Floats = NDArray[np.float64]

LOG_SCALE_G = 0.05
"""Where the compression of the input turns from linear to logarithmic: ten times the noise of a common MEMS sensor."""
STEPS = 500
BATCH = 64
LEARNING_RATE = 1e-3


def compress(x: Samples) -> Samples:
    """sign(x) log(1 + |x| / 0.05 g): lines of milligrams and shocks of tens of g in one range."""
    return np.asarray(np.sign(x) * np.log1p(np.abs(x) / LOG_SCALE_G), np.float32)


class ConvNet:
    """The network with its training: 500 steps of Adam on batches of 64 in which every class has the same share.

    Same windows, same seed: same figures (on the same machine and TensorFlow, one thread).
    """

    name = "conv"

    def __init__(self, task: Task, seed: int) -> None:
        self.task, self.seed = task, seed
        self.model: Any = None

    def fit(self, windows: LabelledWindows) -> ConvNet:
        """Train from scratch; ValueError when `windows` hold fewer than two of the task's classes."""
        tf = tensorflow()
        target = class_numbers(windows.label, self.task.classes)
        members = [np.flatnonzero(target == number) for number in range(len(self.task.classes))]
        members = [rows for rows in members if len(rows)]
        if len(members) < 2:
            raise ValueError(f"a network needs at least two classes to train on; given: {sorted(set(windows.label))}")
        draws = generator(self.seed, "conv", "batches")
        batches = np.stack([_batch(members, draws) for _ in range(STEPS)])
        model = build(windows.x.shape[1], windows.x.shape[2], len(self.task.classes), self.seed)
        optimizer = tf.keras.optimizers.Adam(tf.keras.optimizers.schedules.CosineDecay(LEARNING_RATE, STEPS))
        optimizer.build(model.trainable_variables)

        def train(x: Any, y: Any, batches: Any) -> None:  # all three as arguments: what a graph holds stays in memory
            for rows in batches:
                with tf.GradientTape() as tape:
                    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
                        tf.gather(y, rows), model(tf.gather(x, rows))
                    )
                    loss = tf.reduce_mean(losses)
                gradients = tape.gradient(loss, model.trainable_variables)
                optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

        tf.function(train)(compress(windows.x), target.astype(np.int32), batches.astype(np.int32))
        self.model = model
        return self

    def probabilities(self, windows: LabelledWindows) -> Floats:
        """Probability (n, classes) of each of the task's classes."""
        tf = tensorflow()
        logits = [self.model(compress(windows.x[at : at + 512])) for at in range(0, len(windows), 512)]
        return np.asarray(tf.nn.softmax(tf.concat(logits, axis=0)).numpy(), np.float64)


def class_numbers(label: NDArray[np.str_], classes: tuple[str, ...]) -> NDArray[np.intp]:
    """Place of each label in `classes`; ValueError for one that is not there."""
    numbers = {name: number for number, name in enumerate(classes)}
    unknown = sorted(set(label.tolist()) - set(classes))
    if unknown:
        raise ValueError(f"windows are labelled {', '.join(unknown)}; allowed are {', '.join(classes)}")
    return np.array([numbers[name] for name in label.tolist()], np.intp)


def _batch(members: list[NDArray[np.intp]], draws: np.random.Generator) -> NDArray[np.intp]:
    """Rows of one batch: each class in turn, a random member of it, with replacement."""
    chosen = np.arange(BATCH) % len(members)
    return np.array([members[number][draws.integers(len(members[number]))] for number in chosen], np.intp)
