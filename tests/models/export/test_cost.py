"""Costs against closed forms and the chip's budget; size and arena do not grow unseen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

pytest.importorskip("tensorflow", reason="no TensorFlow: pip install simtwin[train]")
pytest.importorskip("tflite_micro", reason="no TensorFlow Lite Micro: pip install simtwin[train]")

from models.architectures import ARCHITECTURES
from models.export.budgets import grown, recorded
from models.export.convert import ExportError
from models.export.cost import Cost, cost
from models.export.interpreters import Micro
from tests.models.export.made import Made

Exports = Callable[[str], Made]

FRONT = 256 * 12 * 16 * 3 + 64 * 16 * 8 * 12
MACS = {
    "cnn": FRONT + 32 * 24 * 4 * 16 + 24 * 4,
    "lstm": FRONT + 64 * 4 * 24 * (16 + 24) + 24 * 4,
    "gru": FRONT + 64 * 3 * 24 * (16 + 24) + 24 * 4,
    "transformer": 256 * 12 * 48 + 64 * 24 * 8 * 12 + 64 * 24 * (4 * 24 + 2 * 48) + 2 * 64 * 64 * 24 + 24 * 4,
    "autoencoder": 256 * 16 * 48 + 64 * 8 * 8 * 16 + 64 * 32 * 3 * 8 + 64 * 48 * 32,
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_neither_size_nor_arena_has_grown_above_the_record_or_the_chips_budget(name: str, exports: Exports) -> None:
    found = exports(name).exported.cost
    assert found.tflite_bytes == len(exports(name).exported.converted.int8)
    assert not grown(name, found), "; ".join(grown(name, found))
    assert not found.excess()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_multiply_adds_are_those_of_the_layers(name: str, exports: Exports) -> None:
    assert exports(name).exported.cost.macs == MACS[name]


def test_the_arena_reported_is_the_least_that_tflm_runs_with(exports: Exports, monkeypatch: pytest.MonkeyPatch) -> None:
    exported = exports("cnn").exported
    monkeypatch.setattr("models.export.interpreters.ROOM_BYTES", exported.cost.arena_bytes + 64)  # it aligns the arena
    Micro(exported.converted.int8)
    monkeypatch.setattr("models.export.interpreters.ROOM_BYTES", exported.cost.arena_bytes - 512)
    with pytest.raises(ExportError, match=r"TensorFlow Lite Micro does not run it: .*\(operators: CONV_2D, "):
        Micro(exported.converted.int8)


def test_growth_of_more_than_3_percent_is_reported() -> None:
    budget = recorded()["cnn"]
    now = Cost(budget["tflite"], budget["arena"], {}, 0, 0)
    assert not grown("cnn", now)
    assert not grown("cnn", replace(now, tflite_bytes=int(budget["tflite"] * 1.029)))
    (line,) = grown("cnn", replace(now, tflite_bytes=int(budget["tflite"] * 1.04)))
    assert "+4.0% against 7680 in budgets.toml" in line
    (line,) = grown("cnn", replace(now, arena_bytes=int(budget["arena"] * 1.04)))
    assert line.startswith("cnn: arena")
    assert len(grown("cnn", Cost(41 * 1024, 25 * 1024, {}, 0, 0))) == 4


def test_every_network_has_a_record_within_the_chips_budget() -> None:
    assert set(recorded()) == set(ARCHITECTURES)
    for budget in recorded().values():
        assert not Cost(budget["tflite"], budget["arena"], {}, 0, 0).excess()


def test_a_float_model_has_no_cost_on_the_chip(exports: Exports) -> None:
    with pytest.raises(ExportError, match="not an int8 model"):
        cost(exports("cnn").exported.converted.dynamic)


def test_printed_figures_are_those_measured(exports: Exports) -> None:
    exported = exports("gru").exported
    text = "\n".join(exported.lines())
    assert f"{exported.cost.tflite_bytes} bytes of 40960; arena {exported.cost.arena_bytes} of 24576" in text
    assert f"{exported.cost.macs} multiply-adds" in text
    assert "FULLY_CONNECTED x7" in text
    assert "parity on 1000 windows" in text
    assert f"drop {exported.parity.f1_drop:+.4f}" in text
    assert exported.to_json()["parity"]["tflite_reference_to_tflm"]["unexplained"] == 0
