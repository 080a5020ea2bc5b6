"""Packets made in C: byte by byte those of the reference encoder, and read by the decoder that Home Assistant uses."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from firmware.host import BthomeReport, Core, Seal

pytest.importorskip("bthome_ble", reason="no bthome-ble: pip install simtwin[gateway]")

from gateway import bthome
from gateway.bthome import Report
from gateway.radio import _decoded

ADDRESS, KEY = bytes.fromhex("FCDFA1000001"), bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
NO_TEMPERATURE, NOT_JUDGED, NO_SENSOR, NO_CONFIDENCE = -32768, 255, 255, 127
reports = st.builds(
    BthomeReport,
    rms_mg=st.integers(0, 65535) | st.integers(0, 8000),
    temperature_c100=st.integers(-32768, 32767) | st.integers(-160, 160).map(lambda n: n * 50),
    packet_id=st.integers(0, 255),
    machine_state=st.integers(0, 255),
    confidence=st.integers(0, 100) | st.just(NO_CONFIDENCE),
    sensor=st.sampled_from([0, 1, 2, NO_SENSOR]),
    sensor_state=st.integers(0, 7),
    machine_alert=st.booleans(),
    sensor_alert=st.booleans(),
)
counters = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def core(library: Path) -> Core:
    return Core(library)


def as_reference(report: BthomeReport) -> Report:
    return Report(
        packet_id=report.packet_id,
        machine_alert=report.machine_alert,
        sensor_alert=report.sensor_alert,
        rms_mg=report.rms_mg,
        machine_state=None if report.machine_state == NOT_JUDGED else report.machine_state,
        confidence_pct=None if report.confidence == NO_CONFIDENCE else report.confidence,
        sensor=None if report.sensor == NO_SENSOR else report.sensor,
        sensor_state=report.sensor_state,
        temperature_c=None if report.temperature_c100 == NO_TEMPERATURE else report.temperature_c100 / 100,
    )


@settings(max_examples=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reports, counters)
@example(BthomeReport(0, 2450), 0)
@example(BthomeReport(0, 2550), 0)
@example(BthomeReport(0, -2450), 0)
@example(BthomeReport(0, -2550), 0)
@example(BthomeReport(6682, -12850), 0)
@example(BthomeReport(6683, 12750), 2**32 - 1)
def test_the_reference_encoders_bytes(core: Core, report: BthomeReport, counter: int) -> None:
    reference = as_reference(report)
    plain = bthome.advertisement(bthome.service_data(reference))
    assert core.advertisement(report) == plain
    sealed = bthome.advertisement(bthome.service_data(reference, KEY, ADDRESS, counter))
    assert core.advertisement(report, Seal(KEY, ADDRESS, counter)) == sealed


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "encrypted"])
def test_bthome_ble_reads_them(core: Core, key: bytes | None) -> None:
    report = BthomeReport(512, 3140, 200, 3, 91, 2, 6, True, True)
    seal = None if key is None else Seal(key, ADDRESS, 70000)
    update = _decoded("FC:DF:A1:00:00:01", core.advertisement(report, seal)[7:], key, 0.0)
    told = {name.key: value.native_value for name, value in update.entity_values.items()}
    flags = {name.key: value.native_value for name, value in update.binary_entity_values.items()}
    assert flags == {"problem": True, "vibration": True}
    assert (told["packet_id"], told["temperature"]) == (200, 31)
    assert told["acceleration"] == pytest.approx(0.512 * 9.80665, abs=0.001)
    assert bthome.read_state_word(int.from_bytes(bytes.fromhex(str(told["raw"])), "little")) == (3, 6, 2, 91)
    assert len(core.advertisement(report, seal)) == (23 if key is None else 31)
