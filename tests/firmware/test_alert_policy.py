"""The alert policy in C is models/alert_policy.py's, step by step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from firmware.host import Core

policies = pytest.importorskip("models.alert_policy")
CODES = {None: 0, "raised": 1, "changed": 2, "cleared": 3}


def test_random_sequences_under_random_policies(library: Path) -> None:
    core = Core(library)
    draws = np.random.default_rng(0)
    seen = set()
    for _ in range(400):
        of = int(draws.integers(1, 33))
        flagged, quiet = int(draws.integers(1, of + 1)), int(draws.choice([1, 2, 3, 6, 20, 255]))
        top = int(draws.choice([1, 3, 255]))
        classes = draws.integers(1, top + 1, 500).astype(np.uint8) * (draws.random(500) < draws.random())
        classes = np.repeat(classes, draws.integers(1, 12, 500))[:500].astype(np.uint8)
        alert = policies.Alert(policies.AlertPolicy(flagged, of, quiet))
        expected = [(CODES[alert.step(int(each))], alert.alert) for each in classes]
        changes, alerts = core.alert_policy(flagged, of, quiet, classes)
        assert list(zip(changes.tolist(), alerts.tolist(), strict=True)) == expected
        seen |= {change for change, _ in expected}
    assert seen == {0, 1, 2, 3}
