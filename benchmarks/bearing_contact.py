"""Hertz-contact bearing: our integrator against scipy's solve_ivp on the same equations, one core, one run.

    python -m benchmarks.bearing_contact

A 6205 at 1800 rpm under 500 N with a 1 mm outer spall, sampled at 51.2 kHz, without and with a resonator at 15 kHz. Both
call the same compiled right-hand side from the same start. solve_ivp: rtol 1e-6, atol 1e-11 m and 1e-8 m/s (a millionth of
what is there), output on the sample grid; of its methods the fastest one whose lines are true to 0.5 dB against a
reference (DOP853, rtol 1e-10, a quarter sample a step) is what we compare with. Times are CPU seconds.
"""

from __future__ import annotations

import time
from math import inf, pi
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.signal import butter, hilbert, sosfiltfilt

from sim.machine.bearing import CATALOGUE
from sim.machine.bearing_contact import (
    ContactBearing,
    ContactBearingStream,
    Plant,
    contact_rhs,
    initial_state,
    pack_signals,
)

RATE_HZ, SHAFT_HZ, SPALL_M = 51200.0, 30.0, 1e-3
DT_S = 1.0 / RATE_HZ
COMPARED_S, OURS_S, SETTLING_S = 0.5, 5.0, 0.1
Method = Literal["RK45", "DOP853", "LSODA", "Radau"]
METHODS: tuple[Method, ...] = ("RK45", "DOP853", "LSODA", "Radau")
TRUE_DB = 0.5

FloatArray = NDArray[np.float64]


def _angle_rad(seconds: float) -> FloatArray:
    return np.asarray(2.0 * pi * SHAFT_HZ * np.arange(round(seconds * RATE_HZ)) * DT_S, dtype=np.float64)


def _ours(spec: ContactBearing, seconds: float) -> tuple[FloatArray, float]:
    """Pedestal acceleration (n,) and CPU seconds."""
    angle = _angle_rad(seconds)
    start = time.process_time()
    motion = ContactBearingStream(spec, DT_S).step(angle, outer_width_m=SPALL_M)
    return motion.accel_y_m_per_s2, time.process_time() - start


def _scipy(
    spec: ContactBearing, plant: Plant, method: Method, tolerance: float, max_step_s: float = inf
) -> tuple[FloatArray, float]:
    """Pedestal acceleration (n,) and CPU seconds, for COMPARED_S."""
    rows = pack_signals(spec, shaft_angle_rad=_angle_rad(COMPARED_S), outer_width_m=SPALL_M)
    times = np.arange(rows.shape[0]) * DT_S
    state = initial_state(plant, rows, DT_S)
    half = state.size // 2
    start = time.process_time()
    found = solve_ivp(
        contact_rhs,
        (0.0, times[-1]),
        state,
        method=method,
        t_eval=times,
        args=(DT_S, rows, plant),
        rtol=tolerance,
        atol=tolerance * np.asarray([1e-5] * half + [1e-2] * half),
        max_step=max_step_s,
    )
    seconds = time.process_time() - start
    if not found.success:
        return np.zeros(times.size), seconds
    rates = (contact_rhs(t, y, DT_S, rows, plant) for t, y in zip(times, found.y.T, strict=True))
    return np.array([rate[half + 3] for rate in rates]), seconds


def _lines(accel: FloatArray) -> FloatArray:
    """Amplitudes that matter: BPFO and its first 30 harmonics, then the first 5 of the envelope above 1 kHz."""
    band = butter(4, (1000.0, 20000.0), "bandpass", fs=RATE_HZ, output="sos")
    amplitudes = []
    for signal, n_lines in ((accel, 30), (np.abs(hilbert(sosfiltfilt(band, accel))), 5)):
        settled = signal[round(SETTLING_S * RATE_HZ) :]
        spectrum = np.abs(np.fft.rfft((settled - settled.mean()) * np.hanning(settled.size)))
        bins = np.arange(1, n_lines + 1) * CATALOGUE["6205-2RS"].bpfo_order * SHAFT_HZ * settled.size * DT_S
        amplitudes.append(spectrum[np.rint(bins).astype(int)])
    return np.concatenate(amplitudes)


def _off_db(accel: FloatArray, reference: FloatArray) -> float:
    """Largest difference over the lines, dB."""
    with np.errstate(divide="ignore"):
        return float(np.max(np.abs(20.0 * np.log10(_lines(accel) / _lines(reference)))))


def run() -> dict[str, float | str]:
    """Measure both; figures in times real time, per core."""
    figures: dict[str, float | str] = {}
    for label, resonator_mass_kg in (("", 0.0), (" with resonator", 1.0)):
        spec = ContactBearing(CATALOGUE["6205-2RS"], static_load_n=500.0, resonator_mass_kg=resonator_mass_kg)
        plant = spec.plant()
        reference, _ = _scipy(spec, plant, "DOP853", 1e-10, max_step_s=0.25 * DT_S)
        _ours(spec, SETTLING_S)  # compile
        best, best_name = 0.0, "none"
        for method in METHODS:
            accel, seconds = _scipy(spec, plant, method, 1e-6)
            off_db, speed = _off_db(accel, reference), COMPARED_S / seconds
            figures[f"{method}{label}, x real time"] = speed
            figures[f"{method}{label}, largest line error dB"] = off_db
            if off_db <= TRUE_DB and speed > best:
                best, best_name = speed, method
        ours = max(OURS_S / _ours(spec, OURS_S)[1] for _ in range(3))
        figures[f"simtwin{label}, x real time"] = ours
        figures[f"simtwin{label}, largest line error dB"] = _off_db(_ours(spec, COMPARED_S)[0], reference)
        figures[f"best solve_ivp{label}"] = best_name
        figures[f"ratio to best solve_ivp{label}"] = ours / best if best else float("inf")
    return figures


def main() -> None:
    """Print the figures side by side."""
    for name, value in run().items():
        print(f"{name:45s} {value if isinstance(value, str) else f'{value:.4g}'}")


if __name__ == "__main__":
    main()
