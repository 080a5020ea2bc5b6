"""A small scenario that runs in milliseconds a window."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from sim.faults.checks import PLAIN_MACHINE
from sim.scenario.reader import Loaded, load
from sim.scenario.schema import Scenario


def small(**changes: Any) -> dict[str, Any]:
    return {
        "name": "small",
        "machine": PLAIN_MACHINE,
        "operation": {"speed_rpm": {"uniform": [900, 2400]}, "duration_s": 20},
        "faults": [
            {"kind": "imbalance", "unbalance_g_mm": {"loguniform": [100, 1000]}},
            {"kind": "bearing_outer", "defect_width_mm": {"uniform": [0.5, 1.5]}},
        ],
        "sensors": [{"id": "imu0", "odr_hz": 1666, "faults": [{"kind": "stuck", "onset_s": 5}]}],
        "dataset": {
            "window_length": 128,
            "windows_per_recording": 4,
            "windows_per_class": {
                "normal": 24,
                "imbalance": 12,
                "bearing_outer": 12,
                "imbalance+bearing_outer": 8,
                "imu0.stuck": 8,
            },
        },
        **changes,
    }


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Write a scenario file: `write(name="other", ...)` -> its path."""

    def to_file(**changes: Any) -> Path:
        content = small(**changes)
        path = tmp_path / f"{content['name']}.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    return to_file


@pytest.fixture
def loaded(write: Any) -> Any:
    """`loaded(name="other", ...)` -> the scenario, read from its file."""

    def read(**changes: Any) -> Loaded[Scenario]:
        return load(write(**changes), Scenario)

    return read
