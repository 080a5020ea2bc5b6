"""The transfer-function form of the modes against the state-space form, which is held against SciPy and closed forms."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.machine.modal_path import ModalPath
from sim.machine.oscillator import OscillatorBank

Array = NDArray[np.float64]

RNG = np.random.default_rng(8)


def bank(n_modes: int, dt_s: float = 1e-4) -> OscillatorBank:
    """Modes from 8 Hz to 4 kHz: on a grid of 10 kHz from far below to near half of its rate."""
    return OscillatorBank(np.geomspace(50.0, 25_000.0, n_modes), 0.02, np.linspace(1.0, 3.0, n_modes), dt_s)


def expected(modes: OscillatorBank, force_shapes: Array, shapes: Array, tilts: Array, forces: Array) -> Array:
    motion = modes.process(force_shapes @ forces)
    return np.stack((shapes @ motion.acceleration, tilts @ motion.velocity))


@pytest.mark.parametrize("n_points", [1, 2])
@pytest.mark.parametrize("n_modes", [1, 5, 6, 7, 13])
def test_any_number_of_modes_and_points(n_modes: int, n_points: int) -> None:
    force_shapes = RNG.standard_normal((n_modes, 9))
    shapes, tilts = RNG.standard_normal((2, 3 * n_points, n_modes))
    tilts[:, ::2] = 0.0  # modes without tilt, as most are
    forces = RNG.standard_normal((9, 3000))
    out = np.full((2, 3 * n_points, 3000), np.nan)
    ModalPath(bank(n_modes), force_shapes, shapes, tilts).move(forces, out)
    for kind, right in zip(out, expected(bank(n_modes), force_shapes, shapes, tilts, forces), strict=True):
        assert np.abs(kind - right).max() <= 1e-10 * np.abs(right).max()


def test_blocks_equal_one_go() -> None:
    arguments = RNG.standard_normal((7, 9)), RNG.standard_normal((3, 7)), RNG.standard_normal((3, 7))
    forces, whole = RNG.standard_normal((9, 3000)), np.empty((2, 3, 3000))
    ModalPath(bank(7), *arguments).move(forces, whole)
    path, parts = ModalPath(bank(7), *arguments), np.empty_like(whole)
    for start, stop in ((0, 1), (1, 2), (2, 514), (514, 514), (514, 1027), (1027, 3000)):
        path.move(forces[:, start:stop], part := np.empty((2, 3, stop - start)))
        parts[:, :, start:stop] = part
    assert np.array_equal(parts, whole)


def test_stated_rounding_of_slow_motion_on_a_fine_grid() -> None:
    """A sine of 1 Hz on a grid of 80 kHz: some 1e-15 / (2 pi / 80000)^2, 2e-7."""
    dt_s = 1.0 / 80_000.0
    sine = np.sin(2 * math.pi * dt_s * np.arange(160_000))
    forces = np.zeros((9, len(sine)))
    forces[0] = sine
    slow = OscillatorBank(2 * math.pi * 60.0, 0.05, 10.0, dt_s)
    out, ones = np.empty((2, 3, len(sine))), np.ones((1, 9))
    ModalPath(slow, ones, np.ones((3, 1)), np.ones((3, 1))).move(forces, out)
    motion = slow.process(sine[None, :])
    settled = slice(80_000, None)
    for kind, right in ((out[0, 0], motion.acceleration[0]), (out[1, 0], motion.velocity[0])):
        assert np.abs(kind - right)[settled].max() < 1e-6 * np.abs(right[settled]).max()
