"""A scenario of 60 s from end to end: emulated MIPS, the ratio to real time, and what the firmware does with its chip.

    python -m benchmarks.end_to_end

Beside the whole run, what bounds it: the same simulation without a chip, and the same chip with the samples at hand.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from e2e.run import STAGES, run
from emulator.clock import CPU_HZ
from emulator.machine import Machine, Sensor
from emulator.sources import ArraySource
from emulator.twin_source import TwinRun
from firmware.build import build
from models.artifact import open_artifact, reference
from sim.scenario.reader import load
from sim.scenario.realise import plan
from sim.scenario.schema import Scenario

_SCENARIO = Path(__file__).parents[1] / "scenarios" / "demo.yaml"


def measure() -> dict[str, float | str]:
    """Seconds are those of this process alone."""
    scenario = load(_SCENARIO, Scenario).model
    artifact = open_artifact(reference(scenario.machine.id))
    with tempfile.TemporaryDirectory() as folder:
        elf = build(artifact.folder, Path(folder)).product
        started = time.process_time()
        outcome = run(scenario, artifact, elf)
        whole_s = time.process_time() - started

        started = time.process_time()
        source = TwinRun(plan(scenario).draw(0, scenario.name, 0), 0).sources[0]
        counts = np.concatenate([block.counts for block in source.blocks()])
        twin_s = time.process_time() - started

        started = time.process_time()
        machine = Machine(elf, [Sensor(ArraySource(counts, 3332.0))], stages=STAGES)
        machine.run(outcome.duration_s)
        chip_s = time.process_time() - started
    executed, windows = outcome.instructions["all"], len(outcome.windows)
    figures: dict[str, float | str] = {
        "machine time, s": outcome.duration_s,
        "whole run, times real time": outcome.duration_s / whole_s,
        "the twin alone, times real time": outcome.duration_s / twin_s,
        "the chip alone, times real time": outcome.duration_s / chip_s,
        "the chip alone, emulated MIPS": machine.instructions / chip_s / 1e6,
        "share of a 160 MHz chip in use, %": 100.0 * executed / (outcome.duration_s * CPU_HZ),
        "windows": float(windows),
        "instructions a window": executed / windows,
    }
    for stage, count in outcome.instructions.items():
        if stage != "all":
            figures[f"  {stage}"] = count / windows
    return figures


def main() -> None:
    """Print the figures."""
    for name, value in measure().items():
        print(f"{name:45s} {value:14,.1f}" if isinstance(value, float) else f"{name:45s} {value}")


if __name__ == "__main__":
    main()
