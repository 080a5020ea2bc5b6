"""A user's own files in every kind and with every mistake."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from numpy.typing import NDArray

from models.datasets.base import open_recordings, survey_recordings
from sim.errors import DatasetError, ScenarioError

RATE_HZ = 1600.0
XYZ = {f"accel_{a}": {"column": f"a{a}", "unit": "g"} for a in "xyz"}


def made(n: int = 800, seed: int = 0) -> NDArray[np.float64]:
    x: NDArray[np.float64] = 0.05 * np.random.default_rng(seed).standard_normal((n, 3))
    x[:, 1] -= 1.0
    return x


def table(x: NDArray[np.float64], rate_hz: float = RATE_HZ) -> pd.DataFrame:
    frame = pd.DataFrame(x, columns=["ax", "ay", "az"])
    frame.insert(0, "t", np.arange(len(x)) / rate_hz)
    return frame


def describe(folder: Path, **content: object) -> Path:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({"files": "*.csv", "channels": XYZ, "rate_hz": RATE_HZ, **content}))
    return path


@pytest.mark.parametrize(("unit", "factor"), [("g", 1.0), ("mg", 1000.0), ("m/s^2", 9.80665)])
def test_units_become_g(tmp_path: Path, unit: str, factor: float) -> None:
    x = made()
    table(x * factor).to_csv(tmp_path / "a.csv", index=False)
    channels = {name: {**channel, "unit": unit} for name, channel in XYZ.items()}
    (r,) = open_recordings(describe(tmp_path, channels=channels, gravity="included"))
    np.testing.assert_allclose(r.samples, x, rtol=1e-5, atol=1e-7)
    assert (r.channels, r.rate_hz, r.id) == (("accel_x_g", "accel_y_g", "accel_z_g"), RATE_HZ, "a")


def test_gyroscope_becomes_degrees_and_process_data_stay(tmp_path: Path) -> None:
    frame = table(made()).assign(temp=25.0 + np.arange(800) / 100)
    frame.to_csv(tmp_path / "a.csv", index=False)
    channels = {"gyro_z": {"column": "az", "unit": "rad/s"}, "temperature_c": {"column": "temp", "unit": "other"}}
    (r,) = open_recordings(describe(tmp_path, channels=channels))
    assert r.channels == ("gyro_z_dps", "temperature_c")
    np.testing.assert_allclose(r.samples[:, 0], np.degrees(frame["az"]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(r.samples[:, 1], frame["temp"], rtol=1e-6)


def test_label_speed_and_name_from_the_file_name(tmp_path: Path) -> None:
    for i, state in enumerate(("ok", "unb")):
        table(made(seed=i)).to_csv(tmp_path / f"pump7_{state}_1480rpm.csv", index=False)
    path = describe(
        tmp_path,
        pattern="(?P<machine>[a-z0-9]+)_(?P<state>[a-z]+)_(?P<rpm>[0-9]+)rpm",
        label={"group": "state", "map": {"ok": "normal", "unb": "imbalance"}},
        speed_rpm={"group": "rpm"},
        machine_id={"group": "machine"},
        severity="unknown",
    )
    recordings = open_recordings(path)
    assert [(r.label, r.fault_kind, r.speed_rpm, r.machine_id) for r in recordings] == [
        ("normal", "normal", 1480.0, "pump7"),
        ("imbalance", "imbalance", 1480.0, "pump7"),
    ]


def test_recordings_and_labels_from_columns(tmp_path: Path) -> None:
    parts = []
    for name, state, rpm in (("r1", 0, 1500), ("r2", 1, 1490)):
        parts.append(table(made(seed=rpm)).assign(rec=name, bad=state, rpm=rpm))
    pd.concat(parts).to_parquet(tmp_path / "all.parquet")
    path = describe(
        tmp_path, files="all.parquet", recording={"column": "rec"}, time={"column": "t"}, speed_rpm={"column": "rpm"},
        label={"column": "bad", "map": {"0": "normal", "1": "bearing_wear"}},
    )  # fmt: skip
    recordings = open_recordings(path)
    assert [(r.id, r.label, r.speed_rpm, len(r.samples)) for r in recordings] == [
        ("r1", "normal", 1500.0, 800),
        ("r2", "bearing_wear", 1490.0, 800),
    ]
    assert all(r.anomaly is None for r in recordings)
    np.testing.assert_allclose(recordings[1].samples, made(seed=1490), atol=1e-6)


def test_a_label_that_changes_becomes_anomalous_samples(tmp_path: Path) -> None:
    state = np.where(np.arange(800) < 500, "normal", "imbalance")
    table(made()).assign(state=state).to_csv(tmp_path / "a.csv", index=False)
    (r,) = open_recordings(describe(tmp_path, label={"column": "state"}))
    assert r.label == "imbalance"
    assert r.anomaly is not None
    np.testing.assert_array_equal(r.anomaly, np.arange(800) >= 500)


def test_three_labels_in_a_recording_are_refused(tmp_path: Path) -> None:
    state = np.array(["normal", "imbalance", "looseness"])[np.arange(800) % 3]
    table(made()).assign(state=state).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DatasetError, match=r"a.csv: `label`: 3 different labels in one recording"):
        open_recordings(describe(tmp_path, label={"column": "state"}))


def test_npz_of_columns(tmp_path: Path) -> None:
    x = made()
    np.savez(tmp_path / "a.npz", ax=x[:, 0], ay=x[:, 1], az=x[:, 2], rpm=1500)
    (r,) = open_recordings(describe(tmp_path, files="a.npz", speed_rpm={"column": "rpm"}))
    np.testing.assert_allclose(r.samples, x, atol=1e-6)
    assert r.speed_rpm == 1500.0


def test_npz_of_many_recordings(tmp_path: Path) -> None:
    x = np.stack([made(seed=i) for i in range(4)])
    labels = ["normal", "imbalance", "imbalance", "normal"]
    np.savez(tmp_path / "a.npz", x=x, label=labels, rec=["a", "b", "c", "d"], rpm=[600, 900, 1200, 1500])
    channels = {f"accel_{a}": {"column": "x", "index": i, "unit": "g"} for i, a in enumerate("xyz")}
    path = describe(
        tmp_path, files="a.npz", channels=channels, label={"column": "label"}, recording={"column": "rec"},
        speed_rpm={"column": "rpm"},
    )  # fmt: skip
    recordings = open_recordings(path)
    assert [(r.id, r.label, r.speed_rpm) for r in recordings] == [
        ("a", "normal", 600.0), ("b", "imbalance", 900.0), ("c", "imbalance", 1200.0), ("d", "normal", 1500.0),
    ]  # fmt: skip
    np.testing.assert_allclose(recordings[2].samples, x[2], atol=1e-6)


def test_european_csv_with_lines_before_the_header(tmp_path: Path) -> None:
    x = made()
    text = table(x).to_csv(index=False, sep=";", decimal=",")
    (tmp_path / "a.csv").write_text("logger 5\nserial 12\n" + text, encoding="utf-8-sig")
    (r,) = open_recordings(describe(tmp_path, csv={"separator": ";", "decimal": ",", "skip_rows": 2}))
    np.testing.assert_allclose(r.samples, x, atol=1e-6)


def test_rate_from_times_in_milliseconds_or_dates(tmp_path: Path) -> None:
    frame = table(made(), rate_hz=100.0)
    start = pd.Timestamp("2026-03-29T01:59:58Z")
    frame["ms"], frame["when"] = (
        frame["t"] * 1000.0,
        [(start + pd.Timedelta(seconds=t)).isoformat() for t in frame["t"]],
    )
    frame.to_csv(tmp_path / "a.csv", index=False)
    for time in ({"column": "ms", "unit": "ms"}, {"column": "when", "unit": "datetime"}):
        path = describe(tmp_path, time=time)
        path.write_text(path.read_text().replace(f"rate_hz: {RATE_HZ}", ""))
        (r,) = open_recordings(path)
        assert r.rate_hz == pytest.approx(100.0, rel=1e-6)


def bad_files(folder: Path) -> dict[str, str]:
    """Writes one file of each kind of badness into `folder` -> what must be said of it."""
    nan, constant, clipped = (table(made(seed=i)) for i in range(3))
    nan.loc[100, "ay"] = np.nan
    constant["az"] = 0.0
    clipped["ax"] = clipped["ax"].clip(-0.05, 0.05)
    gap, rate = table(made()), table(made(), rate_hz=800.0)
    gap.loc[400:, "t"] += 0.5
    text = table(made())
    text["ax"] = text["ax"].astype(object)
    text.loc[3, "ax"] = "n/a!"
    for name, frame in {
        "nan": nan, "constant": constant, "clipped": clipped, "gap": gap, "rate": rate, "text": text,
        "unit": table(made() * 9.80665), "short": table(made(20)), "column": table(made()).rename(columns={"az": "a_z"}),
    }.items():  # fmt: skip
        frame.to_csv(folder / f"{name}.csv", index=False)
    whole = table(made()).to_csv(index=False)
    (folder / "torn.csv").write_text(whole[: whole.rindex(",")].rsplit(",", 1)[0])
    (folder / "empty.csv").write_text("")
    table(made()).to_parquet(folder / "torn.parquet")
    np.savez(folder / "torn.npz", ax=made()[:, 0], ay=made()[:, 1], az=made()[:, 2], t=np.arange(800) / RATE_HZ)
    for name in ("torn.parquet", "torn.npz"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
    return {
        "nan.csv": "channel accel_y_g: 1 of 800 values are NaN or infinite, the first at sample 100",
        "constant.csv": "channel accel_z_g: constant at 0",
        "clipped.csv": "channel accel_x_g: clipped",
        "gap.csv": "time column: 1 gap, the first at 0.249375 s (sample 399), 800 samples missing",
        "rate.csv": "800 Hz, but the rate is stated as 1600 Hz",
        "text.csv": "channel accel_x: column 'ax': 'n/a!' in row 4 is not a number",
        "unit.csv": "are the values in m/s^2?",
        "short.csv": "only 20 samples; at least 64 are needed",
        "column.csv": "no column 'az'; there are 't', 'ax', 'ay', 'a_z'",
        "torn.csv": "broken off: the last line has",
        "empty.csv": "empty; export it again",
        "torn.parquet": "broken off or not Parquet",
        "torn.npz": "broken off or damaged, not a whole NPZ file",
    }


BAD = ("nan.csv", "constant.csv", "clipped.csv", "gap.csv", "rate.csv", "text.csv", "unit.csv", "short.csv", "column.csv",
       "torn.csv", "empty.csv", "torn.parquet", "torn.npz")  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_each_bad_file_is_one_line_with_its_name(tmp_path: Path, name: str) -> None:
    said = bad_files(tmp_path)[name]
    path = describe(tmp_path, files=name, gravity="included", time={"column": "t"})
    with pytest.raises(DatasetError) as caught:
        open_recordings(path)
    message = str(caught.value)
    assert message.startswith(str(tmp_path / name))
    assert said in message
    assert "\n" not in message


def test_skip_bad_leaves_out_and_lists(tmp_path: Path) -> None:
    said = bad_files(tmp_path)
    assert set(said) == set(BAD)
    table(made()).to_csv(tmp_path / "good.csv", index=False)
    path = describe(tmp_path, files=["*.csv", "*.parquet", "*.npz"], gravity="included", time={"column": "t"})
    found = survey_recordings(path, skip_bad=True)
    assert [r.id for r in found.recordings] == ["good"]
    assert len(found.left_out) == len(said)
    for name, reason in said.items():
        assert any(where.startswith(str(tmp_path / name)) and reason in text for where, text in found.left_out)


def test_nothing_usable_is_an_error_even_when_skipping(tmp_path: Path) -> None:
    bad_files(tmp_path)
    with pytest.raises(DatasetError, match=r"no usable recording in it; the first of 1 left out: .*empty"):
        open_recordings(describe(tmp_path, files="empty.csv"), skip_bad=True)


def test_same_recording_twice(tmp_path: Path) -> None:
    for name in ("a", "b"):
        table(made()).assign(rec="r1").to_csv(tmp_path / f"{name}.csv", index=False)
    with pytest.raises(DatasetError, match=r"b.csv: a recording r1 is in .*a.csv already"):
        open_recordings(describe(tmp_path, recording={"column": "rec"}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rate": 100}, "mine.yaml:[0-9]+: rate = 100: unknown key"),
        ({"rate_hz": -3}, "mine.yaml:[0-9]+: rate_hz = -3"),
        ({"rate_hz": None}, "needs `rate_hz`, or `time`"),
        ({"channels": {"accel_x": {"column": "ax", "unit": "m/s2"}}}, r"channels.accel_x.unit = m/s2: .*m/s\^2"),
        (
            {"channels": {"x": {"column": "ax", "unit": "g"}}},
            "channel `x` is in g, so its name must begin with `accel`",
        ),
        ({"label": {"group": "state"}}, "`label` names the group `state`, but `pattern` has none"),
        ({"label": {"map": {"a": "b"}}}, "needs either `column` or `group`"),
        ({"pattern": "(?P<x"}, "pattern = .*: not a regular expression"),
        ({"gravity": "yes"}, "gravity = .*included"),
    ],
)
def test_mistakes_in_the_description_name_line_and_key(tmp_path: Path, change: dict[str, object], said: str) -> None:
    table(made()).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(ScenarioError, match=said):
        open_recordings(describe(tmp_path, **change))


def test_no_matching_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"files = no/\*.csv: no file of that name"):
        open_recordings(describe(tmp_path, files="no/*.csv"))


def test_name_that_does_not_match_the_pattern(tmp_path: Path) -> None:
    table(made()).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DatasetError, match=r"the name a\.csv does not match `pattern`"):
        open_recordings(describe(tmp_path, pattern="(?P<s>[0-9]+)rpm", label={"group": "s"}))
