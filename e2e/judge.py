"""Whether alerts are those a scenario calls for: silent before the onset, soon after it right, there until it is over.

Machine and sensor are judged by the same rules, apart: a fault of the one must never raise an alert of the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sim.scenario.schema import Scenario

Subject = Literal["machine", "sensor"]
Change = Literal["raised", "changed", "repeated", "cleared"]


@dataclass(frozen=True)
class Alert:
    """One alert that the firmware gave.

    Attributes:
        time_s: scenario time at which it was out of the UART.
        subject: whose state it is about.
        change: `raised`, another state while raised (`changed`), the same again (`repeated`), or `cleared`.
        state: the machine's or the sensor's state; of `cleared` the one that is over.
        source: which sensor, of a sensor alert; "" of a machine alert.
    """

    time_s: float
    subject: Subject
    change: Change
    state: str
    source: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that was asked of the run; `text` says it with its figures."""

    passed: bool
    text: str


@dataclass(frozen=True)
class Presence:
    """A stretch in which a fault is there; `end_s` is infinite where it stays."""

    name: str
    state: str
    start_s: float
    end_s: float


def presences(scenario: Scenario, subject: Subject) -> list[Presence]:
    """All faults of a realised scenario's machine or sensors, by their onset."""
    found: list[tuple[str, str, float, float | None]]
    if subject == "machine":
        found = [(fault.name, fault.label, fault.onset_s, fault.clear_s) for fault in scenario.faults]
    else:
        found = [
            (f"{sensor.id}.{fault.kind}", fault.state, fault.onset_s, fault.clear_s)
            for sensor in scenario.sensors
            for fault in sensor.faults
        ]
    ever = float("inf")
    there = [Presence(name, state, start, ever if end is None else end) for name, state, start, end in found]
    return sorted(there, key=lambda presence: presence.start_s)


def judge(scenario: Scenario, alerts: Iterable[Alert], end_s: float) -> list[Finding]:
    """Findings about a run that lasted until `end_s`; it passed if all did.

    Args:
        scenario: realised (no distributions left).
        alerts: of all sensors, in time order.
        end_s: scenario time at which the run ended.
    """
    given = list(alerts)
    findings: list[Finding] = []
    expect = scenario.expect
    subjects: list[tuple[Subject, float, float, float, list[str] | None]] = [
        ("machine", expect.alert_within_s, expect.clear_within_s, expect.may_lapse_s, expect.machine),
        (
            "sensor",
            expect.sensor_alert_within_s,
            expect.sensor_clear_within_s,
            expect.sensor_may_lapse_s,
            expect.sensor,
        ),
    ]
    for subject, within_s, clear_s, lapse_s, right in subjects:
        there = presences(scenario, subject)
        own = [alert for alert in given if alert.subject == subject]
        if right is not None and not right:
            there = []  # too small to be found: it counts as healthy
        accepted = sorted({presence.state for presence in there}) if right is None else right
        stretches = _stretches(there)
        findings.append(_silent_while_healthy(subject, stretches, own, clear_s))
        findings += _alerted(subject, stretches, own, within_s, accepted, end_s)
        findings += _stood(subject, stretches, own, lapse_s, end_s)
        findings += _cleared(subject, stretches, own, clear_s, end_s)
    return findings


class _Stretch(NamedTuple):
    """Faults that overlap."""

    start_s: float
    end_s: float
    names: list[str]


def _stretches(there: Sequence[Presence]) -> list[_Stretch]:
    merged: list[_Stretch] = []
    for presence in there:
        if merged and presence.start_s <= merged[-1].end_s:
            start_s, end_s, names = merged.pop()
            merged.append(_Stretch(start_s, max(end_s, presence.end_s), [*names, presence.name]))
        else:
            merged.append(_Stretch(presence.start_s, presence.end_s, [presence.name]))
    return merged


def _silent_while_healthy(
    subject: Subject, stretches: Sequence[_Stretch], alerts: Sequence[Alert], clear_s: float
) -> Finding:
    """No alert is given while nothing is wrong; one that is still being cleared may be repeated."""
    false = [
        alert
        for alert in alerts
        if alert.change != "cleared" and not any(start <= alert.time_s <= end + clear_s for start, end, _ in stretches)
    ]
    while_what = f"no {subject} alert while no {subject} fault is there"
    if not false:
        return Finding(True, while_what)
    first = false[0]
    return Finding(False, f"{while_what}: {len(false)} came, the first `{first.state}` at {first.time_s:.2f} s")


def _alerted(
    subject: Subject,
    stretches: Sequence[_Stretch],
    alerts: Sequence[Alert],
    within_s: float,
    accepted: Sequence[str],
    end_s: float,
) -> list[Finding]:
    """The right alert comes within `within_s` of every onset."""
    findings = []
    for start, end, names in stretches:
        if min(end, end_s) < start + within_s:
            continue  # it is over before an answer is due
        what = f"{subject} alert {' or '.join(accepted)} within {within_s:g} s of {' and '.join(names)}"
        heard = [a for a in alerts if a.change != "cleared" and start <= a.time_s <= end]
        right = next((alert for alert in heard if alert.state in accepted), None)
        if right is not None:
            delay_s = right.time_s - start
            findings.append(Finding(delay_s <= within_s, f"{what}: after {delay_s:.2f} s"))
        else:
            others = sorted({alert.state for alert in heard})
            findings.append(Finding(False, f"{what}: " + (f"only {', '.join(others)}" if others else "none came")))
    return findings


def _stood(
    subject: Subject, stretches: Sequence[_Stretch], alerts: Sequence[Alert], lapse_s: float, end_s: float
) -> list[Finding]:
    """Once raised, an alert stands until its faults are gone, but for `lapse_s` in all."""
    findings = []
    for start, end, names in stretches:
        raised: set[str] = set()
        gone_since_s, gone_s, times = None, 0.0, 0
        until_s = min(end, end_s)
        for alert in alerts:
            if not start <= alert.time_s < until_s:
                continue
            if alert.change != "cleared":
                raised.add(alert.source)
                if gone_since_s is not None:
                    gone_s, gone_since_s = gone_s + alert.time_s - gone_since_s, None
            elif alert.source in raised:
                raised.discard(alert.source)
                if not raised:
                    gone_since_s, times = alert.time_s, times + 1
        if gone_since_s is not None:
            gone_s += until_s - gone_since_s
        if times:
            limit = f" for more than {lapse_s:g} s" if lapse_s else ""
            what = f"{subject} alert not cleared{limit} while {' and '.join(names)} is there"
            findings.append(Finding(gone_s <= lapse_s, f"{what}: {times} times, for {gone_s:.2f} s in all"))
    return findings


def _cleared(
    subject: Subject, stretches: Sequence[_Stretch], alerts: Sequence[Alert], clear_s: float, end_s: float
) -> list[Finding]:
    """After a stretch ends nothing stays raised for longer than `clear_s`."""
    findings = []
    for _, end, names in stretches:
        if end + clear_s > end_s:
            continue
        raised: set[str] = set()
        for alert in alerts:
            if alert.time_s > end + clear_s:
                break
            if alert.change == "cleared":
                raised.discard(alert.source)
            else:
                raised.add(alert.source)
        what = f"{subject} alert cleared within {clear_s:g} s of the end of {' and '.join(names)}"
        if raised:
            findings.append(Finding(False, f"{what}: still raised"))
        else:
            last = max((a.time_s for a in alerts if a.change == "cleared" and a.time_s <= end + clear_s), default=None)
            findings.append(Finding(True, what + ("" if last is None else f": after {max(last - end, 0.0):.2f} s")))
    return findings
