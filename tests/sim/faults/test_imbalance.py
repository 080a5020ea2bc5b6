"""How bad an imbalance is, in the grades of ISO 21940-11; its force: tests/sim/machine/test_unbalance.py."""

import numpy as np
import pytest

from sim.faults.imbalance import Imbalance
from tests.sim import rig


def test_severity_is_the_balance_grade() -> None:
    """5 kg at 1800 rpm: 1061 g mm are e = 212.2 um and G 40, the grade called severe."""
    severity = Imbalance(unbalance_g_mm=1061.03).severity(rig.machine(), np.array([0.5, 1.0]))
    assert severity.value == pytest.approx([20.0, 40.0], rel=1e-4)
    assert severity.normalised == pytest.approx([0.5, 1.0], rel=1e-4)


def test_couple_counts_by_its_force_on_a_bearing() -> None:
    """U_c / span at each bearing against U / 2: on 0.4 m, 20000 g mm2 weigh as 100 g mm."""
    couple = Imbalance(unbalance_g_mm=0.0, couple_g_mm2=20_000.0)
    assert couple.severity_value(rig.machine()) == pytest.approx(
        Imbalance(unbalance_g_mm=100.0).severity_value(rig.machine())
    )
