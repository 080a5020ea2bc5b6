"""Vibration analysis: spectra, envelopes, order tracking and line measures, thin over scipy.signal.

One convention holds throughout: time is axis 0, and any trailing axes (channels, windows) pass through unchanged. So
one call serves a channel `(n,)`, a recording `(n, channels)` and a batch `(n, windows, channels)`. Signals are read as
float64; amplitudes come back in the signal's own unit. Every function raises `ValueError` for a signal that is empty or
not finite, and for rates, bands or lines outside what the signal can show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import integrate, interpolate, signal

Array = NDArray[np.float64]
Band = tuple[float, float]

MIN_ENVELOPE_SAMPLES = 512
_KURTOGRAM_WINDOWS = (8, 16, 32, 64)  # bands of fs/4 down to fs/32: in narrower ones knocks ring into each other
_MIN_KURTOGRAM_FRAMES = 16
_FILTER_ORDER = 4
_MAX_OVERSAMPLING = 4


def amplitude_spectrum(
    x: ArrayLike, fs_hz: float, window: str = "hann", nperseg: int | None = None
) -> tuple[Array, Array]:
    """One-sided amplitude spectrum: the peak of a sine on a bin reads its amplitude, whatever the window.

    The mean is removed first, so gravity on an accelerometer does not leak into the lowest lines. Between two bins a
    Hann peak reads up to 15 % low (scalloping); `window="flattop"` reads within 0.1 % at a broader line, and
    `line_amplitude` is exact for a known frequency. With `nperseg`, the root mean square over half-overlapping blocks
    of that many samples: it smooths the noise floor and keeps the amplitudes of steady lines.

    Returns:
        Frequencies in Hz `(bins,)`, amplitudes `(bins, ...)` in the unit of x.
    """
    x = _checked(x, fs_hz)
    length = len(x) if nperseg is None else min(int(nperseg), len(x))
    frequency_hz, power = signal.welch(x, fs_hz, window, length, scaling="spectrum", detrend="constant", axis=0)
    amplitude = np.sqrt(power)
    one_bin_only = slice(1, -1 if length % 2 == 0 else None)  # DC and Nyquist have no negative twin
    amplitude[one_bin_only] *= np.sqrt(2.0)
    return frequency_hz, amplitude


def welch_psd(x: ArrayLike, fs_hz: float, nperseg: int = 1024) -> tuple[Array, Array]:
    """One-sided power spectral density, Hann window, half overlap, mean removed (Welch 1967).

    Returns:
        Frequencies in Hz `(bins,)`, density `(bins, ...)` in unit²/Hz.
    """
    x = _checked(x, fs_hz)
    frequency_hz, density = signal.welch(x, fs_hz, "hann", min(nperseg, len(x)), axis=0)
    return frequency_hz, density


def spectrogram(
    x: ArrayLike, fs_hz: float, nperseg: int = 256, hop: int | None = None, max_frames: int | None = None
) -> tuple[Array, Array, Array]:
    """Power spectral density over time, Hann window; only frames that lie wholly inside the signal.

    Args:
        x: signal `(n, ...)`, n >= nperseg.
        fs_hz: sampling rate.
        nperseg: samples per frame; the resolution is about 1.5 fs_hz / nperseg.
        hop: samples from frame to frame, default nperseg // 2.
        max_frames: average as many neighbouring frames as it takes to return no more than twice this number (a few
            last ones that do not fill an average are left out); `None` returns every frame.

    Returns:
        Frequencies in Hz `(bins,)`, times of the frames' middles in s `(frames,)`, density `(bins, frames, ...)` in
        unit²/Hz, one-sided.
    """
    x = _checked(x, fs_hz, nperseg)
    hop = max(nperseg // 2, 1) if hop is None else hop
    frames = np.lib.stride_tricks.sliding_window_view(x, nperseg, axis=0)[::hop]  # (frames, ..., nperseg), a view
    frequency_hz, density = signal.periodogram(frames, fs_hz, "hann", axis=-1)
    time_s: Array = np.asarray((np.arange(len(frames)) * hop + nperseg / 2) / fs_hz, np.float64)
    together = 1 if max_frames is None else max(len(frames) // max_frames, 1)
    kept = len(frames) // together
    time_s = time_s[: kept * together].reshape(kept, together).mean(axis=1)
    density = density[: kept * together].reshape(kept, together, *density.shape[1:]).mean(axis=1)
    return frequency_hz, time_s, np.moveaxis(np.asarray(density, np.float64), -1, 0)


def choose_band(x: ArrayLike, fs_hz: float) -> Band:
    """The band whose envelope is most impulsive: where a bearing's knocks ring.

    A kurtogram over short-time spectra: for each frame length and each bin, the spectral kurtosis
    `<|X|^4> / <|X|^2>^2 - 2` over the frames, 0 for Gaussian noise and -1 for a steady sine (Antoni and Randall 2006,
    MSSP 20:308; the dyadic grid of bands after Antoni 2007, "Fast computation of the kurtogram", MSSP 21:108). A
    narrow band has few independent frames and so a high kurtosis by chance; three standard deviations of its estimate
    in noise (2 / sqrt(frames)) are taken off, without which short windows choose at random. Several channels share one
    band: their kurtoses are averaged.

    Known limits: one lone shock is as impulsive as can be and attracts the band; where a defect rings over the whole
    range, a fixed wide band shows it as well or better.

    Args:
        x: signal `(n, ...)`, n >= 512.
        fs_hz: sampling rate.

    Returns:
        Lower and upper edge in Hz.
    """
    x = _checked(x, fs_hz, MIN_ENVELOPE_SAMPLES)
    best_score, best = -np.inf, (0.0, 0.0)
    for nperseg in _KURTOGRAM_WINDOWS:
        n_frames = len(x) / nperseg  # the independent ones; overlapping frames only smooth
        if n_frames < _MIN_KURTOGRAM_FRAMES:
            break
        frequency_hz, _, power = spectrogram(x, fs_hz, nperseg, nperseg // 2)
        mean_square = np.mean(power, axis=1) ** 2
        kurtosis = np.mean(power**2, axis=1) / np.where(mean_square > 0.0, mean_square, np.inf) - 2.0
        kurtosis = kurtosis.reshape(len(kurtosis), -1).mean(axis=1)
        inner = slice(2, -2)  # a Hann line is four bins wide: nearer to the ends it folds onto itself
        at = int(np.argmax(kurtosis[inner])) + 2
        score = float(kurtosis[at]) - 6.0 / np.sqrt(n_frames)
        if score > best_score:
            half_hz = fs_hz / nperseg
            best_score, best = score, (float(frequency_hz[at]) - half_hz, float(frequency_hz[at]) + half_hz)
    return best


def envelope(x: ArrayLike, fs_hz: float, band_hz: Band | None = None, squared: bool = False) -> Array:
    """Envelope `(n, ...)` of the signal in a band: zero-phase Butterworth band-pass, modulus of the analytic signal.

    Args:
        x: signal `(n, ...)`, n >= 512.
        fs_hz: sampling rate.
        band_hz: lower and upper edge, 0 < lower < upper <= fs_hz / 2; `None` lets `choose_band` choose.
        squared: the squared modulus: no wider than the band, as the modulus is not, so that it cannot alias (Ho and
            Randall 2000, MSSP 14:763).
    """
    x = _checked(x, fs_hz, MIN_ENVELOPE_SAMPLES)
    low, high = choose_band(x, fs_hz) if band_hz is None else band_hz
    nyquist_hz = fs_hz / 2
    if not 0.0 < low < high <= nyquist_hz:
        raise ValueError(f"band_hz is ({low:g}, {high:g}); allowed is 0 < lower < upper <= {nyquist_hz:g} (Nyquist)")
    if high == nyquist_hz:
        sos = signal.butter(_FILTER_ORDER, low, "highpass", output="sos", fs=fs_hz)
    else:
        sos = signal.butter(_FILTER_ORDER, (low, high), "bandpass", output="sos", fs=fs_hz)
    modulus: Array = np.abs(signal.hilbert(signal.sosfiltfilt(sos, x, axis=0), axis=0))
    return modulus**2 if squared else modulus


def envelope_spectrum(
    x: ArrayLike, fs_hz: float, band_hz: Band | None = None, squared: bool = False, window: str = "hann"
) -> tuple[Array, Array]:
    """Amplitude spectrum of the envelope without its mean: bearing faults show as lines at their passing frequency.

    For `A (1 + m cos 2 pi f t) cos 2 pi f_c t` the line at f reads m A, with `squared` 2 m A².

    Source: Randall and Antoni 2011, "Rolling element bearing diagnostics - a tutorial", MSSP 25:485.

    Returns:
        Frequencies in Hz `(bins,)`, amplitudes `(bins, ...)` in the unit of x (its square with `squared`).
    """
    return amplitude_spectrum(envelope(x, fs_hz, band_hz, squared), fs_hz, window)


def shaft_angle_rad(speed_rpm: ArrayLike, fs_hz: float) -> Array:
    """Shaft angle `(n,)` in rad from the speed at each sample: its trapezoidal integral, zero at the first sample."""
    speed_rad_s = _checked(speed_rpm, fs_hz) * (2 * np.pi / 60)
    return np.asarray(integrate.cumulative_trapezoid(speed_rad_s, dx=1 / fs_hz, axis=0, initial=0))


def resample_by_angle(x: ArrayLike, angle_rad: ArrayLike) -> tuple[Array, float]:
    """The signal at equal steps of shaft angle (computed order tracking, Fyfe and Munck 1997, MSSP 11:187).

    The step is the smallest one between samples, so that nothing folds down from where the shaft is slowest (but no
    more than four times as many samples as came in). Cubic spline: within 1 % of amplitude up to about fs / 5.

    Args:
        x: signal `(n, ...)`.
        angle_rad: shaft angle of each sample `(n,)`, strictly increasing.

    Returns:
        Signal `(m, ...)` and its sampling rate in samples per revolution.
    """
    x, angle_rad = _checked(x), _checked(angle_rad)
    if angle_rad.shape != x.shape[:1]:
        raise ValueError(f"angle_rad has shape {angle_rad.shape}; allowed is one angle per sample, ({len(x)},)")
    steps_rad = np.diff(angle_rad)
    if len(steps_rad) == 0 or steps_rad.min() <= 0.0:
        raise ValueError("angle_rad must increase from every sample to the next: cut out where the shaft stands still")
    turned_rad = angle_rad[-1] - angle_rad[0]
    n_out = int(min(turned_rad / steps_rad.min() + 1.5, _MAX_OVERSAMPLING * len(x)))
    grid_rad = np.linspace(angle_rad[0], angle_rad[-1], n_out)
    return interpolate.CubicSpline(angle_rad, x, axis=0)(grid_rad), float(2 * np.pi * (n_out - 1) / turned_rad)


def order_spectrum(
    x: ArrayLike, angle_rad: ArrayLike, window: str = "hann", revs_per_block: float | None = None
) -> tuple[Array, Array]:
    """Amplitude spectrum over orders (cycles per revolution): shaft-locked lines stay sharp while the speed changes.

    Args:
        x: signal `(n, ...)`.
        angle_rad: shaft angle of each sample `(n,)`, strictly increasing.
        window: see `amplitude_spectrum`.
        revs_per_block: average over blocks of so many revolutions; `None` takes the whole signal as one block.

    Returns:
        Orders `(bins,)`, amplitudes `(bins, ...)` in the unit of x.
    """
    resampled, per_rev = resample_by_angle(x, angle_rad)
    nperseg = None if revs_per_block is None else max(int(revs_per_block * per_rev), 2)
    return amplitude_spectrum(resampled, per_rev, window, nperseg)


def envelope_order_spectrum(
    x: ArrayLike,
    angle_rad: ArrayLike,
    fs_hz: float,
    band_hz: Band | None = None,
    squared: bool = False,
    revs_per_block: float | None = None,
) -> tuple[Array, Array]:
    """Spectrum of the envelope over orders: fault lines at BPFO, BPFI, 2xBSF, sharp under speed ramps.

    The band is cut in time, where a resonance stays put, and only the envelope is resampled by angle (Randall and
    Antoni 2011). Arguments and errors as in `envelope` and `order_spectrum`.

    Returns:
        Orders `(bins,)`, amplitudes `(bins, ...)` as in `envelope_spectrum`.
    """
    return order_spectrum(envelope(x, fs_hz, band_hz, squared), angle_rad, revs_per_block=revs_per_block)


def over_orders(amplitude: Array, frequency_hz: Array, speed_rpm: Array, orders: Array) -> Array:
    """Spectra `(bins, windows)` of windows with one speed each `(windows,)`, read at common orders `(orders, windows)`.

    For windows too short to resample by angle; NaN beyond a window's highest order.
    """
    columns = zip(amplitude.T, speed_rpm, strict=True)
    return np.column_stack(
        [np.interp(orders, frequency_hz * 60 / rpm, values, right=np.nan) for values, rpm in columns]
    )


class RunSpectrum(NamedTuple):
    """Line spectrum of a run whose speed may change: over orders where the shaft turns, else over Hz."""

    at: Array
    """Orders or frequencies in Hz `(bins,)`."""
    amplitude: Array
    """`(bins, ...)` in the unit of the signal."""
    stretch: slice
    """The samples it was taken from."""
    rotation_hz: tuple[float, float] | None
    """Slowest and fastest rotation in the stretch; `None`: the spectrum is over Hz."""


def run_spectrum(
    x: ArrayLike, speed_rpm: ArrayLike, fs_hz: float, joins: Sequence[int] = (), min_turns: float = 8.0
) -> RunSpectrum:
    """Order spectrum of one stretch where the shaft turns (above a tenth of its highest speed, and 1 rpm).

    It is the last stretch at least half as long as the longest, as faults grow. Blocks of 100 turns tell lines a
    hundredth of an order apart and still show those that slip smears. A run without `min_turns` in the stretch gets its
    plain amplitude spectrum.

    Args:
        x: signal `(n, ...)`.
        speed_rpm: shaft speed at each sample `(n,)`.
        fs_hz: sampling rate.
        joins: first samples of further captures, where the signal is not continuous.
        min_turns: fewest turns worth an order spectrum.
    """
    x, speed_rpm = _checked(x, fs_hz), _checked(speed_rpm)
    turning = speed_rpm > max(0.1 * float(speed_rpm.max()), 1.0)
    turning[list(joins)] = False
    edges = np.flatnonzero(np.diff(np.concatenate(([False], turning, [False])).astype(np.int8)))
    stretches = edges.reshape(-1, 2).tolist() or [[0, 0]]
    longest = max(stop - start for start, stop in stretches)
    start, stop = next((a, b) for a, b in reversed(stretches) if 2 * (b - a) >= longest)
    turning_rpm = speed_rpm[start:stop]
    if float(turning_rpm.sum()) / 60 / fs_hz < min_turns:
        return RunSpectrum(*amplitude_spectrum(x, fs_hz), slice(0, len(x)), None)
    angle_rad = shaft_angle_rad(turning_rpm, fs_hz)
    orders, amplitude = order_spectrum(x[start:stop], angle_rad, revs_per_block=100.0)
    rotation_hz = float(turning_rpm.min()) / 60, float(turning_rpm.max()) / 60
    return RunSpectrum(orders, amplitude, slice(start, stop), rotation_hz)


def sidebands(marks: Mapping[str, float]) -> list[tuple[str, str, float]]:
    """First sidebands of the bearing orders among `marks`: name of the parent, of the distance (`+1x`), and the order.

    A line is modulated as the defect passes the load zone: on the inner race once per shaft turn, on a ball once per
    cage turn, on the fixed outer race not at all (Randall and Antoni 2011). Two bearings are told apart by a suffix
    after a blank: `"2xBSF fan end"` has its cage in `"FTF fan end"`.
    """
    found = []
    for name, centre in marks.items():
        kind, _, bearing = name.partition(" ")
        modulation = {"BPFI": "1x", "2xBSF": "FTF", "BSF": "FTF"}.get(kind, "")
        spacing = 1.0 if modulation == "1x" else marks.get(f"{modulation} {bearing}".strip(), 0.0)
        if spacing:
            found += [(name, f"−{modulation}", centre - spacing), (name, f"+{modulation}", centre + spacing)]
    return found


def merge_marks(marks: Mapping[str, float]) -> dict[str, float]:
    """One name for two like bearings: `"BPFO DE"` and `"BPFO NDE"` become `"BPFO"` where their orders are equal."""
    merged: dict[str, float] = {}
    for name, order in marks.items():
        kind = name.partition(" ")[0]
        twins = [other for other, at in marks.items() if other.partition(" ")[0] == kind and np.isclose(at, order)]
        merged[kind if len(twins) > 1 else name] = order
    return merged


def worst_turns(
    speed_rpm: Array, fs_hz: float, severity: Array, joins: Sequence[int] = (), turns: float = 5.0
) -> slice:
    """The samples of a few turns in the middle of where `severity` `(n,)` is highest, within one capture.

    Only where the shaft has half its highest speed; of a shaft at rest, half a second.
    """
    fast = np.flatnonzero(speed_rpm >= 0.5 * speed_rpm.max())
    worst = fast[severity[fast] >= severity[fast].max() - 1e-3]
    middle = int(worst[len(worst) // 2])
    rotation_hz = float(speed_rpm[middle]) / 60
    wanted = int(fs_hz * (turns / rotation_hz if rotation_hz > 0.1 * turns else 0.5))
    first = max((join for join in joins if join <= middle), default=0)
    last = min((join for join in joins if join > middle), default=len(speed_rpm))
    count = min(wanted, last - first)
    start = int(np.clip(middle - count // 2, first, last - count))
    return slice(start, start + count)


def min_max(time_s: Array, values: Array, columns: int = 1600) -> tuple[Array, Array, Array]:
    """Times, least and greatest values of at most `columns` stretches: what a plot of every sample would show."""
    edges = np.unique(np.linspace(0, len(values), columns + 1, dtype=np.intp)[:-1])
    return time_s[edges], np.minimum.reduceat(values, edges), np.maximum.reduceat(values, edges)


def features(x: ArrayLike) -> dict[str, Array]:
    """Time-domain condition indicators of each channel, after its mean is removed.

    Returns:
        `rms` and `peak` (largest absolute value) in the unit of x, `crest_factor` = peak / rms, `kurtosis` (not excess:
        Gaussian 3, sine 1.5), each of shape `x.shape[1:]`. Crest factor and kurtosis of a constant channel are NaN.
    """
    raw = _checked(x)
    # Rounding of the mean would leave a constant channel a trace of vibration.
    vibration = np.where(np.ptp(raw, axis=0) > 0.0, raw - raw.mean(axis=0), 0.0)
    rms: Array = np.sqrt(np.mean(vibration**2, axis=0))
    peak = np.abs(vibration).max(axis=0)
    with np.errstate(invalid="ignore"):
        crest_factor, kurtosis = peak / rms, np.mean(vibration**4, axis=0) / rms**4
    return {"rms": rms, "peak": peak, "crest_factor": crest_factor, "kurtosis": kurtosis}


def line_amplitude(x: ArrayLike, fs_hz: float, frequency_hz: float) -> Array:
    """Amplitude `x.shape[1:]` of the sine of known frequency: least squares on cosine, sine and a constant.

    Exact for a sine of that frequency, on a bin or not. Raises ValueError unless 0 < frequency_hz < fs_hz / 2.
    """
    x = _checked(x, fs_hz, 4)
    if not 0.0 < frequency_hz < fs_hz / 2:
        raise ValueError(f"frequency_hz is {frequency_hz:g}; allowed is above 0 and below {fs_hz / 2:g} (Nyquist)")
    phase = 2 * np.pi * frequency_hz / fs_hz * np.arange(len(x))
    basis = np.column_stack([np.cos(phase), np.sin(phase), np.ones(len(x))])
    cosine, sine, _ = np.linalg.lstsq(basis, x.reshape(len(x), -1))[0]
    amplitude: Array = np.hypot(cosine, sine)
    return amplitude.reshape(x.shape[1:])


def line_prominence(spectrum: ArrayLike, freqs: ArrayLike, f: float, tolerance: float) -> float:
    """How far a line stands out: highest bin within `tolerance` of f, over the median of the bins beside it.

    The neighbourhood reaches ten tolerances (at least 15 bins) to either side and leaves out the searched part. In pure
    noise the figure is 1.5 to 3, growing slowly with the number of bins searched.

    Args:
        spectrum: amplitudes `(bins,)`.
        freqs: their frequencies or orders `(bins,)`, evenly spaced.
        f: where the line is expected, in the unit of freqs.
        tolerance: half width searched, in the unit of freqs; at least half a bin.
    """
    spectrum, freqs = _checked(spectrum), _checked(freqs)
    bin_width = float(freqs[1] - freqs[0])
    distance = np.abs(freqs - f)
    near = distance <= tolerance
    beside = ~near & (distance <= max(10 * tolerance, 15 * bin_width))
    if spectrum.shape != freqs.shape or not near.any() or not beside.any():
        raise ValueError(
            f"no bin within {tolerance:g} of {f:g}: the spectrum {spectrum.shape} has bins every {bin_width:g}"
            f" from {freqs[0]:g} to {freqs[-1]:g}"
        )
    floor = float(np.median(spectrum[beside]))
    return float(spectrum[near].max()) / floor if floor > 0.0 else np.inf


def _checked(x: ArrayLike, fs_hz: float = 1.0, n_min: int = 2) -> Array:
    """The signal as float64, or a ValueError that says what is wrong with it."""
    array = np.asarray(x, dtype=np.float64)
    if array.ndim == 0 or len(array) < n_min:
        raise ValueError(f"the signal has shape {array.shape}; at least {n_min} samples along axis 0 are needed")
    if not np.isfinite(array).all():
        raise ValueError("the signal holds NaN or infinity; all samples must be finite")
    if not (np.isfinite(fs_hz) and fs_hz > 0.0):
        raise ValueError(f"fs_hz is {fs_hz:g}; allowed is above 0")
    return array
