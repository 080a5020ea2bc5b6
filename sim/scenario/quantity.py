"""Numbers in a scenario: each may be a value or a distribution, with bounds that hold over the whole support.

A field is declared `speed_rpm: Annotated[float, Quantity(ge=0, le=60000)]`. In a scenario as read it holds a float or
a `Distribution`; after `realise` (sim/scenario/realise.py) it always holds a float, which is what its static type
says and what all physics code sees.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema


class Distribution:
    """A one-dimensional distribution with a known support; drawn once per recording."""

    kind: ClassVar[str]
    parameters: tuple[float, ...]

    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can be drawn."""
        raise NotImplementedError

    def draw(self, rng: np.random.Generator, low: float, high: float) -> float:
        """One value; `low`, `high` are the bounds of the key, for distributions without a bounded support."""
        raise NotImplementedError

    def to_plain(self) -> dict[str, list[float]]:
        """The YAML form, e.g. `{"uniform": [1.0, 2.0]}`."""
        return {self.kind: list(self.parameters)}


@dataclass(frozen=True)
class Uniform(Distribution):
    """Equal density between `low` and `high`."""

    parameters: tuple[float, ...]
    kind: ClassVar[str] = "uniform"

    def support(self) -> tuple[float, float]:
        """The two parameters."""
        return self.parameters[0], self.parameters[1]

    def draw(self, rng: np.random.Generator, low: float, high: float) -> float:
        """One value, uniform, clipped to the support against rounding."""
        a, b = self.support()
        u = rng.random()
        return min(max(a * (1.0 - u) + b * u, a), b)  # no `b - a`, which may overflow


@dataclass(frozen=True)
class LogUniform(Distribution):
    """The logarithm is uniform: for figures that span decades (severities, noise levels)."""

    parameters: tuple[float, ...]
    kind: ClassVar[str] = "loguniform"

    def support(self) -> tuple[float, float]:
        """The two parameters."""
        return self.parameters[0], self.parameters[1]

    def draw(self, rng: np.random.Generator, low: float, high: float) -> float:
        """One value, log-uniform, clipped to the support against rounding of the exponential."""
        a, b = self.support()
        return min(max(math.exp(rng.uniform(math.log(a), math.log(b))), a), b)


_STANDARD_NORMAL = NormalDist()


@dataclass(frozen=True)
class Normal(Distribution):
    """Mean and standard deviation, truncated to the bounds of the key it stands at."""

    parameters: tuple[float, ...]
    kind: ClassVar[str] = "normal"

    def support(self) -> tuple[float, float]:
        """The mean alone: the tails are cut at the key's bounds, so only the mean must lie within them."""
        return self.parameters[0], self.parameters[0]

    def draw(self, rng: np.random.Generator, low: float, high: float) -> float:
        """One value from the truncated normal, by the inverse of its cumulative distribution."""
        mean, deviation = self.parameters
        if deviation == 0:
            return mean
        below, above = (_STANDARD_NORMAL.cdf((bound - mean) / deviation) for bound in (low, high))
        u = min(max(below + (above - below) * rng.random(), 2.0**-54), 1 - 2.0**-53)  # 0 and 1 would be infinite
        return min(max(mean + deviation * _STANDARD_NORMAL.inv_cdf(u), low), high)


@dataclass(frozen=True)
class Choice(Distribution):
    """One of the listed values, all equally likely."""

    parameters: tuple[float, ...]
    kind: ClassVar[str] = "choice"

    def support(self) -> tuple[float, float]:
        """Smallest and largest of the listed values."""
        return min(self.parameters), max(self.parameters)

    def draw(self, rng: np.random.Generator, low: float, high: float) -> float:
        """One of the values."""
        return self.parameters[int(rng.integers(len(self.parameters)))]


def _ordered_pair(p: tuple[float, ...]) -> str | None:
    if len(p) != 2:
        return "takes [low, high]"
    return None if p[0] < p[1] else "needs low < high"


def _positive_pair(p: tuple[float, ...]) -> str | None:
    return _ordered_pair(p) or (None if p[0] > 0 else "needs low > 0")


def _mean_and_deviation(p: tuple[float, ...]) -> str | None:
    if len(p) != 2:
        return "takes [mean, standard deviation]"
    return None if p[1] >= 0 else "needs a standard deviation >= 0"


def _not_empty(p: tuple[float, ...]) -> str | None:
    return None if p else "needs at least one value"


DISTRIBUTIONS: Mapping[str, tuple[type[Distribution], Callable[[tuple[float, ...]], str | None]]] = {
    "uniform": (Uniform, _ordered_pair),
    "loguniform": (LogUniform, _positive_pair),
    "normal": (Normal, _mean_and_deviation),
    "choice": (Choice, _not_empty),
}


def _number(value: object) -> float | None:
    """A finite float from a YAML scalar, or None. Booleans and strings are not numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def parse_distribution(value: object) -> float | Distribution:
    """A float or a `Distribution` from its YAML form.

    Raises:
        PydanticCustomError: anything else, saying what is allowed.
    """
    if isinstance(value, Distribution):
        return value
    number = _number(value)
    if number is not None:
        return number
    allowed = "a finite number or one of {" + ", ".join(f"{k}: [...]" for k in DISTRIBUTIONS) + "}"
    if not (isinstance(value, dict) and len(value) == 1):
        raise PydanticCustomError("quantity", "expected {allowed}", {"allowed": allowed})
    ((kind, raw),) = value.items()
    if kind not in DISTRIBUTIONS:
        raise PydanticCustomError("quantity", "unknown distribution; expected {allowed}", {"allowed": allowed})
    numbers = [_number(v) for v in raw] if isinstance(raw, list) else [None]
    if any(v is None for v in numbers):
        raise PydanticCustomError("quantity", "{kind} takes a list of finite numbers", {"kind": kind})
    cls, check = DISTRIBUTIONS[kind]
    parameters = tuple(v for v in numbers if v is not None)
    fault = check(parameters)
    if fault:
        raise PydanticCustomError("quantity", "{kind} {fault}", {"kind": kind, "fault": fault})
    return cls(parameters)  # type: ignore[call-arg]


def span(value: float | Distribution) -> tuple[float, float]:
    """Lowest and highest value a key can take: the number itself, or the support of its distribution.

    For validators that compare two keys, which must hold whatever is drawn (a `Normal` spans its mean alone).
    """
    return value.support() if isinstance(value, Distribution) else (value, value)


@dataclass(frozen=True)
class Quantity:
    """Annotation that makes a float field accept a distribution and checks its bounds over the whole support.

    `ge`/`le` are inclusive, `gt`/`lt` exclusive. The unit is part of the key's name, never of this annotation.
    """

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None

    def low(self) -> float:
        """Lowest allowed value (the next float above an exclusive bound)."""
        if self.gt is not None:
            return math.nextafter(self.gt, math.inf)
        return -sys.float_info.max if self.ge is None else self.ge

    def high(self) -> float:
        """Highest allowed value (the next float below an exclusive bound)."""
        if self.lt is not None:
            return math.nextafter(self.lt, -math.inf)
        return sys.float_info.max if self.le is None else self.le

    def describe(self) -> str:
        """The bounds in words, e.g. `>= 0 and <= 60000`."""
        signs = ((">=", self.ge), (">", self.gt), ("<=", self.le), ("<", self.lt))
        return " and ".join(f"{sign} {bound:g}" for sign, bound in signs if bound is not None) or "any finite number"

    def _check(self, value: object) -> float | Distribution:
        parsed = parse_distribution(value)
        low, high = span(parsed)
        if low < self.low() or high > self.high():
            what = "every value that can be drawn must be" if isinstance(parsed, Distribution) else "must be"
            raise PydanticCustomError("bounds", "{what} {allowed}", {"what": what, "allowed": self.describe()})
        return parsed

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self._check,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda v: v.to_plain() if isinstance(v, Distribution) else float(v)
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        number: dict[str, Any] = {"type": "number"}
        names = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
        number |= {json: getattr(self, ours) for ours, json in names.items() if getattr(self, ours) is not None}

        def entry(kind: str) -> dict[str, Any]:
            length = {"minItems": 1} if kind == "choice" else {"minItems": 2, "maxItems": 2}
            items = {"type": "number"} if kind == "normal" else number
            return {
                "type": "object",
                "properties": {kind: {"type": "array", "items": items, **length}},
                "required": [kind],
                "additionalProperties": False,
            }

        return {"anyOf": [number, *(entry(kind) for kind in DISTRIBUTIONS)]}
