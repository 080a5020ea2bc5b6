"""The judge: a run passes when its alerts are those the scenario calls for, and fails for each way in which they are not."""

from __future__ import annotations

from typing import Any

import pytest

from e2e.judge import Alert, judge
from sim.scenario.schema import Scenario
from tests.sim.rig import SILENT

END_S = 40.0
IMBALANCE = {"kind": "imbalance", "unbalance_g_mm": 500, "onset_s": 10, "clear_s": 20}
SPALL = {"kind": "bearing_outer", "defect_width_mm": 1, "onset_s": 15}
STUCK = {"kind": "stuck", "onset_s": 10, "clear_s": 20}


def scenario(*faults: dict[str, Any], sensor: tuple[dict[str, Any], ...] = (), **expect: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "judged",
            "machine": SILENT,
            "operation": {"speed_rpm": 1200, "duration_s": END_S},
            "sensors": [{"id": "imu0", "specimen": "nominal", "faults": list(sensor)}],
            "faults": list(faults),
            "expect": {"alert_within_s": 4, **expect},
        }
    )


def machine(*changes: tuple[float, str, str]) -> list[Alert]:
    return [Alert(time_s, "machine", change, state) for time_s, change, state in changes]  # type: ignore[arg-type]


def failures(of: Scenario, alerts: list[Alert], end_s: float = END_S) -> list[str]:
    return [finding.text for finding in judge(of, alerts, end_s) if not finding.passed]


RIGHT = [(11.0, "raised", "imbalance"), (15.0, "repeated", "imbalance"), (21.0, "cleared", "imbalance")]


def test_a_healthy_run_without_alerts_passes() -> None:
    assert not failures(scenario(), [])


def test_the_right_alert_in_time_and_cleared_passes() -> None:
    assert not failures(scenario(IMBALANCE), machine(*RIGHT))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ([], "none came"),
        ([(14.5, "raised", "imbalance"), (21.0, "cleared", "imbalance")], "after 4.50 s"),
        ([(11.0, "raised", "looseness"), (21.0, "cleared", "looseness")], "only looseness"),
        ([(9.0, "raised", "imbalance"), (11.0, "repeated", "imbalance"), (21.0, "cleared", "imbalance")], "at 9.00 s"),
        ([(11.0, "raised", "imbalance")], "still raised"),
        ([(11.0, "raised", "imbalance"), (27.0, "cleared", "imbalance")], "still raised"),
        ([*RIGHT, (30.0, "raised", "imbalance"), (31.0, "cleared", "imbalance")], "at 30.00 s"),
    ],
    ids=["missed", "late", "wrong state", "before the onset", "never cleared", "cleared late", "again when healthy"],
)
def test_every_way_to_be_wrong_fails(changes: list[tuple[float, str, str]], says: str) -> None:
    found = failures(scenario(IMBALANCE), machine(*changes))
    assert len(found) == 1
    assert says in found[0]


def test_a_state_that_is_named_right_later_but_in_time_passes() -> None:
    changes = [(11.0, "raised", "looseness"), (12.0, "changed", "imbalance"), (21.0, "cleared", "imbalance")]
    assert not failures(scenario(IMBALANCE), machine(*changes))


def test_other_answers_can_be_called_right() -> None:
    changes = [(11.0, "raised", "bent_shaft"), (21.0, "cleared", "bent_shaft")]
    assert failures(scenario(IMBALANCE), machine(*changes))
    assert not failures(scenario(IMBALANCE, machine=["imbalance", "bent_shaft"]), machine(*changes))


def test_a_fault_too_small_to_be_found_must_raise_nothing() -> None:
    hidden = scenario(IMBALANCE, machine=[])
    assert not failures(hidden, [])
    assert failures(hidden, machine(*RIGHT))


def test_faults_that_overlap_are_one_stretch() -> None:
    both = scenario(IMBALANCE, SPALL)
    assert not failures(both, machine((11.0, "raised", "imbalance")))
    assert not failures(both, machine((11.0, "raised", "bearing_wear")))
    assert failures(both, machine((16.0, "raised", "bearing_wear")))


def test_what_is_not_due_before_the_end_is_not_asked() -> None:
    assert not failures(scenario(IMBALANCE), [], end_s=13.9)
    assert failures(scenario(IMBALANCE), [], end_s=14.1)


def test_a_sensor_fault_called_a_machine_fault_fails_and_so_does_the_reverse() -> None:
    sick = scenario(sensor=(STUCK,))
    heard = [Alert(11.0, "sensor", "raised", "stuck", "0"), Alert(22.0, "sensor", "cleared", "stuck", "0")]
    assert not failures(sick, heard)
    assert failures(sick, [*heard[:1], Alert(12.0, "machine", "raised", "looseness"), heard[1]])
    assert failures(scenario(IMBALANCE), [*heard, *machine(*RIGHT)])
    assert failures(sick, [])
    assert failures(sick, [Alert(11.0, "sensor", "raised", "bus", "0"), heard[1]])


LAPSING = [
    *RIGHT[:1], (13.0, "cleared", "imbalance"), (14.0, "raised", "imbalance"), (16.0, "cleared", "imbalance"),
    (18.5, "raised", "imbalance"), (21.0, "cleared", "imbalance"),
]  # fmt: skip


def test_an_alert_that_goes_while_the_fault_is_there_fails() -> None:
    (found,) = failures(scenario(IMBALANCE), machine(*LAPSING))
    assert found.endswith("while imbalance is there: 2 times, for 3.50 s in all")
    assert failures(scenario(IMBALANCE, may_lapse_s=3.4), machine(*LAPSING))
    assert not failures(scenario(IMBALANCE, may_lapse_s=3.6), machine(*LAPSING))


def test_a_lapse_lasts_until_the_fault_or_the_run_ends() -> None:
    gone = [(11.0, "raised", "imbalance"), (17.0, "cleared", "imbalance")]
    assert failures(scenario(IMBALANCE), machine(*gone))[0].endswith("1 times, for 3.00 s in all")
    assert failures(scenario(IMBALANCE), machine(*gone), end_s=18.0)[0].endswith("1 times, for 1.00 s in all")
    assert not failures(scenario(IMBALANCE, may_lapse_s=3.0), machine(*gone))
    assert not failures(scenario(IMBALANCE), machine(*gone[:1], (20.0, "cleared", "imbalance")))


def test_a_sensor_alert_stands_while_any_sensor_has_one() -> None:
    sick = scenario(sensor=(STUCK,))
    raised = [Alert(11.0, "sensor", "raised", "stuck", name) for name in "01"]
    one = Alert(14.0, "sensor", "cleared", "stuck", "1")
    other = Alert(21.0, "sensor", "cleared", "stuck", "0")
    assert not failures(sick, [*raised, one, other])
    both = [*raised, one, Alert(15.0, "sensor", "cleared", "stuck", "0")]
    assert failures(sick, both)[0].endswith("for 5.00 s in all")
    assert not failures(scenario(sensor=(STUCK,), sensor_may_lapse_s=5), both)


def test_every_sensor_is_cleared_by_itself() -> None:
    sick = scenario(sensor=(STUCK,))
    two = [Alert(11.0, "sensor", "raised", "stuck", name) for name in "01"]
    assert failures(sick, [*two, Alert(21.0, "sensor", "cleared", "stuck", "0")])
