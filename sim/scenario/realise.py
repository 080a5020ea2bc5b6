"""One realisation of a scenario: every distribution replaced by a number drawn from a stream of its own.

A key's stream depends on the seed, the caller's path and the key's dotted name alone. A list item that has an `id`
(or else a `kind`) is named by it and its occurrence (`faults.imbalance#0.unbalance_g_mm`), not by its position. So
adding, removing or switching off one key or item leaves the numbers of all others as they were. Only the second and
later of several items with the same id or kind move up when one before them goes: give such items an `id`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, cast, get_args, get_origin

from sim.scenario.quantity import Distribution, Quantity
from sim.scenario.spec import Spec
from sim.seeds import generator

S = TypeVar("S", bound=Spec)


@dataclass(frozen=True)
class Draw:
    """A key that holds a distribution, and the bounds of that key."""

    key: str
    distribution: Distribution
    low: float
    high: float


@dataclass(frozen=True)
class Rebuild:
    """A spec or container that must be made anew: `template` with new values in some `slots` (field, key or index)."""

    template: Any
    slots: tuple[tuple[Any, int], ...]
    """Each slot with the number of the step that gives its value."""

    def build(self, values: Sequence[Any]) -> Any:
        """The template with its slots filled from the results of earlier steps."""
        changes = {slot: values[step] for slot, step in self.slots}
        if isinstance(self.template, Spec):
            return self.template.model_copy(update=changes)
        if isinstance(self.template, dict):
            return {**self.template, **changes}
        return type(self.template)(changes.get(index, item) for index, item in enumerate(self.template))


@dataclass(frozen=True)
class Plan(Generic[S]):
    """Where a model's distributions stand: found once, drawn for every recording."""

    model: S
    steps: tuple[Draw | Rebuild, ...]
    """In order: whatever a step needs was made by an earlier one; the last makes the model."""

    def draw(self, seed: int, *path: str | int) -> S:
        """The model with numbers for distributions; what holds none is shared with the model, not copied.

        Validators do not run again (bounds hold for whatever is drawn); private attributes and cached properties of
        specs that change are not carried over from the model.
        """
        values: list[Any] = []
        for step in self.steps:
            if isinstance(step, Draw):
                rng = generator(seed, *path, step.key)
                values.append(step.distribution.draw(rng, step.low, step.high))
            else:
                values.append(step.build(values))
        return cast(S, values[-1]) if values else self.model


def plan(model: S) -> Plan[S]:
    """Find the distributions of a model."""
    steps: list[Draw | Rebuild] = []
    _add(steps, model, type(model), "")
    return Plan(model, tuple(steps))


def realise(model: S, seed: int, *path: str | int) -> S:
    """The model with every distribution drawn from `sim.seeds.generator(seed, *path, dotted key)`.

    Keep `plan(model)` instead where the same model is drawn often.
    """
    return plan(model).draw(seed, *path)


def has_distributions(model: Spec) -> bool:
    """Whether two seeds can give two realisations."""
    return bool(plan(model).steps)


def _add(steps: list[Draw | Rebuild], value: object, annotation: Any, key: str) -> int | None:
    """Append the steps that make `value`; the number of the last, or None if it holds no distribution."""
    if isinstance(value, Distribution):
        bounds = _quantity(annotation) or Quantity()
        steps.append(Draw(key, value, bounds.low(), bounds.high()))
        return len(steps) - 1
    slots = []
    for slot, name, child, inner in _children(value, annotation):
        step = _add(steps, child, inner, f"{key}.{name}" if key else name)
        if step is not None:
            slots.append((slot, step))
    if not slots:
        return None
    steps.append(Rebuild(_bare(value) if isinstance(value, Spec) else value, tuple(slots)))
    return len(steps) - 1


def _bare(spec: Spec) -> Spec:
    """A copy without cached properties, whose values would outlive the numbers they were computed from."""
    copy = spec.model_copy()
    for name in set(vars(copy)) - set(type(spec).model_fields):
        del vars(copy)[name]
    return copy


def _children(value: object, annotation: Any) -> Iterator[tuple[Any, str, object, Any]]:
    """Slot, name in the stream's key, value and annotation of everything in a spec or container."""
    if isinstance(value, Spec):
        for name, info in type(value).model_fields.items():
            full = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
            yield name, name, getattr(value, name), full
    elif isinstance(value, dict):
        for name, child in value.items():
            yield name, str(name), child, _of_item(annotation, -1)
    elif isinstance(value, list | tuple):
        seen: Counter[str] = Counter()
        for index, child in enumerate(value):
            own = (getattr(child, "id", None) or getattr(child, "kind", None)) if isinstance(child, Spec) else None
            label = f"{own}#{seen[str(own)]}" if own else str(index)
            seen[str(own)] += 1
            yield index, label, child, _of_item(annotation, index)


def _of_item(annotation: Any, index: int) -> Any:
    """The annotation of a container's item."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _of_item(args[0], index)
    if origin in (Union, UnionType):
        return next((found for arg in args if (found := _of_item(arg, index)) is not None), None)
    if origin is tuple and Ellipsis not in args:
        return args[index]
    return (args[-1] if origin is dict else args[0]) if args else None


def _quantity(annotation: Any) -> Quantity | None:
    """The bounds that an annotation carries, however it is wrapped."""
    if isinstance(annotation, Quantity):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _quantity(arg))), None)
