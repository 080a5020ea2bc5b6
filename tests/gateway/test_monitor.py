"""Alerts follow what stands on the device."""

from gateway.config import Config
from gateway.monitor import Change, Monitor
from gateway.observation import Counts, Kind, Observation

DEVICE = "tcp://board"


def observed(
    at_s: float = 0.0,
    *,
    machine: bool = False,
    faulty: bool = False,
    about: tuple[Kind, ...] = ("machine", "sensor"),
    **more,
) -> Observation:
    fields = {
        "device": DEVICE, "source": "test", "machine_state": 0, "confidence_pct": 90, "sensor": None, "sensor_state": 0,
        "rms_mg": 100.0, "temperature_c": 30.0, "sequence": int(at_s),
    } | more  # fmt: skip
    return Observation(received_s=at_s, machine_alert=machine, sensor_alert=faulty, about=frozenset(about), **fields)


def monitor(**more) -> Monitor:
    return Monitor(Config(classes=["normal", "imbalance", "wear"], **more), Counts(), {})


def told(changes: list[Change]) -> list[tuple[str, str, str]]:
    return [(change.kind, change.action, change.state) for change in changes]


def test_raised_repeated_changed_cleared() -> None:
    watch = monitor()
    assert told(watch.take(observed(0))[1]) == []
    assert told(watch.take(observed(1, machine=True, machine_state=1))[1]) == [("machine", "raised", "imbalance")]
    assert told(watch.take(observed(2, machine=True, machine_state=1))[1]) == [("machine", "repeated", "imbalance")]
    assert told(watch.take(observed(3, machine=True, machine_state=2))[1]) == [("machine", "changed", "wear")]
    assert told(watch.take(observed(4))[1]) == [("machine", "cleared", "wear")]


def test_a_lost_message_loses_no_alert() -> None:
    watch = monitor()
    assert told(watch.take(observed(0, machine=True, about=()))[1]) == [("machine", "raised", "unknown")]
    assert told(watch.take(observed(1, machine=True, about=()))[1]) == []
    assert told(watch.take(observed(2, machine=True, about=("machine",), machine_state=2))[1]) == [
        ("machine", "changed", "wear")
    ]
    assert told(watch.take(observed(3, machine=True, about=(), machine_state=0))[1]) == []


def test_machine_and_sensor_are_two_alerts() -> None:
    watch = monitor()
    both = watch.take(observed(0, machine=True, faulty=True, machine_state=1, sensor_state=6))[1]
    assert told(both) == [("machine", "raised", "imbalance"), ("sensor", "raised", "stuck")]
    assert told(watch.take(observed(1, faulty=True, sensor_state=7))[1]) == [
        ("machine", "cleared", "imbalance"), ("sensor", "changed", "bus"),
    ]  # fmt: skip


def test_names() -> None:
    watch = monitor(devices=[{"id": DEVICE, "name": "Fan 1", "classes": ["ok", "dirty"]}], unknown_devices="accept")
    assert watch.name_of(DEVICE) == "Fan 1"
    assert watch.name_of("other") == "other"
    assert [watch.class_name(DEVICE, n) for n in (0, 1, 2, None)] == ["ok", "dirty", "class 2", "not judged"]
    assert watch.class_name("other", 2) == "wear"


def test_silence() -> None:
    watch = monitor(
        silent_after_s=10, devices=[{"id": "slow", "name": "slow", "silent_after_s": 100}], unknown_devices="accept"
    )
    quick, _ = watch.take(observed(0))
    slow, _ = watch.take(observed(0, device="slow"))
    assert [watch.is_silent(each, 10.0) for each in (quick, slow)] == [False, False]
    assert [watch.is_silent(each, 10.1) for each in (quick, slow)] == [True, False]
    assert watch.is_silent(slow, 100.5)
