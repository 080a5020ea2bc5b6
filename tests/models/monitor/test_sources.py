"""Every source keeps the contract and gives the samples that were there; what does not fit is refused in one line."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from models.datasets.adi import Adi
from models.datasets.uci_fan import UciFan
from models.monitor.checks import check_source
from models.monitor.lines import LineSource
from models.monitor.source import Block, Format, Source, SourceError, check_fits, open_source
from sim.dataset.augment import augment
from sim.errors import DatasetError, ScenarioError, SimtwinError
from sim.scenario.reader import load
from sim.scenario.schema import Scenario
from sim.simulate import simulate

ACCEL = ("accel_x_g", "accel_y_g", "accel_z_g")
LSB = 0.488e-3
WANTED = Format(ACCEL, 3332.0, (LSB,) * 3)
SCENARIOS = Path(__file__).parents[3] / "scenarios"
NO_DATA = "no data: `simtwin data fetch NAME` or SIMTWIN_DATA"


def counts(n: int = 5000) -> NDArray[np.int16]:
    return np.random.default_rng(0).integers(-32768, 32768, (n, 3), dtype=np.int16)


def joined(blocks: list[Block]) -> NDArray[np.int16]:
    return np.concatenate([block.counts for block in blocks])


def table(x: NDArray[np.int16]) -> pd.DataFrame:
    frame = pd.DataFrame(x * LSB, columns=list(ACCEL))
    return frame.assign(time_s=np.arange(len(x)) / 3332.0, note=1.0)[["time_s", "accel_z_g", "note", *ACCEL[:2]]]


@pytest.mark.parametrize("kind", ["csv", "parquet", "npz"])
def test_a_table_gives_its_samples(kind: str, tmp_path: Path) -> None:
    x, path = counts(), tmp_path / f"pump.{kind}"
    frame = table(x)
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "parquet":
        frame.to_parquet(path)
    else:
        np.savez(path, **{name: frame[name].to_numpy() for name in frame})
    source = open_source(f"file:{path}", WANTED)
    assert source.format.rate_hz == pytest.approx(3332.0)
    blocks = check_source(source)
    np.testing.assert_array_equal(joined(blocks), x)
    assert {block.recording for block in blocks} == {"pump"}


def test_described_files_give_their_samples_in_the_models_counts(tmp_path: Path) -> None:
    x = counts() // 10
    for name, part in (("ok_1", x[:2000]), ("bad_2", x[2000:])):
        pd.DataFrame(part * LSB * 9.80665, columns=["ax", "ay", "az"]).to_csv(tmp_path / f"{name}.csv", index=False)
    channels = "".join(f"  accel_{axis}: {{column: a{axis}, unit: m/s^2}}\n" for axis in "zyx")
    (tmp_path / "mine.yaml").write_text(
        f"files: '*.csv'\npattern: '(?P<state>[a-z]+)_'\nrate_hz: 3332\nchannels:\n{channels}"
        "label: {group: state, map: {ok: normal}}\n"
    )
    blocks = check_source(open_source(f"file:{tmp_path / 'mine.yaml'}", WANTED))
    assert [(block.recording, block.label) for block in blocks] == [("bad_2", "bad"), ("ok_1", "normal")]
    np.testing.assert_array_equal(joined(blocks), np.concatenate([x[2000:], x[:2000]]))


def test_long_recordings_come_in_blocks(tmp_path: Path) -> None:
    x = counts(150_000)
    np.savez(tmp_path / "long.npz", **dict(zip(ACCEL, (x * LSB).T, strict=True)), time_s=np.arange(len(x)) / 3332.0)
    blocks = check_source(open_source(f"file:{tmp_path / 'long.npz'}", WANTED))
    assert [block.follows for block in blocks] == [False, True, True]
    np.testing.assert_array_equal(joined(blocks), x)


def test_rows_without_a_rate_are_counted(tmp_path: Path) -> None:
    pd.DataFrame({"flow": [1.0, 2.0, 5.0]}).to_csv(tmp_path / "rows.csv", index=False)
    source = open_source(f"file:{tmp_path / 'rows.csv'}", Format(("flow",), None, (0.5,)))
    assert check_fits(source, Format(("flow",), None, (0.5,)), "model") == [0]
    assert joined(check_source(source)).tolist() == [[2], [4], [10]]


@pytest.mark.skipif(not Adi().there(), reason=NO_DATA)
def test_known_sets_by_name_and_recording() -> None:
    form = Format(ACCEL, 20000.0, (2.0**-11,) * 3)
    x = np.load(Adi().place() / "adi_limerick_00lb.npz")
    blocks = check_source(open_source("data:adi", form))
    assert [block.recording for block in blocks] == x["rec"].tolist()
    np.testing.assert_array_equal(blocks[7].counts / 2.0**11, x["x"][7].clip(-16, 16 - 2.0**-11))
    one = check_source(open_source("data:adi/1800_GoB_GS_BaLo_WA_00lb", form))
    assert [(block.recording, block.label) for block in one] == [("1800_GoB_GS_BaLo_WA_00lb", "normal")]
    assert len(check_source(open_source("data:adi/1800_*", form))) == 13
    with pytest.raises(SourceError, match=r"data:adi/x: no recording x; there are 0600_.*simtwin data show adi"):
        open_source("data:adi/x", form)


@pytest.mark.skipif(not UciFan().there(), reason=NO_DATA)
def test_a_slow_set_keeps_the_contract() -> None:
    blocks = check_source(open_source("data:uci_fan", Format(ACCEL, 50.0, (1e-3,) * 3)))
    assert len({block.recording for block in blocks}) == 36


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario of a second, with pauses: a sensor that listens now and then."""
    path = tmp_path_factory.mktemp("scenario") / "small.yaml"
    path.write_text(
        f"name: small\nmachine: {SCENARIOS / 'machines/bearing_rig.yaml'}\n"
        "operation: {speed_rpm: 1500, load: 0.5, duration_s: 2}\n"
        "sensors:\n  - {id: imu0, device: lsm6dso, odr_hz: 3332, range_g: 16, range_dps: 500, mount: drive_end}\n"
        "sampling: {every_s: 1, windows: 2}\n"
        "faults:\n  - {kind: imbalance, unbalance_g_mm: 1000}\n"
        "dataset: {windows: 6, windows_per_recording: 3}\n"
    )
    return path


def test_a_scenario_streams_what_simulate_records(small: Path, tmp_path: Path) -> None:
    simulate(load(small, Scenario), tmp_path / "run", 7, plots=False)
    recorded = pq.read_table(tmp_path / "run" / "imu0.parquet").to_pandas()
    source = open_source(f"scenario:{small}", WANTED, seed=7)
    assert check_fits(source, WANTED, "model") == [0, 1, 2]
    blocks = check_source(source)
    got = joined(blocks)
    np.testing.assert_array_equal(got[:, :3], np.rint(recorded[list(ACCEL)].to_numpy() / LSB))
    starts = [block.time_s for block in blocks if not block.follows]
    assert starts == recorded.groupby("capture")["time_s"].first().tolist() == [0.0, 1.0]
    other = joined(check_source(open_source(f"scenario:{small}", WANTED, seed=8)))
    assert not np.array_equal(got[:1000], other[:1000])


def test_of_several_sensors_one_is_named() -> None:
    path = SCENARIOS / "several_imus.yaml"
    with pytest.raises(SourceError, match=r"several sensors; name one of them: .*several_imus\.yaml#imu0"):
        open_source(f"scenario:{path}", WANTED)
    with pytest.raises(SourceError, match="no sensor 'imu9'"):
        open_source(f"scenario:{path}#imu9", WANTED)
    assert len(check_source(open_source(f"scenario:{path}#imu2", WANTED), 3)) == 3


def test_a_dataset_gives_its_windows(small: Path, tmp_path: Path) -> None:
    augment([load(small, Scenario)], tmp_path / "set", seed=1)
    written = pq.read_table(next((tmp_path / "set").rglob("*.parquet")))
    shape = (written.num_rows * 1024, 6)
    x = written["samples"].combine_chunks().flatten().to_numpy().reshape(shape)
    blocks = check_source(open_source(f"dataset:{tmp_path / 'set'}", WANTED))
    np.testing.assert_array_equal(joined(blocks), np.rint(x[:, :3] / LSB))
    assert len({block.recording for block in blocks}) > 1


def lines(text: str, rate_hz: float | None = 3332.0) -> LineSource:
    return LineSource("stdin", io.StringIO(text), rate_hz, WANTED)


def test_lines_give_their_samples() -> None:
    x = counts(1000)
    rows = "".join(f"{k},{z!r},{y!r}, {v!r}\n" for k, (v, y, z) in enumerate((x * LSB).tolist()))
    blocks = check_source(lines("t, accel_z_g,accel_y_g,accel_x_g\n" + rows))
    np.testing.assert_array_equal(joined(blocks), x)
    assert {len(block.counts) for block in blocks[:-1]} == {166}  # 50 ms
    unfinished = check_source(lines("accel_x_g,accel_y_g,accel_z_g\n\n0,0,1\n0,0,1"))
    assert len(joined(unfinished)) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "stdin:1: no channel 'accel_x_g' in the header; it has nothing"),
        ("ax,ay,az\n", "stdin:1: no channel 'accel_x_g' in the header; it has ax, ay, az"),
        ("accel_x_g,accel_y_g,accel_z_g\n0,0,1\n0,one,1\n", "stdin:3: 'one' is not a number"),
        ("accel_x_g,accel_y_g,accel_z_g\n0,nan,1\n", "stdin:2: 'nan' is not a number"),
        ("accel_x_g,accel_y_g,accel_z_g\n0,,1\n", "stdin:2: '' is not a number"),
        ("accel_x_g,accel_y_g,accel_z_g\n0,1\n", "stdin:2: 2 values; the header has 3"),
    ],
)
def test_lines_that_are_no_samples_are_named(text: str, message: str) -> None:
    with pytest.raises(SourceError) as error:
        check_source(lines(text))
    assert str(error.value) == message


class Given(Source):
    """A source of what a test says."""

    def blocks(self):  # type: ignore[no-untyped-def]
        yield Block(counts(10), 0.0, follows=False)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (
            Format(ACCEL, 20000.0, (LSB,) * 3),
            "it is at 20000 Hz, the model was trained at 3332 Hz; nothing is resampled",
        ),
        (Format(ACCEL, None, (LSB,) * 3), "it has no stated rate, the model was trained at 3332 Hz"),
        (Format(ACCEL[:2], 3332.0, (LSB,) * 2), "no channel 'accel_z_g'; there are accel_x_g, accel_y_g"),
        (Format(ACCEL, 3332.0, (LSB, LSB, 0.122e-3)), "one count of accel_z_g is 0.000122 in its unit"),
    ],
)
def test_what_does_not_fit_the_model_is_refused_in_one_line(form: Format, message: str) -> None:
    with pytest.raises(SourceError) as error:
        check_fits(Given("given", form), WANTED, "artifact")
    assert str(error.value).startswith("given: does not fit artifact: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_names_of_one_rate_are_the_same_rate_and_channels_are_found_by_name() -> None:
    form = Format(("gyro_x_dps", *ACCEL[::-1]), 3333.0, (0.07, LSB, LSB, LSB))
    assert check_fits(Given("given", form), WANTED, "artifact") == [3, 2, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("usb:1", "usb:1: no such source; allowed are file:PATH, data:SET"),
        ("file:", "file:: names nothing"),
        ("file:nowhere.csv", "file:nowhere.csv: no such file"),
        ("data:mafaulda", "no such set; known are adi, cwru"),
        ("dataset:nowhere", "nowhere: no such folder"),
        ("scenario:nowhere.yaml", "nowhere.yaml"),
        ("stdin", "say at which rate the lines come, such as stdin:3332"),
        ("stdin:fast", "stdin:fast: the rate must be a number of Hz above 0"),
        ("stdin:-1", "stdin:-1: the rate must be"),
    ],
)
def test_sources_that_cannot_be_opened_are_one_line(text: str, message: str) -> None:
    with pytest.raises(SimtwinError) as error:
        open_source(text, WANTED)
    assert isinstance(error.value, SourceError | DatasetError | ScenarioError)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_tables_that_do_not_fit_are_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    table(counts(100)).rename(columns={"accel_y_g": "ay"}).to_csv(path, index=False)
    with pytest.raises(SourceError, match=r"no column 'accel_y_g'.*columns must be called accel_x_g.* and time_s"):
        open_source(f"file:{path}", WANTED)
    frame = table(counts(100))
    frame.loc[50:, "time_s"] += 1.0
    frame.to_csv(path, index=False)
    with pytest.raises(SourceError, match="1 gap, the first at"):
        open_source(f"file:{path}", WANTED)
    frame = table(counts(100))
    frame.loc[17, "accel_z_g"] = np.nan
    frame.to_csv(path, index=False)
    with pytest.raises(SourceError, match=r"recording t, channel accel_z_g: sample 17 is not a number"):
        check_source(open_source(f"file:{path}", WANTED))


class Broken(Source):
    """Blocks as they must not be."""

    def __init__(self, blocks: list[Block]) -> None:
        super().__init__("broken", WANTED)
        self._blocks = blocks

    def blocks(self):  # type: ignore[no-untyped-def]
        yield from self._blocks


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([], "gives nothing"),
        ([Block(counts(10), 0.0)], "the first block follows none"),
        ([Block(counts(10).astype(float), 0.0, follows=False)], "not int16"),
        ([Block(counts(10)[:, :2], 0.0, follows=False)], "has shape"),
        ([Block(counts(10), 0.0, follows=False), Block(counts(10), 1.0)], "follows, but at"),
        ([Block(counts(10), 0.0, follows=False), Block(counts(10), 0.0, follows=False)], "goes back"),
        ([Block(counts(10), 0.0, "a", follows=False), Block(counts(10), 10 / 3332, "b")], "cannot follow"),
        ([Block(counts(0), 0.0, follows=False)], "either samples or trouble"),
        ([Block(counts(0), 0.0, follows=False, trouble="x"), Block(counts(9), 0.0)], "follows trouble"),
    ],
)
def test_the_contract_finds_what_breaks_it(blocks: list[Block], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_source(Broken(blocks))
