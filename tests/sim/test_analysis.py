"""sim.analysis against closed forms, scipy.stats, and real bearing recordings with known defects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from sim import analysis

Array = NDArray[np.float64]
FS_HZ = 3332.0
SHARED_DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def time_s(n: int, fs_hz: float = FS_HZ) -> Array:
    return np.arange(n) / fs_hz


def knocks(rng: np.random.Generator, n: int, resonance_hz: float, rate_hz: float, height: float) -> Array:
    """Decaying ringing at `resonance_hz`, struck `rate_hz` times a second, in unit white noise and a strong hum."""
    t = time_s(n)
    since_knock_s = np.mod(t, 1 / rate_hz)
    ringing = height * np.exp(-since_knock_s * 600.0) * np.sin(2 * np.pi * resonance_hz * since_knock_s)
    return ringing + rng.standard_normal(n) + 20.0 * np.sin(2 * np.pi * 49.7 * t)


# --- amplitude spectrum and density ----------------------------------------------------------------------------------


@pytest.mark.parametrize("window", ["hann", "boxcar", "flattop", "blackmanharris"])
@pytest.mark.parametrize("n", [1024, 1023])
def test_peak_of_a_sine_on_a_bin_reads_its_amplitude(window: str, n: int) -> None:
    sine = 9.81 + 0.7 * np.cos(2 * np.pi * 50 * np.arange(n) / n + 0.4)
    frequency_hz, amplitude = analysis.amplitude_spectrum(sine, FS_HZ, window)
    assert frequency_hz[50] == pytest.approx(50 * FS_HZ / n)
    assert amplitude[50] == pytest.approx(0.7, rel=1e-9)
    far = np.abs(np.arange(len(amplitude)) - 50) > 5
    assert amplitude[far].max() < 1e-6, "gravity or leakage far from the line"


def test_hann_scalloping_between_bins_is_the_textbook_value() -> None:
    n = 4096
    sine = np.sin(2 * np.pi * 300.5 * np.arange(n) / n)
    _, hann = analysis.amplitude_spectrum(sine, FS_HZ)
    _, flattop = analysis.amplitude_spectrum(sine, FS_HZ, "flattop")
    assert hann.max() == pytest.approx(10 ** (-1.4236 / 20), rel=1e-3)  # Harris 1978, table 1: 1.42 dB
    assert flattop.max() == pytest.approx(1.0, rel=2e-3)


def test_nyquist_is_not_doubled() -> None:
    alternating = np.where(np.arange(64) % 2 == 0, 1.5, -1.5)
    _, amplitude = analysis.amplitude_spectrum(alternating, FS_HZ, "boxcar")
    assert amplitude[-1] == pytest.approx(1.5)


def test_block_average_keeps_the_line_and_smooths_the_floor() -> None:
    rng = np.random.default_rng(1)
    n = 64 * 512
    x = 0.5 * np.sin(2 * np.pi * 40 * np.arange(n) / 512) + rng.standard_normal(n)
    _, amplitude = analysis.amplitude_spectrum(x, FS_HZ, nperseg=512)
    assert amplitude[40] == pytest.approx(0.5, rel=0.05)
    # Amplitude of noise in a Hann bin: sqrt(2 * ENBW * sigma^2 * 2 / N), ENBW = 1.5 bins.
    floor = amplitude[60:-2]
    assert np.sqrt(np.mean(floor**2)) == pytest.approx(np.sqrt(2 * 1.5 * 2 / 512), rel=0.03)
    assert floor.std() / floor.mean() < 0.15  # one block: 0.52 (Rayleigh)


def test_psd_of_white_noise_is_its_variance_over_the_band() -> None:
    noise = 0.3 * np.random.default_rng(2).standard_normal(200_000)
    frequency_hz, density = analysis.welch_psd(noise, FS_HZ)
    assert np.median(density[3:-3]) == pytest.approx(2 * 0.3**2 / FS_HZ, rel=0.03)
    assert np.sum(density) * frequency_hz[1] == pytest.approx(0.3**2, rel=0.02)


def test_trailing_axes_are_channels_and_windows() -> None:
    x = np.random.default_rng(3).standard_normal((1024, 4, 3))
    angle_rad = np.linspace(0.0, 100.0, 1024)
    band_hz = (400.0, 900.0)
    for whole, one in (
        (analysis.amplitude_spectrum(x, FS_HZ)[1], analysis.amplitude_spectrum(x[:, 2, 1], FS_HZ)[1]),
        (analysis.welch_psd(x, FS_HZ, 256)[1], analysis.welch_psd(x[:, 2, 1], FS_HZ, 256)[1]),
        (analysis.spectrogram(x, FS_HZ)[2], analysis.spectrogram(x[:, 2, 1], FS_HZ)[2]),
        (analysis.envelope(x, FS_HZ, band_hz), analysis.envelope(x[:, 2, 1], FS_HZ, band_hz)),
        (analysis.order_spectrum(x, angle_rad)[1], analysis.order_spectrum(x[:, 2, 1], angle_rad)[1]),
        (analysis.line_amplitude(x, FS_HZ, 77.0), analysis.line_amplitude(x[:, 2, 1], FS_HZ, 77.0)),
        (analysis.features(x)["kurtosis"], analysis.features(x[:, 2, 1])["kurtosis"]),
    ):
        np.testing.assert_allclose(whole[..., 2, 1], one, rtol=1e-9, atol=1e-12)


def test_spectrogram_places_a_burst_in_time_and_frequency() -> None:
    t = time_s(8192)
    burst = np.where((t > 1.0) & (t < 1.5), 2.0, 0.0) * np.sin(2 * np.pi * 800.0 * t)
    frequency_hz, frame_s, density = analysis.spectrogram(burst, FS_HZ, 256, 64)
    assert density.shape == (129, len(frame_s))
    assert frame_s[0] == pytest.approx(128 / FS_HZ)
    assert frame_s[-1] <= t[-1] - 127 / FS_HZ
    power = density.sum(axis=0) * frequency_hz[1]
    inside = (frame_s > 1.05) & (frame_s < 1.45)
    np.testing.assert_allclose(power[inside], 2.0**2 / 2, rtol=0.02)  # mean square of the sine
    assert power[(frame_s < 0.9) | (frame_s > 1.6)].max() < 1e-12
    assert abs(frequency_hz[density[:, inside].mean(axis=1).argmax()] - 800.0) <= frequency_hz[1]


# --- envelope --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("squared", "line", "second"), [(False, 0.8 * 0.5, 0.0), (True, 2 * 0.5 * 0.8**2, 0.08)])
def test_envelope_of_an_am_signal(squared: bool, line: float, second: float) -> None:
    """A (1 + m cos) has the line m A; its square 2 m A^2, and m^2 A^2 / 2 at twice the frequency."""
    t = time_s(33320)
    am = 0.8 * (1 + 0.5 * np.cos(2 * np.pi * 30.0 * t)) * np.cos(2 * np.pi * 1000.0 * t + 1.0)
    am += 3.0 * np.cos(2 * np.pi * 25.0 * t) + 1.0  # imbalance and gravity, outside the band
    frequency_hz, amplitude = analysis.envelope_spectrum(am, FS_HZ, (700.0, 1300.0), squared)
    at_30_hz, at_60_hz = np.searchsorted(frequency_hz, (29.99, 59.99))
    assert amplitude[at_30_hz] == pytest.approx(line, rel=2e-3)
    assert amplitude[at_60_hz] == pytest.approx(second, rel=2e-2, abs=1e-3)
    rest = np.delete(amplitude, [*range(at_30_hz - 3, at_30_hz + 4), *range(at_60_hz - 3, at_60_hz + 4)])
    assert rest.max() < 0.01 * line


def test_band_that_ends_at_nyquist_is_a_high_pass() -> None:
    t = time_s(8192)
    both = np.sin(2 * np.pi * 1500.0 * t) + np.sin(2 * np.pi * 100.0 * t)
    middle = analysis.envelope(both, FS_HZ, (1000.0, FS_HZ / 2))[500:-500]
    np.testing.assert_allclose(middle, 1.0, atol=0.01)


def test_envelope_peaks_where_the_burst_does() -> None:
    t = time_s(4096)
    burst = np.exp(-(((t - 0.6) / 0.01) ** 2)) * np.cos(2 * np.pi * 900.0 * t)
    found = analysis.envelope(burst, FS_HZ, (600.0, 1200.0))
    assert t[found.argmax()] == pytest.approx(0.6, abs=1.01 / FS_HZ)
    np.testing.assert_allclose(found, np.exp(-(((t - 0.6) / 0.01) ** 2)), atol=0.01)


@pytest.mark.parametrize("n", [512, 1024, 16384])
@pytest.mark.parametrize("resonance_hz", [600.0, 1100.0])
def test_chosen_band_holds_the_resonance(n: int, resonance_hz: float) -> None:
    hits = 0
    for seed in range(10):
        x = knocks(np.random.default_rng(seed), n, resonance_hz, rate_hz=60.0, height=12.0)
        low_hz, high_hz = analysis.choose_band(x, FS_HZ)
        assert 0.0 < low_hz < high_hz <= FS_HZ / 2
        hits += low_hz < resonance_hz < high_hz
    assert hits >= 9  # a band drawn at random holds it 1 time in 4 to 1 in 8


def test_automatic_envelope_shows_knocks_better_than_the_spectrum() -> None:
    x = knocks(np.random.default_rng(5), 16384, 900.0, rate_hz=61.3, height=5.0)
    frequency_hz, amplitude = analysis.envelope_spectrum(x, FS_HZ)
    in_envelope = analysis.line_prominence(amplitude, frequency_hz, 61.3, 0.5)
    frequency_hz, plain = analysis.amplitude_spectrum(x, FS_HZ)
    assert in_envelope > 15.0
    assert in_envelope > 3 * analysis.line_prominence(plain, frequency_hz, 61.3, 0.5)


def test_channels_share_the_band_of_the_one_that_knocks() -> None:
    rng = np.random.default_rng(6)
    quiet = rng.standard_normal((8192, 2))
    low_hz, high_hz = analysis.choose_band(
        np.column_stack([quiet, knocks(rng, 8192, 1100.0, rate_hz=50.0, height=15.0)]), FS_HZ
    )
    assert low_hz < 1100.0 < high_hz


def test_silence_has_a_band_and_no_envelope() -> None:
    silence = np.zeros(1024)
    low_hz, high_hz = analysis.choose_band(silence, FS_HZ)
    assert 0.0 < low_hz < high_hz <= FS_HZ / 2
    assert analysis.envelope_spectrum(silence, FS_HZ)[1].max() == 0.0


# --- order tracking --------------------------------------------------------------------------------------------------


def test_shaft_angle_of_constant_and_ramping_speed() -> None:
    t = time_s(5000)
    np.testing.assert_allclose(analysis.shaft_angle_rad(np.full(5000, 1500.0), FS_HZ), 2 * np.pi * 25.0 * t)
    ramp_rpm = 600.0 + 300.0 * t
    np.testing.assert_allclose(
        analysis.shaft_angle_rad(ramp_rpm, FS_HZ), 2 * np.pi * (10.0 * t + 2.5 * t**2), rtol=1e-9
    )


def test_resampling_keeps_all_there_is_at_the_slowest_speed() -> None:
    t = time_s(8192)
    angle_rad = analysis.shaft_angle_rad(600.0 + 100.0 * t, FS_HZ)
    resampled, per_rev = analysis.resample_by_angle(np.cos(30 * angle_rad), angle_rad)
    assert per_rev == pytest.approx(FS_HZ / 10.0, rel=1e-3)  # ten turns a second at the start
    grid_rad = np.arange(len(resampled)) * 2 * np.pi / per_rev
    np.testing.assert_allclose(resampled[50:-50], np.cos(30 * grid_rad)[50:-50], atol=0.01)
    from_rest_rad = analysis.shaft_angle_rad(1.0 + 1000.0 * t, FS_HZ)
    assert len(analysis.resample_by_angle(np.cos(from_rest_rad), from_rest_rad)[0]) == 4 * len(t)


def test_order_lines_stay_sharp_while_the_speed_triples() -> None:
    t = time_s(33320)
    angle_rad = analysis.shaft_angle_rad(600.0 + 120.0 * t, FS_HZ)
    x = 1.2 * np.cos(angle_rad + 0.3) + 0.4 * np.cos(7 * angle_rad)
    orders, amplitude = analysis.order_spectrum(x, angle_rad)
    for order, expected in ((1.0, 1.2), (7.0, 0.4)):
        near = np.abs(orders - order) < 0.05
        assert orders[near][amplitude[near].argmax()] == pytest.approx(order, abs=orders[1])
        assert 0.84 * expected < amplitude[near].max() < 1.01 * expected  # Hann: up to 15 % low between bins
    exact = analysis.order_spectrum(x, angle_rad, "flattop")[1]
    assert exact[np.abs(orders - 1.0) < 0.05].max() == pytest.approx(1.2, rel=0.005)
    assert exact[np.abs(orders - 7.0) < 0.05].max() == pytest.approx(0.4, rel=0.01)
    assert analysis.amplitude_spectrum(x, FS_HZ)[1].max() < 0.2 * 1.2  # in Hz the same line is smeared


def test_envelope_orders_stay_sharp_while_the_resonance_stays_put() -> None:
    t = time_s(33320)
    angle_rad = analysis.shaft_angle_rad(900.0 + 90.0 * t, FS_HZ)
    x = 0.5 * (1 + 0.6 * np.cos(3.052 * angle_rad)) * np.cos(2 * np.pi * 1000.0 * t)
    orders, amplitude = analysis.envelope_order_spectrum(x, angle_rad, FS_HZ, (600.0, 1400.0))
    near = np.abs(orders - 3.052) < 0.05
    assert orders[near][amplitude[near].argmax()] == pytest.approx(3.052, abs=orders[1])
    assert 0.84 * 0.3 < amplitude[near].max() < 1.01 * 0.3  # Hann: up to 15 % low between bins
    frequency_hz, in_hz = analysis.envelope_spectrum(x, FS_HZ, (600.0, 1400.0))
    assert in_hz[frequency_hz > 5.0].max() < 0.1 * 0.3


def test_order_spectrum_over_blocks_of_revolutions() -> None:
    angle_rad = analysis.shaft_angle_rad(np.full(33320, 1500.0), FS_HZ)
    orders, amplitude = analysis.order_spectrum(np.sin(4 * angle_rad), angle_rad, revs_per_block=20)
    assert orders[1] == pytest.approx(1 / 20, rel=0.01)
    assert orders[amplitude.argmax()] == pytest.approx(4.0, abs=0.03)
    assert amplitude.max() == pytest.approx(1.0, rel=0.01)


def test_run_spectrum_takes_the_longest_stretch_that_turns() -> None:
    t = time_s(33320)
    speed_rpm = np.where((t < 2.0) | (t > 3.0), 1500.0, 60.0)  # it creeps in between
    x = np.where(t > 3.0, 0.6, 0.1) * np.sin(2 * np.pi * 2 * 25.0 * t)
    spectrum = analysis.run_spectrum(x, speed_rpm, FS_HZ)
    np.testing.assert_array_equal(np.flatnonzero(t > 3.0)[[0, -1]], [spectrum.stretch.start, spectrum.stretch.stop - 1])
    assert spectrum.rotation_hz == (25.0, 25.0)
    assert spectrum.at[spectrum.amplitude.argmax()] == pytest.approx(2.0, abs=0.01)
    assert spectrum.amplitude.max() == pytest.approx(0.6, rel=0.15)


def test_run_spectrum_takes_the_last_of_equal_captures_whole() -> None:
    t = time_s(30_000)
    x = np.where(t < t[20_000], 0.1, 0.5) * np.sin(2 * np.pi * 3 * 25.0 * t)
    spectrum = analysis.run_spectrum(x, np.full(30_000, 1500.0), FS_HZ, joins=[10_000, 20_000])
    assert spectrum.stretch.stop == 30_000
    assert spectrum.stretch.start in (20_000, 20_001)
    assert spectrum.amplitude.max() == pytest.approx(0.5, rel=0.15)
    short_last = analysis.run_spectrum(x, np.full(30_000, 1500.0), FS_HZ, joins=[10_000, 20_000, 29_000])
    assert short_last.stretch.stop == 29_000


def test_worst_turns_are_where_severity_is_highest_within_a_capture() -> None:
    speed_rpm = np.full(20_000, 1500.0)
    severity = np.exp(-(((np.arange(20_000) - 10_100) / 500.0) ** 2))
    turns = analysis.worst_turns(speed_rpm, FS_HZ, severity)
    assert turns.stop - turns.start == int(5 * FS_HZ / 25.0)
    assert (turns.start + turns.stop) / 2 == pytest.approx(10_100, abs=30)
    turns = analysis.worst_turns(speed_rpm, FS_HZ, severity, joins=[10_000, 15_000])
    assert turns == slice(10_000, 10_000 + int(5 * FS_HZ / 25.0))
    assert analysis.worst_turns(speed_rpm[10_100:], FS_HZ, severity[10_100:]) == slice(0, int(5 * FS_HZ / 25.0))
    speed_rpm[8_000:12_000] = 100.0  # nearly at rest where it is worst: the nearest place at speed
    assert analysis.worst_turns(speed_rpm, FS_HZ, severity).start >= 7_900 - int(5 * FS_HZ / 25.0)
    assert analysis.worst_turns(np.zeros(20_000), FS_HZ, severity) == slice(10_100 - 833, 10_100 - 833 + 1666)


@pytest.mark.parametrize("speed_rpm", [0.0, 40.0])  # at rest; 6.7 turns in ten seconds
def test_run_spectrum_without_turns_is_over_hz(speed_rpm: float) -> None:
    x = np.sin(2 * np.pi * 50.0 * time_s(33320))
    spectrum = analysis.run_spectrum(x, np.full(33320, speed_rpm), FS_HZ)
    assert spectrum.rotation_hz is None
    assert spectrum.stretch == slice(0, 33320)
    assert spectrum.at[spectrum.amplitude.argmax()] == pytest.approx(50.0)


def test_windows_of_different_speeds_agree_over_orders() -> None:
    speed_rpm = np.array([1200.0, 1500.0, 2400.0])
    t = time_s(4096)[:, None]
    frequency_hz, amplitude = analysis.amplitude_spectrum(np.sin(2 * np.pi * 3.5 * speed_rpm / 60 * t), FS_HZ)
    orders = np.arange(0.0, 60.0, 0.05)
    values = analysis.over_orders(amplitude, frequency_hz, speed_rpm, orders)
    np.testing.assert_allclose(orders[np.nanargmax(values, axis=0)], 3.5, atol=0.05)
    highest = FS_HZ / 2 / (speed_rpm / 60)
    for column, limit in zip(values.T, highest, strict=True):
        assert np.isnan(column[orders > limit + 0.01]).all()
        assert np.isfinite(column[orders < limit - 0.01]).all()


def test_sidebands_are_where_the_load_zone_puts_them() -> None:
    marks = {"1x": 1.0, "BPFO": 3.052, "BPFI": 4.948, "2xBSF": 3.984, "FTF": 0.382, "blade pass": 7.0, "2xBSF b": 4.7}
    found = {(of, name): at for of, name, at in analysis.sidebands(marks)}
    assert found == pytest.approx(
        {("BPFI", "−1x"): 3.948, ("BPFI", "+1x"): 5.948, ("2xBSF", "−FTF"): 3.602, ("2xBSF", "+FTF"): 4.366}
    )
    assert [at for of, _, at in analysis.sidebands({**marks, "FTF b": 0.4}) if of == "2xBSF b"] == [
        pytest.approx(4.3),
        pytest.approx(5.1),
    ]


def test_marks_of_like_bearings_become_one() -> None:
    marks = {"1x": 1.0, "blade pass": 7.0, "FTF DE": 0.382, "BPFO DE": 3.052, "FTF NDE": 0.382, "BPFO NDE": 3.585}
    assert analysis.merge_marks(marks) == {
        "1x": 1.0, "blade pass": 7.0, "FTF": 0.382, "BPFO DE": 3.052, "BPFO NDE": 3.585
    }  # fmt: skip


def test_min_max_keeps_every_spike() -> None:
    values = np.zeros(100_003)
    values[[7, 50_000, 100_002]] = 5.0, -3.0, 2.0
    at_s, low, high = analysis.min_max(np.arange(100_003) / 100.0, values, columns=100)
    assert len(at_s) == len(low) == len(high) == 100
    assert (high[0], low[np.searchsorted(at_s, 500.0, "right") - 1], high[-1]) == (5.0, -3.0, 2.0)
    assert np.count_nonzero(high) + np.count_nonzero(low) == 3
    for given, kept in zip((np.arange(5.0), values[:5]), analysis.min_max(np.arange(5.0), values[:5]), strict=False):
        np.testing.assert_array_equal(given, kept)  # a short signal comes back as it is


def test_spectrogram_frames_averaged_together() -> None:
    noise = np.random.default_rng(9).standard_normal(40_000)
    _, every_s, every = analysis.spectrogram(noise, FS_HZ, 128)
    _, some_s, some = analysis.spectrogram(noise, FS_HZ, 128, max_frames=100)
    together = len(every_s) // 100
    assert together > 1
    assert 100 <= len(some_s) < 200
    np.testing.assert_allclose(some[:, 3], every[:, 3 * together : 4 * together].mean(axis=1))
    assert some_s[3] == pytest.approx(every_s[3 * together : 4 * together].mean())


# --- measures --------------------------------------------------------------------------------------------------------


def test_features_of_known_shapes() -> None:
    rng = np.random.default_rng(7)
    n = 400_000
    whole_periods = 2 * np.pi * 100 * np.arange(n) / n
    x = np.column_stack(
        [
            5.0 + 2.0 * np.sin(whole_periods),
            np.sign(np.sin(whole_periods + 1e-9)),
            rng.standard_normal(n),
            rng.laplace(size=n),
            np.full(n, 0.1),
        ]
    )
    table = analysis.features(x)
    np.testing.assert_allclose(table["kurtosis"][:2], [1.5, 1.0], rtol=1e-6)
    assert table["kurtosis"][2] == pytest.approx(3.0, abs=5 * np.sqrt(24 / n))
    assert table["kurtosis"][3] == pytest.approx(6.0, abs=0.3)
    np.testing.assert_allclose(table["kurtosis"][:4], stats.kurtosis(x[:, :4], fisher=False), rtol=1e-9)
    np.testing.assert_allclose(table["rms"], [np.sqrt(2.0), 1.0, 1.0, np.sqrt(2.0), 0.0], rtol=0.01)
    np.testing.assert_allclose(table["peak"][[0, 1, 4]], [2.0, 1.0, 0.0], rtol=1e-6)
    np.testing.assert_allclose(table["crest_factor"][:2], [np.sqrt(2.0), 1.0], rtol=1e-6)
    assert np.isnan(table["crest_factor"][4])
    assert np.isnan(table["kurtosis"][4])


@pytest.mark.parametrize("frequency_hz", [3.3, 49.87, 801.2])
def test_line_amplitude_is_exact_off_the_bins(frequency_hz: float) -> None:
    x = 1.0 + 0.123 * np.sin(2 * np.pi * frequency_hz * time_s(1000) + 0.7)
    assert analysis.line_amplitude(x, FS_HZ, frequency_hz) == pytest.approx(0.123, rel=1e-9)


def test_line_prominence_is_peak_over_local_median() -> None:
    freqs = np.arange(1000) * 0.1
    spectrum = np.ones(1000)
    spectrum[freqs > 70.0] = 100.0  # a loud part far away does not matter
    spectrum[301] = 7.0
    assert analysis.line_prominence(spectrum, freqs, 30.0, 0.2) == pytest.approx(7.0)
    assert analysis.line_prominence(spectrum, freqs, 31.0, 0.2) == pytest.approx(1.0)
    assert analysis.line_prominence(np.zeros(1000), freqs, 30.0, 0.2) == np.inf


# --- refusals --------------------------------------------------------------------------------------------------------


def test_refusals_say_what_was_given_and_what_is_allowed() -> None:
    x = np.random.default_rng(8).standard_normal(1024)
    with pytest.raises(ValueError, match=r"shape \(100,\); at least 512"):
        analysis.envelope_spectrum(x[:100], FS_HZ)
    with pytest.raises(ValueError, match=r"\(900, 1700\); allowed is 0 < lower < upper <= 1666"):
        analysis.envelope(x, FS_HZ, (900.0, 1700.0))
    with pytest.raises(ValueError, match="allowed is 0 < lower < upper"):
        analysis.envelope(x, FS_HZ, (900.0, 400.0))
    with pytest.raises(ValueError, match="NaN"):
        analysis.features(np.where(np.arange(1024) == 5, np.nan, x))
    with pytest.raises(ValueError, match="fs_hz is -1"):
        analysis.amplitude_spectrum(x, -1.0)
    with pytest.raises(ValueError, match="below 1666"):
        analysis.line_amplitude(x, FS_HZ, 1700.0)
    with pytest.raises(ValueError, match="stands still"):
        analysis.order_spectrum(x, np.minimum(np.arange(1024), 500))
    with pytest.raises(ValueError, match=r"\(1023,\); allowed is one angle per sample"):
        analysis.order_spectrum(x, np.arange(1023))
    with pytest.raises(ValueError, match=r"no bin within 0.01 of 7.03"):
        analysis.line_prominence(np.ones(50), np.arange(50) * 0.5, 7.03, 0.01)


# --- real recordings -------------------------------------------------------------------------------------------------


def recordings(name: str) -> dict[str, NDArray[np.generic]]:
    path = SHARED_DATA / name
    if not path.exists():
        pytest.skip(f"real recordings are not here: ../shared/data/{name} beside the repository")
    with np.load(path) as archive:
        return {key: archive[key] for key in archive.files}


def envelope_orders(x: Array, speed_rpm: float, fs_hz: float) -> tuple[Array, Array]:
    angle_rad = analysis.shaft_angle_rad(np.full(len(x), speed_rpm), fs_hz)
    return analysis.envelope_order_spectrum(x, angle_rad, fs_hz)


@pytest.mark.parametrize("speed_rpm", [600, 1200, 1800, 2400, 3000])
def test_real_outer_race_defect_on_the_adi_rig(speed_rpm: int) -> None:
    """Heavy outer-race defect, 8-ball bearing: a line at 3.052 orders on each axis, apart from the third harmonic."""
    data = recordings("adi_limerick_mems/adi_limerick_00lb.npz")

    def spectra(fault: str, severity: str) -> tuple[Array, Array]:
        row = (data["fault"] == fault) & (data["severity"] == severity) & (data["rpm"] == speed_rpm)
        return envelope_orders(data["x"][row][0].astype(np.float64), speed_rpm, float(data["fs"]))

    orders, faulty = spectra("bearing_outer", "heavy")
    _, healthy = spectra("normal", "-")
    near = (orders > 2.8) & (orders < 3.3)
    for axis in range(3):
        assert analysis.line_prominence(faulty[:, axis], orders, 3.052, 0.06) > 10.0
        assert analysis.line_prominence(healthy[:, axis], orders, 3.052, 0.06) < 6.0
        assert analysis.line_prominence(faulty[:, axis], orders, 4.948, 0.06) < 5.0  # not the inner race
        found = float(orders[near][faulty[near, axis].argmax()])
        assert found == pytest.approx(3.052, rel=0.01)  # up to 1 % below by slip
        assert found > 3.02


@pytest.mark.parametrize("name", ["DE_IR007_0hp", "DE_IR007_1hp", "DE_IR014_1hp", "DE_IR021_0hp"])
def test_real_inner_race_defect_of_a_6205(name: str) -> None:
    """CWRU: the line at 5.415 orders with sidebands one order away, as the defect turns through the load zone."""
    data = recordings("cwru_12k/cwru_public.npz")
    row = int(np.flatnonzero(data["rec"] == name)[0])
    x = data["x"][row, : data["n_valid"][row], 0].astype(np.float64)
    orders, amplitude = envelope_orders(x, float(data["rpm"][row]), float(data["fs"]))
    assert analysis.line_prominence(amplitude, orders, 5.415, 0.03) > 50.0
    near = (orders > 5.2) & (orders < 5.6)
    assert orders[near][amplitude[near].argmax()] == pytest.approx(5.415, rel=0.005)
    for sideband in (4.415, 6.415):
        assert analysis.line_prominence(amplitude, orders, sideband, 0.04) > 5.0
    assert analysis.line_prominence(amplitude, orders, 3.585, 0.04) < 10.0  # not the outer race
