from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, Literal, cast

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from sim.scenario.quantity import Distribution, Normal, Quantity, Uniform
from sim.scenario.realise import has_distributions, plan, realise
from sim.scenario.spec import Spec
from sim.seeds import generator

Length = Annotated[float, Quantity(gt=0, le=100)]


class Imbalance(Spec):
    kind: Literal["imbalance"] = "imbalance"
    unbalance_g_mm: Annotated[float, Quantity(ge=0, le=1e4)]
    phase_rad: Annotated[float, Quantity(ge=0, lt=6.3)] = 0.0


class Wear(Spec):
    kind: Literal["wear"] = "wear"
    id: str | None = None
    width_mm: Length | None = None


class Sensor(Spec):
    id: str
    noise_g: Annotated[float, Quantity(ge=0)] = 0.0


class Shaft(Spec):
    length_mm: Length
    steps_mm: list[Length] = Field(default=[])
    ends_mm: tuple[Annotated[float, Quantity(ge=1, le=2)], Annotated[float, Quantity(ge=3, le=4)] | None] = (1, 3)

    @cached_property
    def half_mm(self) -> float:
        return self.length_mm / 2


class Rig(Spec):
    name: str = "rig"
    speed_rpm: Annotated[float, Quantity(ge=0, le=60000)] = 1000
    shaft: Shaft = Shaft(length_mm=10)
    bearings: dict[str, Shaft] = Field(default={})
    faults: list[Annotated[Imbalance | Wear, Field(discriminator="kind")]] = Field(default=[])
    sensors: tuple[Sensor, ...] = ()
    loads_n: Annotated[list[Annotated[float, Quantity(ge=0, le=5)]], Field(max_length=9)] | None = None


U = {"uniform": [1, 2]}
N = {"normal": [1, 1000]}


def rig(**data: Any) -> Rig:
    return Rig.model_validate(data)


def numbers(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Every leaf of a model with its place."""
    if isinstance(value, Spec):
        for name in type(value).model_fields:
            yield from numbers(getattr(value, name), f"{key}.{name}")
    elif isinstance(value, dict):
        for name, child in value.items():
            yield from numbers(child, f"{key}.{name}")
    elif isinstance(value, list | tuple):
        for index, child in enumerate(value):
            yield from numbers(child, f"{key}.{index}")
    else:
        yield key, value


def drawn(model: Rig, seed: int = 7, *path: str | int) -> dict[str, object]:
    return dict(numbers(realise(model, seed, *path)))


EVERYTHING: dict[str, Any] = {
    "speed_rpm": U,
    "shaft": {"length_mm": U, "steps_mm": [1, U, 3], "ends_mm": [U, {"uniform": [3, 4]}]},
    "bearings": {"drive": {"length_mm": N}, "fan": {"length_mm": 4}},
    "faults": [
        {"kind": "imbalance", "unbalance_g_mm": N},
        {"kind": "wear", "width_mm": U},
        {"kind": "imbalance", "unbalance_g_mm": U, "phase_rad": U},
        {"kind": "wear", "id": "outer", "width_mm": U},
        {"kind": "wear"},
    ],
    "sensors": [{"id": "a", "noise_g": U}, {"id": "b", "noise_g": U}],
    "loads_n": [N, 2, U],
}
KEYS = {  # the keys of the streams: changing one changes everybody's data
    ".speed_rpm": "speed_rpm",
    ".shaft.length_mm": "shaft.length_mm",
    ".shaft.steps_mm.1": "shaft.steps_mm.1",
    ".shaft.ends_mm.0": "shaft.ends_mm.0",
    ".shaft.ends_mm.1": "shaft.ends_mm.1",
    ".faults.1.width_mm": "faults.wear#0.width_mm",
    ".faults.2.unbalance_g_mm": "faults.imbalance#1.unbalance_g_mm",
    ".faults.2.phase_rad": "faults.imbalance#1.phase_rad",
    ".faults.3.width_mm": "faults.outer#0.width_mm",
    ".sensors.0.noise_g": "sensors.a#0.noise_g",
    ".sensors.1.noise_g": "sensors.b#0.noise_g",
    ".loads_n.2": "loads_n.2",
}


def test_each_key_is_drawn_from_its_own_stream() -> None:
    values = drawn(rig(**EVERYTHING), 7, "rig", 12)
    for place, key in KEYS.items():
        low = 3.0 if place == ".shaft.ends_mm.1" else 1.0
        assert values[place] == Uniform((low, low + 1)).draw(generator(7, "rig", 12, key), -1e9, 1e9), key


def test_nothing_else_changes() -> None:
    model = rig(**EVERYTHING)
    before = dict(numbers(model))
    after = drawn(model)
    assert before.keys() == after.keys()
    assert {key for key, value in before.items() if isinstance(value, Distribution)} == {
        *KEYS,
        ".bearings.drive.length_mm",
        ".faults.0.unbalance_g_mm",
        ".loads_n.0",
    }
    for key, value in before.items():
        if isinstance(value, Distribution):
            assert type(after[key]) is float
        else:
            assert after[key] is value
    assert dict(numbers(model)) == before


def test_types_stay() -> None:
    result = realise(rig(**EVERYTHING), 1)
    assert type(result) is Rig
    assert type(result.sensors) is tuple
    assert type(result.faults) is list
    assert [type(fault).__name__ for fault in result.faults] == ["Imbalance", "Wear", "Imbalance", "Wear", "Wear"]
    assert Rig.model_validate(result.model_dump()) == result  # all bounds hold


def test_the_same_seed_and_path_give_the_same_numbers_and_others_give_others() -> None:
    model = rig(**EVERYTHING)
    assert drawn(model, 7, "rig", 1) == drawn(rig(**EVERYTHING), 7, "rig", 1)
    results = [drawn(model, 7, "rig", 1), drawn(model, 8, "rig", 1), drawn(model, 7, "rig", 2), drawn(model, 7)]
    for key in KEYS:
        assert len({result[key] for result in results}) == 4, key


@given(st.lists(st.booleans(), min_size=5, max_size=5), st.booleans(), st.booleans())
def test_what_is_removed_changes_nothing_else(kept: list[bool], shaft: bool, speed: bool) -> None:
    full = realise(rig(**EVERYTHING), 7)
    data = dict(EVERYTHING)
    # Occurrences count within a kind, so of the two imbalances the second goes only with nothing after it.
    keep = [True, *kept[1:]]
    data["faults"] = [fault for fault, keep_it in zip(EVERYTHING["faults"], keep, strict=True) if keep_it]
    if not shaft:
        del data["shaft"]
    data["speed_rpm"] = U if speed else 1500
    part = realise(rig(**data), 7)
    expected = [fault for fault, keep_it in zip(full.faults, keep, strict=True) if keep_it]
    assert part.faults == expected
    assert (part.shaft == full.shaft) is shaft
    assert (part.speed_rpm == full.speed_rpm) is speed
    assert (part.bearings, part.sensors, part.loads_n) == (full.bearings, full.sensors, full.loads_n)


def test_order_of_items_with_names_does_not_matter() -> None:
    a, b = {"id": "a", "noise_g": U}, {"id": "b", "noise_g": U}
    forth, back = realise(rig(sensors=[a, b]), 7), realise(rig(sensors=[b, a]), 7)
    assert forth.sensors == (back.sensors[1], back.sensors[0])
    assert forth.sensors[0].noise_g != forth.sensors[1].noise_g


def test_repeated_names_are_told_apart() -> None:
    fault = {"kind": "imbalance", "unbalance_g_mm": U}
    values = drawn(rig(faults=[fault, fault, fault]))
    assert len({values[f".faults.{index}.unbalance_g_mm"] for index in range(3)}) == 3


def test_what_holds_no_distribution_is_shared() -> None:
    model = rig(**EVERYTHING)
    result = realise(model, 1)
    assert result is not model
    assert result.bearings["fan"] is model.bearings["fan"]
    assert result.bearings["drive"] is not model.bearings["drive"]
    assert result.faults[4] is model.faults[4]
    plain = rig(speed_rpm=5)
    assert realise(plain, 1) is plain


def test_has_distributions() -> None:
    assert not has_distributions(rig())
    assert not has_distributions(rig(faults=[{"kind": "wear"}], loads_n=[1]))
    assert has_distributions(rig(loads_n=[1, U]))
    assert not has_distributions(realise(rig(**EVERYTHING), 1))


@pytest.mark.parametrize(
    ("data", "place", "low", "high"),
    [
        ({"speed_rpm": {"normal": [500, 1e6]}}, ".speed_rpm", 0, 60000),
        ({"shaft": {"length_mm": N}}, ".shaft.length_mm", 0, 100),
        ({"shaft": {"length_mm": 1, "steps_mm": [N]}}, ".shaft.steps_mm.0", 0, 100),
        ({"shaft": {"length_mm": 1, "ends_mm": [N, 3]}}, ".shaft.ends_mm.0", 1, 2),
        ({"shaft": {"length_mm": 1, "ends_mm": [1, {"normal": [3, 1e3]}]}}, ".shaft.ends_mm.1", 3, 4),
        ({"bearings": {"a": {"length_mm": N}}}, ".bearings.a.length_mm", 0, 100),
        ({"faults": [{"kind": "wear", "width_mm": N}]}, ".faults.0.width_mm", 0, 100),
        ({"loads_n": [N]}, ".loads_n.0", 0, 5),
    ],
)
def test_normal_is_truncated_to_the_bounds_of_its_key(data: Any, place: str, low: float, high: float) -> None:
    model = plan(rig(**data))
    values = [cast(float, dict(numbers(model.draw(3, index)))[place]) for index in range(300)]
    # So wide a normal is uniform between its bounds: this fails for wider, narrower and missing bounds alike.
    assert scipy.stats.kstest(values, scipy.stats.uniform(low, high - low).cdf).pvalue > 0.01
    assert all(isinstance(value, float) and low <= value <= high for value in values)


def test_default_distributions_are_drawn_too() -> None:
    class Model(Spec):
        x_mm: Annotated[float, Quantity(ge=0, le=1)] = Normal((0.5, 100.0))  # type: ignore[assignment]

    values = [realise(Model(), seed).x_mm for seed in range(50)]
    assert len(set(values)) == 50
    assert all(0 <= value <= 1 for value in values)


def test_cached_properties_follow_the_drawn_numbers() -> None:
    shaft = Shaft(length_mm=8.0)
    assert shaft.half_mm == 4.0
    model = rig(shaft={"length_mm": U, "steps_mm": [2]})
    vars(model.shaft)["half_mm"] = "computed before the draw"
    result = realise(model, 1)
    assert result.shaft.half_mm == result.shaft.length_mm / 2
    assert vars(model.shaft)["half_mm"] == "computed before the draw"


def test_many_recordings_follow_the_distribution_and_are_independent_between_keys() -> None:
    model = plan(rig(speed_rpm={"uniform": [0, 1]}, shaft={"length_mm": {"loguniform": [0.01, 10]}}))
    results = [model.draw(11, "rig", index) for index in range(5000)]
    speeds = np.array([result.speed_rpm for result in results])
    lengths = np.array([result.shaft.length_mm for result in results])
    assert scipy.stats.kstest(speeds, scipy.stats.uniform(0, 1).cdf).pvalue > 0.01
    assert scipy.stats.kstest(lengths, scipy.stats.loguniform(0.01, 10).cdf).pvalue > 0.01
    assert scipy.stats.spearmanr(speeds, lengths).pvalue > 0.01
