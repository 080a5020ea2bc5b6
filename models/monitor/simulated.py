"""A simulated run as a stream: what a sensor of a scenario would deliver, made as it is read."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from models.monitor.source import Block, Format, Source, SourceError
from sim.scenario.reader import load
from sim.scenario.realise import plan
from sim.scenario.schema import Scenario
from sim.twin import Twin


class SimulatedSource(Source):
    """One sensor of one run; the same seed gives the run that `simtwin simulate` records."""

    def __init__(self, name: str, scenario: Scenario, sensor_id: str, seed: int) -> None:
        self._twin = Twin(plan(scenario).draw(seed, scenario.name, 0), seed)
        self._index = [sensor.id for sensor in self._twin.sensors].index(sensor_id)
        sensor = self._twin.sensors[self._index]
        super().__init__(name, Format(sensor.channel_names, sensor.odr_hz, tuple(sensor.scale.tolist())))

    def blocks(self) -> Generator[Block, None, None]:
        """Every capture from its start; the time is that of the run."""
        rate_hz = self._twin.sensors[self._index].odr_hz
        for capture in self._twin.timeline.captures:
            given = 0
            for chunk in self._twin.capture(capture, self._twin.samples_of_capture):
                counts = chunk.samples[self._index]
                if len(counts):
                    yield Block(counts, capture.start_s + given / rate_hz, follows=given > 0)
                    given += len(counts)


def scenario_source(text: str, seed: int) -> SimulatedSource:
    """The run of a scenario, `FILE` or `FILE#SENSOR`.

    Raises:
        ScenarioError: mistakes in the file.
        SourceError: no such sensor, or several and none named.
    """
    path, _, asked = text.partition("#")
    scenario = load(Path(path), Scenario).model
    sensors = [sensor.id for sensor in scenario.sensors]
    if asked not in sensors and (asked or len(sensors) != 1):
        what = f"no sensor {asked!r}" if asked else "several sensors"
        raise SourceError(
            f"scenario:{text}: {what}; name one of them: {', '.join(f'{path}#{each}' for each in sensors)}"
        )
    return SimulatedSource(f"scenario:{text}", scenario, asked or sensors[0], seed)
