"""Feeds: samples that give back the twin's counts in Renode's model, at its rates."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="no Unicorn: pip install simtwin[firmware]")

from emulator.sources import ArraySource
from emulator.twin_source import TwinRun
from renode.errors import RenodeError
from renode.feed import acceleration_ug, angular_rate_1e5_rad_s, blocks_of, feed, model_rate_hz, tick_ns
from renode.resd import SampleType, read
from renode.work import scenario_file
from sim.scenario.reader import load, read_text
from sim.scenario.realise import plan
from sim.scenario.schema import Scenario

ALL_COUNTS = np.arange(-32768, 32768).astype(np.int16)
PI = Fraction(314159265358979323846, 10**20)


@pytest.mark.parametrize("range_g", [2, 4, 8, 16])
def test_every_count_of_acceleration_comes_back(range_g: int) -> None:
    """Renode's model: g = value / 1e6, counts = round(g * 32768 / range)."""
    values = acceleration_ug(ALL_COUNTS, range_g)
    exact = [round(Fraction(int(value), 10**6) * 32768 / range_g) for value in values[::17]]
    assert exact == ALL_COUNTS[::17].tolist()
    assert np.round(values / 1e6 * 32768 / range_g).astype(int).tolist() == ALL_COUNTS.tolist()


@pytest.mark.parametrize(
    ("range_dps", "mdps"), [(125, "4.375"), (250, "8.75"), (500, "17.5"), (1000, "35"), (2000, "70")]
)
def test_every_count_of_angular_rate_comes_back(range_dps: float, mdps: str) -> None:
    """Renode's model: dps = value * 180 / (pi 1e5), counts = round(dps * 1000 / mdps)."""
    values = angular_rate_1e5_rad_s(ALL_COUNTS, range_dps)
    for count, value in zip(ALL_COUNTS[::13].tolist(), values[::13].tolist(), strict=True):
        assert round(Fraction(value) * 180 / PI / 10**5 * 1000 / Fraction(mdps)) == count


def test_rates_are_those_of_renodes_model() -> None:
    """Renode's documentation of LSM6DSO_IMU: 12, 26 ... 1660, 3330, 6660 Hz."""
    assert [model_rate_hz(odr) for odr in (12.5, 104.0, 833.0, 1666.0, 3332.0, 6664.0)] == [
        12,
        104,
        833,
        1660,
        3330,
        6660,
    ]
    assert tick_ns(1660) == 602410
    assert tick_ns(3330) == 300301
    with pytest.raises(RenodeError, match="1000 Hz is no rate"):
        model_rate_hz(1000.0)


def test_long_feeds_keep_in_step_with_the_models_clock() -> None:
    """At tick n, taken half a period late, Renode asks for the sample of that time: it must be sample n, block after block."""
    counts = np.zeros((70_000, 6), np.int16)
    counts[:, 0] = np.arange(70_000) % 30_000
    blocks, taken = blocks_of(ArraySource(counts, 3332.0))
    assert len(taken) == 70_000
    acceleration = [block for block in blocks if block.type is SampleType.ACCELERATION_UG]
    assert len(acceleration) == 4
    half_ns = 10**9 // 3330 // 2
    for n in (0, 1, 19_999, 20_000, 39_999, 40_000, 69_999):
        at_ns = n * tick_ns(3330) + half_ns
        block = max((b for b in acceleration if b.start_ns <= at_ns), key=lambda b: b.start_ns)
        index = (at_ns - block.start_ns) // block.period_ns
        assert round(block.samples[index, 0] / 1e6 * 2048) == n % 30_000


def test_a_scenario_is_fed_sample_by_sample(tmp_path: Path) -> None:
    scenario = load(scenario_file("three_imus"), Scenario).model
    short = scenario.model_copy(update={"operation": scenario.operation.model_copy(update={"duration_s": 1.0})})
    fed = feed(short, tmp_path / "feed", 3)
    run = TwinRun(plan(short).draw(3, short.name, 0), 3)
    for n, source in enumerate(run.sources):
        counts = np.concatenate([block.counts for block in source.blocks()])
        np.testing.assert_array_equal(fed.counts[n], counts)
        blocks = read(tmp_path / "feed" / f"imu{n}.resd")
        acceleration = np.concatenate([b.samples for b in blocks if b.type is SampleType.ACCELERATION_UG])
        np.testing.assert_array_equal(np.round(acceleration / 1e6 * 2048).astype(np.int16), counts[:, :3])
    manifest = json.loads((tmp_path / "feed" / "feed.json").read_text())
    assert [sensor["rate_hz"] for sensor in manifest["sensors"]] == [3330] * 3
    assert manifest["seed"] == 3
    feed(short, tmp_path / "again", 3)
    for path in fed.files:
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_a_rate_that_goes_wrong_is_refused(tmp_path: Path) -> None:
    text = scenario_file("sensor_spike").read_text()
    text = text.replace("kind: spike, rate_per_s: 30, height: 0.6", "kind: rate_skew, skew_ppm: 50000")
    text = text.replace("../../../scenarios", str(scenario_file("demo").parent))
    with pytest.raises(RenodeError, match="rate_skew"):
        feed(read_text(text, Scenario), tmp_path / "feed")
    assert not (tmp_path / "feed").exists()
