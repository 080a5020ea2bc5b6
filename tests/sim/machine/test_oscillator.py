"""The oscillator bank against SciPy's first-order hold and against closed forms."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import cont2discrete, dlsim, lsim

from sim.errors import ParameterError
from sim.machine.oscillator import OUTPUTS, OscillatorBank, Output

Array = NDArray[np.float64]

DT_S = 1e-3
# Natural frequency (rad/s), damping ratio: slow, ordinary, near Nyquist (pi / dt = 3142 rad/s), above; all dampings.
OSCILLATORS = [
    (5.0, 0.02),
    (300.0, 0.0),
    (300.0, 0.01),
    (300.0, 0.999999),
    (300.0, 1.0),
    (300.0, 1.000001),
    (300.0, 4.0),
    (20.0, 60.0),
    (3000.0, 0.05),
    (20000.0, 0.01),
    (20000.0, 3.0),
]
MASS_KG = 2.5


def state_space(frequency_rad_s: float, damping_ratio: float) -> tuple[Array, Array, Array, Array]:
    """Textbook state space of one oscillator with displacement, velocity and acceleration as outputs."""
    row = [-(frequency_rad_s**2), -2.0 * damping_ratio * frequency_rad_s]
    a = np.array([[0.0, 1.0], row])
    b = np.array([[0.0], [1.0 / MASS_KG]])
    return a, b, np.array([[1.0, 0.0], [0.0, 1.0], row]), np.array([[0.0], [0.0], [1.0 / MASS_KG]])


def assert_close(actual: Any, expected: Array, tolerance: float = 1e-9) -> None:
    """Within `tolerance` of the largest value of the expected signal."""
    np.testing.assert_allclose(actual, expected, rtol=0.0, atol=tolerance * float(np.max(np.abs(expected))))


# ------------------------------------------------------------------------------------------------------ against SciPy


@pytest.mark.parametrize(("frequency_rad_s", "damping_ratio"), OSCILLATORS)
def test_random_force_as_lsim(frequency_rad_s: float, damping_ratio: float) -> None:
    force = np.random.default_rng(1).normal(size=1500)
    bank = OscillatorBank(frequency_rad_s, damping_ratio, MASS_KG, DT_S)
    motion = bank.process(force[None, :])
    from_zero = np.concatenate(([0.0], force))  # the bank's convention: no force one sample earlier
    _, response, _ = lsim(state_space(frequency_rad_s, damping_ratio), from_zero, DT_S * np.arange(from_zero.size))
    for signal, column in zip(motion, np.asarray(response).T, strict=True):
        assert_close(signal[0], column[1:])


@pytest.mark.parametrize(("frequency_rad_s", "damping_ratio"), OSCILLATORS)
def test_impulse_like_force_as_cont2discrete(frequency_rad_s: float, damping_ratio: float) -> None:
    force = np.zeros(800)
    force[0] = 3.0
    motion = OscillatorBank([frequency_rad_s], [damping_ratio], [MASS_KG], DT_S).process(force[None, :])
    discrete = cont2discrete(state_space(frequency_rad_s, damping_ratio), DT_S, method="foh")
    _, response, _ = dlsim(discrete, force)
    for signal, column in zip(motion, np.asarray(response).T, strict=True):
        assert_close(signal[0], column)


# ------------------------------------------------------------------------------------------------ against closed forms


def test_step_response_underdamped() -> None:
    w, zeta, force = 120.0, 0.03, 7.0
    bank = OscillatorBank(w, zeta, MASS_KG, DT_S)
    bank.state = [[0.0], [0.0], [force]]  # the step came just now
    motion = bank.process(np.full((1, 2000), force))
    t = DT_S * np.arange(1, 2001)
    wd = w * np.sqrt(1.0 - zeta**2)
    decay = np.exp(-zeta * w * t)
    static = force / (MASS_KG * w**2)
    assert_close(motion.displacement[0], static * (1 - decay * (np.cos(wd * t) + zeta * w / wd * np.sin(wd * t))))
    assert_close(motion.velocity[0], force / (MASS_KG * wd) * decay * np.sin(wd * t))
    assert_close(motion.acceleration[0], force / MASS_KG * decay * (np.cos(wd * t) - zeta * w / wd * np.sin(wd * t)))


def test_step_response_critical_and_overdamped() -> None:
    w, zeta, force = 80.0, 5.0, 7.0
    bank = OscillatorBank(w, [1.0, zeta], MASS_KG, DT_S)
    bank.state = [[0.0, 0.0], [0.0, 0.0], [force, force]]
    displacement = bank.process(np.full((2, 1000), force)).displacement
    t = DT_S * np.arange(1, 1001)
    static = force / (MASS_KG * w**2)
    assert_close(displacement[0], static * (1.0 - (1.0 + w * t) * np.exp(-w * t)))
    slow, fast = w * (zeta - np.sqrt(zeta**2 - 1.0)), w * (zeta + np.sqrt(zeta**2 - 1.0))
    assert_close(
        displacement[1], static * (1.0 - (fast * np.exp(-slow * t) - slow * np.exp(-fast * t)) / (fast - slow))
    )


def test_ramp_response_undamped() -> None:
    w, rate = 250.0, 40.0
    t = np.asarray(DT_S * np.arange(1, 1501), dtype=np.float64)
    displacement = OscillatorBank(w, 0.0, MASS_KG, DT_S).process(rate * t[None, :]).displacement[0]
    assert_close(displacement, rate / (MASS_KG * w**2) * (t - np.sin(w * t) / w))


@pytest.mark.parametrize("frequency_rad_s", [1e-4, 1e-2, 1.0])
def test_no_digits_lost_on_modes_far_below_the_sampling_rate(frequency_rad_s: float) -> None:
    bank = OscillatorBank(frequency_rad_s, 0.0, MASS_KG, DT_S)
    bank.state = [[0.0], [0.0], [1.0]]
    displacement = bank.process(np.ones((1, 300))).displacement[0]
    t = DT_S * np.arange(1, 301)
    expected = 2.0 * np.sin(frequency_rad_s * t / 2.0) ** 2 / (MASS_KG * frequency_rad_s**2)  # 1 - cos without its loss
    np.testing.assert_allclose(displacement, expected, rtol=1e-11)


def test_free_mass() -> None:
    t = np.asarray(DT_S * np.arange(1, 401), dtype=np.float64)
    motion = OscillatorBank(0.0, 0.0, MASS_KG, DT_S).process(6.0 * t[None, :])
    np.testing.assert_allclose(motion.displacement[0], t**3 / MASS_KG, rtol=1e-12)
    np.testing.assert_allclose(motion.velocity[0], 3.0 * t**2 / MASS_KG, rtol=1e-12)
    np.testing.assert_allclose(motion.acceleration[0], 6.0 * t / MASS_KG, rtol=1e-12)


def test_undamped_vibration_neither_decays_nor_drifts() -> None:
    w = 1234.5
    bank = OscillatorBank(w, 0.0, 1.0, DT_S)
    bank.state = [[1.0], [0.0], [0.0]]
    displacement = bank.process(np.zeros((1, 200_000))).displacement[0]
    assert_close(displacement, np.cos(w * DT_S * np.arange(1, 200_001)), 1e-8)  # 39,000 periods


# -------------------------------------------------------------------------------------------------- blocks, modes, API


def make_bank(n_modes: int, outputs: tuple[Output, ...] = OUTPUTS) -> OscillatorBank:
    return OscillatorBank(
        np.linspace(50.0, 2500.0, n_modes),
        np.linspace(0.0, 1.5, n_modes),
        np.linspace(1.0, 3.0, n_modes),
        DT_S,
        outputs,
    )


def test_blocks_equal_one_go() -> None:
    forces = np.random.default_rng(2).normal(size=(6, 3000))
    whole = make_bank(6).process(forces)
    bank = make_bank(6)
    parts = [bank.process(part) for part in np.split(forces, [1, 2, 2, 500, 1012, 1525, 2990], axis=1)]
    for signal, pieces in zip(whole, zip(*parts, strict=True), strict=True):
        np.testing.assert_array_equal(np.hstack(pieces), signal)
    np.testing.assert_array_equal(bank.state[0], whole.displacement[:, -1])
    np.testing.assert_array_equal(bank.state[1], whole.velocity[:, -1])
    np.testing.assert_array_equal(bank.state[2], forces[:, -1])


@pytest.mark.parametrize("n_modes", range(1, 10))
def test_modes_do_not_touch_each_other(n_modes: int) -> None:
    forces = np.random.default_rng(3).normal(size=(n_modes, 700))
    together = make_bank(n_modes).process(forces)
    frequencies, dampings, masses = (np.linspace(a, b, n_modes) for a, b in ((50.0, 2500.0), (0.0, 1.5), (1.0, 3.0)))
    for m in range(n_modes):
        alone = OscillatorBank(frequencies[m], dampings[m], masses[m], DT_S).process(forces[m : m + 1])
        for signal, single in zip(together, alone, strict=True):
            np.testing.assert_array_equal(signal[m], single[0])


@pytest.mark.parametrize("outputs", [("displacement",), ("acceleration",), ("acceleration", "velocity")])
def test_only_the_outputs_asked_for(outputs: tuple[Output, ...]) -> None:
    forces = np.random.default_rng(4).normal(size=(5, 600))
    everything, some = make_bank(5).process(forces), make_bank(5, outputs).process(forces)
    for name in OUTPUTS:
        signal = getattr(some, name)
        if name in outputs:
            assert signal.flags.c_contiguous
            np.testing.assert_array_equal(signal, getattr(everything, name))
        else:
            assert signal.shape == (0, 600)


def test_memory_of_an_earlier_block_is_reused() -> None:
    forces = np.random.default_rng(6).normal(size=(2, 3, 80))
    fresh, bank = make_bank(3), make_bank(3)
    fresh.process(forces[0])
    first = bank.process(forces[0])
    again = bank.process(forces[1], out=first)
    for signal, memory, expected in zip(again, first, fresh.process(forces[1]), strict=True):
        assert signal is memory
        np.testing.assert_array_equal(signal, expected)
    with pytest.raises(ParameterError, match="out of shapes"):
        bank.process(forces[0, :, :79], out=first)
    with pytest.raises(ParameterError, match="out of shapes"):
        make_bank(3, ("velocity",)).process(forces[0], out=first)


def test_any_memory_layout_and_integer_type_is_taken() -> None:
    forces = np.arange(40).reshape(10, 4) % 7
    np.testing.assert_array_equal(
        make_bank(4).process(forces.T).velocity,  # type: ignore[arg-type]
        make_bank(4).process(np.array(forces.T, dtype=np.float64, order="C")).velocity,
    )


def test_reset_and_state() -> None:
    forces = np.random.default_rng(5).normal(size=(3, 50))
    bank = make_bank(3)
    first = bank.process(forces).displacement
    kept = bank.state
    bank.state[:] = 99.0  # a copy: the bank does not see this
    np.testing.assert_array_equal(bank.state, kept)
    onward = bank.process(forces).displacement
    assert not np.array_equal(onward, first)
    bank.state = kept
    np.testing.assert_array_equal(bank.process(forces).displacement, onward)
    bank.reset()
    assert not bank.state.any()
    np.testing.assert_array_equal(bank.process(forces).displacement, first)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([-1.0], [0.1], [1.0], DT_S), "natural_frequencies_rad_s contains -1.0"),
        (([np.nan], [0.1], [1.0], DT_S), "natural_frequencies_rad_s contains nan"),
        (([1.0], [0.1, -0.1], [1.0], DT_S), "damping_ratios contains -0.1"),
        (([1.0], [0.1], [0.0], DT_S), "modal_masses_kg contains 0.0"),
        (([1.0], [0.1], [np.inf], DT_S), "modal_masses_kg contains inf"),
        (([1.0], [0.1], [1.0], 0.0), "dt_s = 0.0"),
        (([[1.0]], [0.1], [1.0], DT_S), "shape"),
        (([], [], [], DT_S), "shape"),
        (([1.0], [0.1], [1.0], DT_S, ()), "outputs"),
        (([1.0], [0.1], [1.0], DT_S, ("jerk",)), "jerk"),
    ],
)
def test_bad_parameters(arguments: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        OscillatorBank(*arguments)


def test_bad_forces_and_state() -> None:
    bank = make_bank(3)
    with pytest.raises(ParameterError, match=r"\(2, 10\).*\(3, n_samples\)"):
        bank.process(np.zeros((2, 10)))
    with pytest.raises(ParameterError, match=r"\(10,\)"):
        bank.process(np.zeros(10))
    with pytest.raises(ParameterError, match=r"\(3, 3\)"):
        bank.state = np.zeros((3, 2))
