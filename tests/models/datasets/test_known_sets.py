"""The known sets against facts their sources and READMEs state; needs the data."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from models.datasets.adi import Adi
from models.datasets.base import Reader, known, open_recordings, reader_of, survey_recordings
from models.datasets.ceiling_fan import CeilingFan
from models.datasets.cwru import ORDERS, Cwru
from models.datasets.skab import Skab
from models.datasets.smartmanuad import NUMBERS, SmartManuAd
from models.datasets.uci_fan import UciFan
from sim.dataset.real import RealRecording
from sim.errors import DatasetError


def needs(reader: type[Reader]) -> pytest.MarkDecorator:
    """Skip without the set's files."""
    return pytest.mark.skipif(
        not reader().there(), reason=f"no data: `simtwin data fetch {reader.name}` or SIMTWIN_DATA"
    )


def by_id(name: str) -> dict[str, RealRecording]:
    return {recording.id: recording for recording in open_recordings(name)}


def amplitude(x: NDArray[np.float32], rate_hz: float, low_hz: float, high_hz: float) -> tuple[float, float]:
    """Frequency and amplitude of the largest line in a band, Hann window, padded eightfold."""
    n, pad = len(x), 8 * len(x)
    spectrum = np.abs(np.fft.rfft((x - x.mean()) * signal.windows.hann(n, sym=False), pad)) * 4.0 / n
    freq = np.fft.rfftfreq(pad, 1.0 / rate_hz)
    band = (freq >= low_hz) & (freq <= high_hz)
    best = np.flatnonzero(band)[spectrum[band].argmax()]
    return float(freq[best]), float(spectrum[best])


def envelope_peak_over_median(recording: RealRecording, channel: int, order: float) -> float:
    """Largest line of the envelope's spectrum within 1 % of an order of the shaft, over the median around it."""
    x = recording.samples[:, channel].astype(np.float64)
    envelope = np.abs(np.asarray(signal.hilbert(x - x.mean())))
    spectrum = np.abs(np.fft.rfft((envelope - envelope.mean()) * signal.windows.hann(len(x), sym=False)))
    freq = np.fft.rfftfreq(len(x), 1.0 / recording.rate_hz)
    at = order * recording.speed_rpm / 60.0
    line = spectrum[np.abs(freq - at) < 0.01 * at].max()
    return float(line / np.median(spectrum[np.abs(freq - at) < 0.2 * at]))


@needs(Adi)
class TestAdi:
    def test_every_condition_at_every_speed(self) -> None:
        recordings = open_recordings("adi")
        assert len(recordings) == 65
        counts = {label: sum(r.label == label for r in recordings) for label in {r.label for r in recordings}}
        assert counts == {"normal": 5, "imbalance": 20, "misalignment": 5, "bent_shaft": 5, "bearing_wear": 30}
        assert {r.fault_kind for r in recordings if r.label == "bearing_wear"} == {
            "bearing_inner", "bearing_outer", "bearing_ball",
        }  # fmt: skip
        cells = {(r.fault_kind, r.severity, r.speed_rpm) for r in recordings}
        assert len(cells) == 65
        assert {r.speed_rpm for r in recordings} == {600.0, 1200.0, 1800.0, 2400.0, 3000.0}
        assert {r.severity for r in recordings if r.label == "imbalance"} == {
            "very_light",
            "light",
            "heavy",
            "very_heavy",
        }
        assert {(r.rate_hz, r.samples.shape, r.duration_s) for r in recordings} == {(20_000.0, (40_000, 3), 2.0)}
        assert len({r.group for r in recordings}) == 65

    def test_shaft_line_of_imbalance_stands_at_the_stated_speed(self) -> None:
        for r in open_recordings("adi"):
            if r.severity == "very_heavy" and r.speed_rpm >= 1200.0:
                nominal = r.speed_rpm / 60.0
                found, _ = amplitude(r.samples[:, 0], r.rate_hz, 0.9 * nominal, 1.1 * nominal)
                assert found == pytest.approx(nominal, abs=0.1)

    def test_shaft_line_has_the_amplitudes_that_the_readme_gives(self) -> None:
        # README: very_heavy 0.07 / 0.23 / 0.67 / 0.93 / 2.09 g on x at 600 .. 3000 rpm.
        stated = {600: 0.07, 1200: 0.23, 1800: 0.67, 2400: 0.93, 3000: 2.09}
        recordings = {r.speed_rpm: r for r in open_recordings("adi") if r.severity == "very_heavy"}
        for speed_rpm, amplitude_g in stated.items():
            r, nominal = recordings[float(speed_rpm)], speed_rpm / 60.0
            _, found_g = amplitude(r.samples[:, 0], r.rate_hz, nominal - 0.5, nominal + 0.5)
            assert found_g == pytest.approx(amplitude_g, rel=0.15)

    @pytest.mark.parametrize(("fault", "order"), [("HOR", 3.052), ("HIR", 4.948)])
    def test_heavy_race_faults_show_at_the_passing_order(self, fault: str, order: float) -> None:
        # Orders of the SpectraQuest ER-10K, 8 balls; README: peak over median 10 to 85.
        recordings = by_id("adi")
        for speed in ("0600", "1800", "3000"):
            r = recordings[f"{speed}_{fault}_GS_BaLo_WA_00lb"]
            assert max(envelope_peak_over_median(r, axis, order) for axis in range(3)) > 8.0

    def test_overloads_are_noted_and_no_error(self) -> None:
        found = survey_recordings("adi")
        assert {name for name, _ in found.warnings} == {"3000_GoB_GS_VHIL_WA_00lb", "3000_HIR_GS_BaLo_WA_00lb"}
        assert {r.id for r in found.recordings if r.notes} == {name for name, _ in found.warnings}


@needs(Cwru)
class TestCwru:
    def test_kinds_sizes_and_loads(self) -> None:
        recordings = open_recordings("cwru")
        assert len(recordings) == 19
        faulty = [r for r in recordings if r.label == "bearing_wear"]
        assert {(r.fault_kind, r.severity, r.load) for r in faulty} == {
            (kind, size, load)
            for kind in ("bearing_inner", "bearing_ball", "bearing_outer")
            for size in ("0.007 in", "0.014 in", "0.021 in")
            for load in (0.0, 1.0)
        }
        assert {r.channels for r in recordings} == {("drive_end.accel_y_g", "non_drive_end.accel_y_g")}
        normal = next(r for r in recordings if r.label == "normal")
        assert normal.duration_s == pytest.approx(3.0)

    def test_one_bearing_is_one_group(self) -> None:
        groups: dict[str, set[tuple[str, str]]] = {}
        for r in open_recordings("cwru"):
            groups.setdefault(r.group, set()).add((r.fault_kind, r.severity))
        assert len(groups) == 10
        assert all(len(specimens) == 1 for specimens in groups.values())

    @pytest.mark.parametrize("size", ["007", "021"])
    @pytest.mark.parametrize(("fault", "kind"), [("OR", "bearing_outer"), ("IR", "bearing_inner")])
    def test_race_faults_show_at_the_published_orders(self, fault: str, kind: str, size: str) -> None:
        recordings = by_id("cwru")
        for load in (0, 1):
            faulty = recordings[f"DE_{fault}{size}_{load}hp"]
            assert faulty.fault_kind == kind
            assert envelope_peak_over_median(faulty, 0, ORDERS[kind]) > 12.0
        assert envelope_peak_over_median(recordings["normal_0hp_a"], 0, ORDERS[kind]) < 8.0

    def test_normal_is_at_its_true_rate(self) -> None:
        # README: at 48 kHz (decimated by 4 here) normal has the lines of the fault files, at 12 kHz it has not.
        normal = by_id("cwru")["normal_0hp_a"]
        found, _ = amplitude(normal.samples[:, 0], normal.rate_hz, 355.0, 365.0)
        assert found == pytest.approx(359.9, abs=0.3)


@needs(UciFan)
class TestUciFan:
    def test_one_recording_a_configuration_and_speed(self) -> None:
        recordings = open_recordings("uci_fan")
        assert len(recordings) == 36
        assert {(len(r.samples), r.rate_hz) for r in recordings} == {(3000, 50.0)}
        assert sum(r.label == "normal" for r in recordings) == 12
        assert max(r.speed_rpm for r in recordings) == 1900.0

    def test_balanced_is_the_quietest_and_heavy_the_loudest_at_full_speed(self) -> None:
        # README: RMS x/y/z at 100 %: 3 has 0.14/0.15/0.22, 2 has 1.63/1.50/1.17, 1 has 2.15/2.22/1.35 g.
        stated = {
            ("normal", ""): (0.14, 0.15, 0.22),
            ("imbalance", "light"): (1.63, 1.50, 1.17),
            ("imbalance", "heavy"): (2.15, 2.22, 1.35),
        }
        full = {(r.label, r.severity): r for r in open_recordings("uci_fan") if r.speed_rpm == 1900.0}
        for state, rms_g in stated.items():
            np.testing.assert_allclose(full[state].samples.std(axis=0), rms_g, atol=0.006)

    def test_gravity_is_there(self) -> None:
        quiet = by_id("uci_fan")["config3_20pct"]
        assert np.linalg.norm(quiet.samples.mean(axis=0)) == pytest.approx(1.0, abs=0.05)


@needs(CeilingFan)
class TestCeilingFan:
    def test_counts_of_the_sessions(self) -> None:
        recordings = open_recordings("ceiling_fan")
        groups = {group: sum(r.group == group for r in recordings) for group in {r.group for r in recordings}}
        assert groups == {
            "fan_0_off_0_weight": 578, "fan_0_low_0_weight": 585, "fan_0_low_1_weight": 580, "fan_0_med_0_weight": 588,
            "fan_0_med_1_weight": 584,
        }  # fmt: skip
        for r in recordings:
            assert (r.label == "imbalance") == r.group.endswith("_1_weight")
            assert (r.label == "off") == ("_off_" in r.group)
            assert bool(r.notes) == (r.label == "imbalance")

    def test_the_folded_hum_confirms_the_rate(self) -> None:
        # README: the strongest line is 80 Hz, the motor's 120 Hz folded at 200 Hz.
        running = [r.samples for r in open_recordings("ceiling_fan") if r.group == "fan_0_med_0_weight"]
        power = sum(np.abs(np.fft.rfft(x - x.mean(axis=0), axis=0)) ** 2 for x in running)
        total = np.asarray(power).sum(axis=1)
        assert np.fft.rfftfreq(200, 1 / 200.0)[total[30:].argmax() + 30] == pytest.approx(80.0, abs=1.0)


@needs(Skab)
class TestSkab:
    def test_experiments_and_channels(self) -> None:
        recordings = open_recordings("skab")
        assert len({r.group for r in recordings}) == 27
        assert all(len(r.channels) == 8 and r.rate_hz == 1.0 and r.anomaly is not None for r in recordings)
        assert sum(len(r.samples) for r in recordings) == 37_903
        marked = sum(int(r.anomaly.sum()) for r in recordings if r.anomaly is not None)
        assert marked / 37_903 == pytest.approx(0.262750, abs=1e-6)

    def test_rotor_imbalance_raises_the_rms_but_for_the_dirac(self) -> None:
        # README: 5 and 7 raise Accelerometer1RMS from 0.22 to 0.54-0.63 g; 8 leaves no trace (0.224 -> 0.218).
        recordings = by_id("skab")
        for name, rises in (("other/5", True), ("other/7", True), ("other/8", False)):
            r = recordings[name]
            assert (r.label, r.fault_kind) == ("anomaly", "imbalance")
            assert r.anomaly is not None
            rms_g = r.samples[:, 0]
            before, during = float(rms_g[~r.anomaly].mean()), float(rms_g[r.anomaly].mean())
            assert (0.5 < during < 0.7) if rises else during == pytest.approx(0.218, abs=0.01)
            assert before == pytest.approx(0.22, abs=0.02)

    def test_cut_where_rows_pause(self) -> None:
        parts = [r for r in open_recordings("skab") if r.group == "other/2"]
        assert [r.id for r in parts] == ["other/2", "other/2#2"]
        assert parts[1].start_s - (parts[0].start_s + len(parts[0].samples)) > 200.0


@needs(SmartManuAd)
class TestSmartManuAd:
    def test_members(self) -> None:
        assert len(NUMBERS) == 54
        for number in (3, 54, 64, 76):
            (r,) = open_recordings(f"smartmanuad/{number}")
            assert r.anomaly is not None
            assert r.anomaly.any()

    def test_engine_is_turned_round(self) -> None:
        (r,) = open_recordings("smartmanuad/21")
        assert r.anomaly is not None
        assert (int(r.anomaly.sum()), len(r.anomaly)) == (126, 383)
        assert any("inverted" in note for note in r.notes)

    def test_machining_is_in_g_good_first_then_bad(self) -> None:
        (r,) = open_recordings("smartmanuad/54")
        assert r.samples[:, 2].mean() == pytest.approx(-1.016, abs=0.01)
        assert r.anomaly is not None
        changes = np.flatnonzero(np.diff(r.anomaly.astype(int)))
        assert len(changes) == 1
        assert (changes[0] + 1) / r.rate_hz == pytest.approx(30.2, abs=0.05)

    def test_injected_anomalies_are_said_to_be(self) -> None:
        (injected,), (observed,) = open_recordings("smartmanuad/90"), open_recordings("smartmanuad/54")
        assert any("injected" in note for note in injected.notes)
        assert not any("injected" in note for note in observed.notes)

    def test_missing_number_is_told_with_those_there_are(self) -> None:
        with pytest.raises(DatasetError, match="smartmanuad/65: not there; the numbers are 2, 3, 14"):
            open_recordings("smartmanuad/65")


def test_every_reader_says_where_it_comes_from() -> None:
    for name, reader in known().items():
        assert reader.name == name
        assert reader_of(name) is reader
        assert reader.licence
        assert reader.units
        assert reader.traps
        for origin in reader.origins:
            assert len(origin.commit) == 40
            assert origin.files
            assert all(len(digest) == 64 for digest in origin.files.values())


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMTWIN_DATA", str(tmp_path))
    folder = tmp_path / "uci_fan_mma8452q"
    folder.mkdir()
    (folder / "uci_fan.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(DatasetError, match=r"uci_fan.parquet: SHA-256 is .* expected 8c5a4698210703dd"):
        open_recordings("uci_fan")


def test_a_missing_set_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMTWIN_DATA", str(tmp_path))
    with pytest.raises(DatasetError, match="run `simtwin data fetch adi`"):
        open_recordings("adi")
