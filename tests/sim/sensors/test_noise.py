"""Noise against closed forms, with allantools as the judge of Allan deviations."""

import allantools
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import welch

from sim.sensors.checks import record
from sim.sensors.devices import LSM6DSO
from sim.sensors.imu import ImuSpec, ImuStream
from sim.sensors.noise import NoiseStream, gauss_markov_allan_variance


def rng(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))


def allan_deviation(x: NDArray[np.float64], rate_hz: float, taus_s: list[float]) -> NDArray[np.float64]:
    """Overlapping Allan deviation of each column at exactly `taus_s`."""
    columns = [allantools.oadev(c, rate=rate_hz, data_type="freq", taus=taus_s) for c in x.T]
    for taus, _, _, _ in columns:
        assert np.allclose(taus, taus_s, rtol=1e-3)
    return np.array([deviation for _, deviation, _, _ in columns])


def at_rest(spec: ImuSpec, duration_s: float, seed: int) -> NDArray[np.float64]:
    """Readings of a resting sensor through the full chain, g and deg/s."""
    grid_hz = 4 * spec.odr_hz
    still = np.zeros((3, round(duration_s * grid_hz)))
    scale = ImuStream(spec, grid_hz, _Seeds()).scale
    return np.asarray(record(spec, still, still, seed=seed, cuts=(1 << 16,)) * scale.astype(float))


class _Seeds:
    def noise(self, purpose: str) -> np.random.Generator:
        return rng(0)


@pytest.mark.parametrize("range_g", [2.0, 4.0, 8.0, 16.0])
def test_lsm6dso_noise_density_is_recovered(range_g: float) -> None:
    """Allan deviation density / sqrt(2 tau) (IEEE 952, C.1.1); 60 s at tau 0.05 s: standard error 2 % an axis."""
    spec = ImuSpec(id="a", odr_hz=3332, range_g=range_g, range_dps=125.0, specimen="nominal")
    taus_s = [n / 3332 for n in (100, 166, 333)]
    deviation = allan_deviation(at_rest(spec, 60, seed=int(range_g)), 3332, taus_s)
    density = (deviation * np.sqrt(2 * np.array(taus_s))).mean(axis=1).reshape(2, 3).mean(axis=1)
    assert density[0] == pytest.approx({2: 70e-6, 4: 75e-6, 8: 80e-6, 16: 110e-6}[int(range_g)], rel=0.1)
    assert density[1] == pytest.approx(3.8e-3, rel=0.1)


def test_lsm6dso_bias_instability_is_recovered() -> None:
    """AVAR = N^2 / (2 tau) + (0.664 B)^2 fitted over 1 to 300 s; two sensors of 40,000 s give six axes a kind.

    An overlapping estimate at 300 s has about 130 degrees of freedom an axis (6 %), the mean of six 2.5 %; the fit over
    all taus scatters by 1.2 % (B) and 1 % (N) from seed to seed.
    """
    spec = ImuSpec(id="a", odr_hz=26, range_g=2, range_dps=125, specimen="nominal")
    taus_s = [n / 26 for n in (26, 65, 260, 520, 1040, 2080, 4160, 7800)]
    variance = np.concatenate(
        [allan_deviation(at_rest(spec, 40_000, seed), 26, taus_s).reshape(2, 3, -1) ** 2 for seed in (1, 2)], axis=1
    ).mean(axis=1)
    terms = np.column_stack([1 / np.array(taus_s), np.ones(len(taus_s))])
    for measured, density, instability in (
        (variance[0], 70e-6, LSM6DSO.accel_bias_instability_ug * 1e-6),
        (variance[1], 3.8e-3, LSM6DSO.gyro_bias_instability_deg_per_h / 3600),
    ):
        white, floor = np.linalg.lstsq(terms / measured[:, None], np.ones(len(taus_s)), rcond=None)[0]
        assert np.sqrt(floor) / 0.664 == pytest.approx(instability, rel=0.1)
        assert np.sqrt(2 * white) == pytest.approx(density, rel=0.1)


def test_flicker_alone_has_a_flat_allan_deviation_and_a_1_over_f_spectrum() -> None:
    """Floor 0.664 B; one-sided spectrum B^2 / (pi f) (IEEE 952, C.1.3, there two-sided)."""
    rate_hz, instability = 4.0, 3.0
    x = NoiseStream(0.0, instability, 0.0, rate_hz, 24, rng(7)).draw(100_000)
    taus_s = [10.0, 20.0, 50.0, 100.0, 200.0, 400.0]
    deviation = np.sqrt((allan_deviation(x, rate_hz, taus_s) ** 2).mean(axis=0))
    assert deviation == pytest.approx(np.full(len(taus_s), 0.664 * instability), rel=0.05)
    f, spectrum = welch(x, rate_hz, nperseg=8192, axis=0)
    for low, high in ((0.002, 0.01), (0.01, 0.05), (0.05, 0.2)):
        band = (f > low) & (f < high)
        ratio = spectrum[band].mean(axis=1) / (instability**2 / (np.pi * f[band]))
        assert ratio.mean() == pytest.approx(1.0, rel=0.1)


def test_random_walk_is_recovered() -> None:
    """AVAR = K^2 tau / 3 (IEEE 952, C.1.4)."""
    x = NoiseStream(0.0, 0.0, 0.02, 10.0, 24, rng(8)).draw(50_000)
    taus_s = [10.0, 30.0, 100.0]
    deviation = np.sqrt((allan_deviation(x, 10.0, taus_s) ** 2).mean(axis=0))
    assert deviation * np.sqrt(3 / np.array(taus_s)) == pytest.approx([0.02] * 3, rel=0.05)


def test_white_noise_rms() -> None:
    x = NoiseStream([2.0, 5.0], 0.0, 0.0, 1000.0, 2, rng(9)).draw(200_000)
    assert x.std(axis=0) == pytest.approx(np.array([2.0, 5.0]) * np.sqrt(500), rel=0.01)
    assert abs(np.mean(x[:, 0] * x[:, 1])) < 0.01 * x[:, 0].std() * x[:, 1].std()


def test_stationary_from_the_first_sample() -> None:
    """The variance over an ensemble is the same at the first sample and after an hour; 2000 members: 3 % each."""
    streams: NDArray[np.float64] = np.array(
        [NoiseStream(0.0, 1.0, 0.0, 1.0, 100, rng(100 + i)).draw(3601)[[0, 3600]] for i in range(20)]
    )
    first, later = float(streams[:, 0].var()), float(streams[:, 1].var())
    assert first == pytest.approx(later, rel=0.15)
    # Closed form: 13 processes of the variance that puts the plateau at 0.664^2, three to a decade. Their Allan variances
    # sum to (integral of the single one over ln tau) / (ln 10 / 3) = 2 ln 2 / (ln 10 / 3) of one process' variance.
    one = (2 * np.log(2) / np.pi) / (2 * np.log(2) * 3 / np.log(10))
    assert first == pytest.approx(13 * one, rel=0.12)


def test_gauss_markov_allan_variance() -> None:
    """IEEE 952 C.1.5: the peak lies at 1.89 time constants and is 0.437 q sqrt(T), with variance q^2 T / 2."""
    tau_s = np.linspace(0.5, 5, 4001) * 7.0
    deviation = np.sqrt(gauss_markov_allan_variance(tau_s, 7.0))
    assert tau_s[deviation.argmax()] / 7.0 == pytest.approx(1.89, abs=0.01)
    assert deviation.max() == pytest.approx(0.437 * np.sqrt(2), rel=0.002)


@pytest.mark.parametrize("cuts", [[1] * 500, [499, 1], [7, 93, 400], [0, 250, 0, 250]])
def test_portions_do_not_matter(cuts: list[int]) -> None:
    whole = NoiseStream(1.0, [0.5, 2.0], 0.1, 37.0, 2, rng(5)).draw(500)
    stream = NoiseStream(1.0, [0.5, 2.0], 0.1, 37.0, 2, rng(5))
    assert np.array_equal(np.concatenate([stream.draw(n) for n in cuts]), whole)


def test_memory_stays_flat() -> None:
    stream = NoiseStream(1.0, 1.0, 1.0, 1000.0, 6, rng(5))
    for _ in range(300):
        stream.draw(1000)
    held = sum(v.size for v in vars(stream).values() if isinstance(v, np.ndarray))
    assert held < 1000  # five minutes made 28,800 ticks


def test_bad_figures_are_refused() -> None:
    with pytest.raises(ValueError, match=">= 0"):
        NoiseStream(-1.0, 0.0, 0.0, 10.0, 1, rng(0))
    with pytest.raises(ValueError, match="rate"):
        NoiseStream(1.0, 0.0, 0.0, 0.0, 1, rng(0))
