"""What an end-to-end run of a scenario must show: which alerts, how soon, and how soon they must be gone.

Onsets and removals are the faults' own (`onset_s`, `clear_s`); this says only how long an answer may take.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sim.scenario.spec import Spec

_Delay = Annotated[float, Field(gt=0, le=1e9)]
_Names = Annotated[list[str], Field(max_length=32)]


class Expect(Spec):
    """The limits of `simtwin e2e`; a scenario without this section is held to these defaults."""

    alert_within_s: _Delay = 5.0
    """The machine alert must come within this time of the onset of a machine fault; it is not asked for where run or
    fault end sooner."""
    clear_within_s: _Delay = 6.0
    """After the last machine fault was removed, the alert must be gone within this time."""
    sensor_alert_within_s: _Delay = 2.0
    """The same of a sensor alert, from the onset of a sensor's fault."""
    sensor_clear_within_s: _Delay = 6.0
    """After the last sensor fault was removed, the sensor alert must be gone within this time."""
    may_lapse_s: Annotated[float, Field(ge=0, le=1e9)] = 0.0
    """Once raised, a machine alert stands for as long as the fault is there. So long in all it may be gone meanwhile: for a
    fault that only just shows."""
    sensor_may_lapse_s: Annotated[float, Field(ge=0, le=1e9)] = 0.0
    """The same of a sensor alert."""
    machine: _Names | None = None
    """Machine states that are a right answer; left out: the labels of the faults that are there. An empty list: too small
    to be found, no alert may come."""
    sensor: _Names | None = None
    """Sensor states that are a right answer; left out: the states of the sensor faults that are there."""
