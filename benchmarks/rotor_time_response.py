"""Time response of one rotor by `SteppedRotor.time_response` and by ROSS's `Rotor.run_time_response`, in one run.

Same shaft, disks, bearings, time grid and unbalance force. ROSS carries 6 degrees of freedom a node (axial motion and
torsion too), ours 4: its model is 1.5 times as large. Both give displacement and velocity of every node, on one thread:
their small matrices gain nothing from more. Run: python -m benchmarks.rotor_time_response
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sim.machine.rotor import STEEL, BearingSupport, Disk, ShaftElement, SteppedRotor

Array = NDArray[np.float64]

DIAMETERS_M = (0.03, 0.03, 0.045, 0.045, 0.06, 0.06, 0.06, 0.045, 0.045, 0.035, 0.035)
ELEMENT_LENGTH_M = 0.08
DISKS = ((4, 8.0, 0.05, 0.09), (7, 5.0, 0.025, 0.045))  # node, kg, diametral and polar inertia in kg m^2
BEARINGS = ((1, 2e7, 4e7, 900.0, 1500.0), (10, 1.5e7, 3e7, 700.0, 1100.0))  # node, kxx, kyy, cxx, cyy
SPEED_RAD_S = 500.0
UNBALANCE_NODE, UNBALANCE_KG_M = 4, 2e-4
SAMPLES_PER_TURN, TURNS = 64, 320


def run() -> dict[str, float | str]:
    """Seconds of either (best of five), their ratio, and the largest relative difference of the steady amplitude."""
    angle = 2.0 * math.pi * np.arange(SAMPLES_PER_TURN * TURNS) / SAMPLES_PER_TURN
    times_s: Array = np.asarray(angle / SPEED_RAD_S, dtype=np.float64)

    rotor = SteppedRotor(
        [ShaftElement(ELEMENT_LENGTH_M, diameter) for diameter in DIAMETERS_M],
        [Disk(*disk) for disk in DISKS],
        [BearingSupport(node, (kxx, kyy), (cxx, cyy)) for node, kxx, kyy, cxx, cyy in BEARINGS],
    )
    forces = rotor.unbalance_forces(UNBALANCE_NODE, UNBALANCE_KG_M, 0.0, SPEED_RAD_S, times_s)
    rotor.time_response(SPEED_RAD_S, times_s, forces)  # compile

    peer = _ross_rotor()
    lateral = np.array([peer.number_dof * node + k for node in range(rotor.n_nodes) for k in (0, 1, 3, 4)])
    peer_forces = np.zeros((times_s.size, peer.ndof))
    peer_forces[:, lateral] = forces.T
    ours_s, ross_s = math.inf, math.inf
    with threadpool_limits(1):
        for _ in range(5):  # in turns, so that both meet the same load of the machine
            seconds, motion = _timed(lambda: rotor.time_response(SPEED_RAD_S, times_s, forces))
            ours_s = min(ours_s, seconds)
            seconds, result = _timed(lambda: peer.run_time_response(SPEED_RAD_S, peer_forces, times_s))
            ross_s = min(ross_s, seconds)
    ours, theirs = motion.displacement, result.yout[:, lateral].T

    last = slice(-16 * SAMPLES_PER_TURN, None)
    turning = 2.0 * np.exp(-1j * angle[last]) / angle[last].size
    amplitude, expected = np.abs(ours[:, last] @ turning), np.abs(theirs[:, last] @ turning)
    return {
        "samples": float(times_s.size),
        "simtwin_s": ours_s,
        "ross_s": ross_s,
        "ratio": ross_s / ours_s,
        "largest_relative_amplitude_difference": float(np.max(np.abs(amplitude / expected - 1.0))),
    }


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _ross_rotor() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ross
    steel = ross.Material("steel", rho=STEEL.density_kg_per_m3, E=STEEL.youngs_modulus_pa, Poisson=STEEL.poisson_ratio)
    return ross.Rotor(
        [ross.ShaftElement(L=ELEMENT_LENGTH_M, idl=0.0, odl=diameter, material=steel) for diameter in DIAMETERS_M],
        [ross.DiskElement(n=n, m=m, Id=diametral, Ip=polar) for n, m, diametral, polar in DISKS],
        [ross.BearingElement(n=n, kxx=kxx, kyy=kyy, cxx=cxx, cyy=cyy) for n, kxx, kyy, cxx, cyy in BEARINGS],
    )


def main() -> None:
    """Print the comparison."""
    figures = run()
    print(f"rotor of {len(DIAMETERS_M)} elements, {figures['samples']:.0f} samples under one unbalance")
    print(f"  simtwin SteppedRotor.time_response  {figures['simtwin_s']:8.4f} s")
    print(f"  ROSS Rotor.run_time_response        {figures['ross_s']:8.4f} s")
    print(f"  ratio                               {figures['ratio']:8.1f}")
    print(
        f"  largest relative difference of a steady amplitude  {figures['largest_relative_amplitude_difference']:.1e}"
    )


if __name__ == "__main__":
    main()
