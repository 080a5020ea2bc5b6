"""Networks: trained by Keras on the integer preprocessing's output, stopped by the macro-F1 of the validation part."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from models import preprocessing
from models.architectures import build
from models.architectures.autoencoder import scores
from models.keras_runtime import keras
from models.preprocessing import Inputs, Preprocessing, to_float
from models.training.dataset import Examples, Floats, Ints
from models.training.detector import Answer, Detector, Settings
from models.training.figures import cross_entropy
from sim.dataset.workers import keep_memory
from sim.errors import DatasetError
from sim.progress import Progress
from sim.seeds import generator

MODEL, PREPROCESSING, HISTORY, LOGS = "model.keras", "preprocessing.json", "history.csv", "tensorboard"
SCORES = ("accuracy", "loss", "precision", "recall", "f1")
"""Columns of the history, for the training part, and with `val_` before them for the validation part."""

_ASKED = 512  # windows of one call
_WATCHED = 4096  # windows of the training part that the curves are drawn from, at most
_CLIP_NORM = 1.0
SMOOTHING = 0.05
"""Share of every label that is spread over all classes (Szegedy et al. 2016, doi 10.1109/CVPR.2016.308).

Without it the logits of plain cases grow without bound, and the few plainest set the scale of the int8 logits: doubtful
windows then have steps of more than 1 between them, a factor of 3 in odds.
"""


class Network(Detector):
    """A classifier of `models.architectures` with its preprocessing."""

    def __init__(self) -> None:
        self.model: Any = None
        self.preprocessing: Preprocessing | None = None

    def fit(
        self, data: Examples, train: Ints, validation: Ints, settings: Settings, seed: int, folder: Path,
        progress: Progress | None = None,
    ) -> None:  # fmt: skip
        """See Detector."""
        keep_memory()  # batches come and go: without it a third of the time is page faults
        self._prepare(data, train, settings, seed)
        self._train(data, train, validation, settings, seed, folder, progress)

    def _prepare(self, data: Examples, train: Ints, settings: Settings, seed: int) -> None:
        chosen = data.take(train)
        self.preprocessing = preprocessing.fit(
            chosen.counts, data.channels, data.rate_hz, normal=chosen.normal, lsb=data.lsb, scaling=settings.scaling,
            detrend=settings.detrend, decimation=settings.decimation, hop=settings.hop,
        )  # fmt: skip
        shape = (self.preprocessing.length, len(data.channels))
        keras().utils.set_random_seed(seed)
        self.model = build(self.name, *shape, len(data.classes), seed)

    def _train(
        self, data: Examples, train: Ints, validation: Ints, settings: Settings, seed: int, folder: Path,
        progress: Progress | None,
    ) -> None:  # fmt: skip
        inputs, target = self.inputs(data, train), data.target[train]
        optimizer = keras().optimizers.Adam(settings.learning_rate, clipnorm=_CLIP_NORM)
        self.model.compile(optimizer, keras().losses.CategoricalCrossentropy(label_smoothing=SMOOTHING))
        watched = generator(seed, "watched").permutation(len(train))[:_WATCHED]
        parts = {
            "": (inputs[watched], target[watched]),
            "val_": (self.inputs(data, validation), data.target[validation]),
        }
        batches = _batches(inputs, target, len(data.classes), settings, generator(seed, "batches"))

        def measure() -> dict[str, float]:
            found: dict[str, float] = {}
            for prefix, (x, y) in parts.items():
                found |= {prefix + name: value for name, value in class_scores(y, ask(self.model, x)).items()}
            return found

        _run(self.model, batches, measure, "val_f1", "max", settings, folder, progress)

    def inputs(self, data: Examples, rows: Ints) -> Inputs:
        """The network's input of some rows."""
        assert self.preprocessing is not None
        return self.preprocessing.apply(data.counts[rows])

    def answer(self, data: Examples, rows: Ints) -> Answer:
        """See Detector."""
        return Answer.of(ask(self.model, self.inputs(data, rows)))

    def save(self, folder: Path) -> None:
        """See Detector."""
        assert self.preprocessing is not None
        self.model.save(folder / MODEL)
        self.preprocessing.save(folder / PREPROCESSING)

    @classmethod
    def open(cls, folder: Path) -> Network:
        """See Detector."""
        network = cls()
        network.preprocessing = Preprocessing.open(folder / PREPROCESSING)
        try:
            network.model = keras().models.load_model(folder / MODEL, compile=False)
        except (OSError, ValueError) as error:
            raise DatasetError(f"{folder / MODEL}: cannot be read ({str(error).splitlines()[0][:200]})") from None
        return network


class Cnn(Network):
    """Strided convolutions."""

    name = "cnn"


class Lstm(Network):
    """Long short-term memory behind convolutions."""

    name = "lstm"


class Gru(Network):
    """Gated recurrent unit behind convolutions."""

    name = "gru"


class Transformer(Network):
    """Transformer encoder behind convolutions."""

    name = "transformer"


class Autoencoder(Network):
    """Trained on normal windows alone, stopped by their reconstruction: no fault label is used."""

    name = "autoencoder"
    classifies: ClassVar[bool] = False
    baseline: ClassVar[bool] = True

    def _train(
        self, data: Examples, train: Ints, validation: Ints, settings: Settings, seed: int, folder: Path,
        progress: Progress | None,
    ) -> None:  # fmt: skip
        target = data.target
        x, held = (self.inputs(data, rows[target[rows] == 0]) for rows in (train, validation))
        self.model.compile(keras().optimizers.Adam(settings.learning_rate, clipnorm=_CLIP_NORM), "mse")
        draws = generator(seed, "batches")
        batches = _epochs(x, lambda: draws.permutation(len(x)), settings.batch, lambda rows: (to_float(x[rows]),))

        def measure() -> dict[str, float]:
            return {
                prefix + "loss": float(np.mean(scores(to_float(part), ask(self.model, part))))
                for prefix, part in (("", x[:_WATCHED]), ("val_", held))
            }

        _run(self.model, batches, measure, "val_loss", "min", settings, folder, progress)

    def answer(self, data: Examples, rows: Ints) -> Answer:
        """See Detector; the anomaly is the mean square of what was not reconstructed."""
        inputs = self.inputs(data, rows)
        return Answer(scores(to_float(inputs), ask(self.model, inputs)))


NETWORKS: tuple[type[Network], ...] = (Cnn, Lstm, Gru, Transformer, Autoencoder)


def ask(model: Any, inputs: Inputs) -> NDArray[np.float32]:
    """The model's output for inputs int8 (n, length, channels)."""
    pieces = [inputs[at : at + _ASKED] for at in range(0, len(inputs), _ASKED)]
    return np.concatenate([np.asarray(model.predict_on_batch(to_float(piece))) for piece in pieces])


def class_scores(truth: Ints, probabilities: NDArray[Any]) -> dict[str, float]:
    """Accuracy, cross-entropy, and macro precision, recall and F1 of the most probable class."""
    from sklearn.metrics import precision_recall_fscore_support

    predicted = probabilities.argmax(axis=1)
    p, r, f1, _ = precision_recall_fscore_support(
        truth, predicted, average="macro", labels=np.unique(truth), zero_division=0
    )
    loss = cross_entropy(truth, probabilities).mean()
    return dict(zip(SCORES, map(float, ((predicted == truth).mean(), loss, p, r, f1)), strict=True))


def class_weights(target: Ints) -> Floats:
    """Weight of each window (n,) that gives every class the same, with a mean of 1."""
    count = np.bincount(target)
    return (len(target) / (np.count_nonzero(count) * np.maximum(count, 1)))[target]


def drawn_alike(target: Ints, draws: np.random.Generator) -> Ints:
    """As many rows as there are, every class in turn: a random member of it, with replacement; in random order."""
    members = [np.flatnonzero(target == number) for number in np.unique(target)]
    rows = [members[i % len(members)][draws.integers(len(members[i % len(members)]))] for i in range(len(target))]
    return draws.permutation(np.array(rows, np.intp))


def _batches(inputs: Inputs, target: Ints, classes: int, settings: Settings, draws: np.random.Generator) -> Any:
    one_hot = np.eye(classes, dtype=np.float32)
    weight = class_weights(target) if settings.balance == "weights" else np.ones(len(target))

    def order() -> Ints:
        return drawn_alike(target, draws) if settings.balance == "resample" else draws.permutation(len(target))

    return _epochs(inputs, order, settings.batch, lambda rows: (one_hot[target[rows]], weight[rows]))


def _epochs(
    x: Inputs, order: Callable[[], Ints], batch: int, others: Callable[[Ints], tuple[NDArray[Any], ...]]
) -> Any:
    """A Keras dataset of batches (x, *others); the rows of every epoch are drawn anew by `order()`."""

    class Batches(keras().utils.PyDataset):  # type: ignore[misc]  # Keras is imported lazily
        def __init__(self) -> None:
            super().__init__()
            self.order = order()

        def __len__(self) -> int:
            return -(-len(self.order) // batch)

        def __getitem__(self, number: int) -> tuple[Any, ...]:
            rows = self.order[number * batch : (number + 1) * batch]
            return (to_float(x[rows]), *others(rows))

        def on_epoch_end(self) -> None:
            self.order = order()

    return Batches()


def cosine(part: float) -> float:
    """Learning rate over its start, from 1 down to 0.01 (Loshchilov and Hutter 2017)."""
    return 0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * part)))


def _run(
    model: Any, batches: Any, measure: Callable[[], dict[str, float]], monitor: str, mode: str, settings: Settings,
    folder: Path, progress: Progress | None,
) -> None:  # fmt: skip
    """Epochs until the monitored score stands still; the best weights are kept. Writes history.csv and TensorBoard logs."""
    callbacks: Any = keras().callbacks

    class Measure(keras().callbacks.Callback):  # type: ignore[misc]
        """First of all callbacks: the others find its scores among the epoch's."""

        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
            logs.clear()
            logs.update(measure())
            if progress is not None:
                progress(epoch + 1, settings.epochs)

    chain = [
        Measure(),
        callbacks.LearningRateScheduler(lambda epoch: cosine(epoch / settings.epochs) * settings.learning_rate),
        callbacks.CSVLogger(str(folder / HISTORY)),
        callbacks.EarlyStopping(monitor, patience=settings.patience, mode=mode, restore_best_weights=True),
        callbacks.TerminateOnNaN(),
    ]
    if find_spec("tensorboard") is not None:  # a viewer, not needed to train
        chain.append(callbacks.TensorBoard(str(folder / LOGS), write_graph=False))
    model.fit(batches, epochs=settings.epochs, shuffle=False, verbose=0, callbacks=chain)
