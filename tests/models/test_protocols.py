"""The protocols on the real sets: who is trained on, who is tested; needs the data."""

import pytest

from models.datasets.base import known, open_recordings
from models.protocols import ADI_TASK, PROTOCOLS, Protocol, chosen_protocols, on
from models.splits import Split
from sim.errors import DatasetError

SPEEDS = [600, 1200, 1800, 2400, 3000]


def folds(name: str, seed: int = 0) -> list[Split]:
    protocol = PROTOCOLS[name]
    if not known()[protocol.dataset].there():
        pytest.skip(f"no data: `simtwin data fetch {protocol.dataset}` or SIMTWIN_DATA")
    return protocol.folds(open_recordings(protocol.dataset), seed)


def count(split: Split, side: str) -> dict[str, int]:
    counted: dict[str, int] = {}
    for recording in getattr(split, side):
        counted[recording.label] = counted.get(recording.label, 0) + 1
    return counted


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_no_group_is_on_both_sides_but_normals_cut_in_time(name: str) -> None:
    for split in folds(name):
        train, test = ({r.group for r in side} for side in (split.train, split.test))
        shared = train & test
        assert shared == split.shared_groups
        assert {r.label for r in [*split.train, *split.test] if r.group in shared} <= {"normal"}
        if name in ("a", "b", "all", "e"):
            assert not shared
        else:
            assert shared
            assert split.time_cut is not None
            assert any("optimistic" in remark for remark in PROTOCOLS[name].remarks)
        assert {PROTOCOLS[name].task.class_of(r) for r in split.test} == set(PROTOCOLS[name].task.classes)


def test_a_holds_back_one_speed_wholly() -> None:
    splits = folds("a")
    assert [split.name for split in splits] == ["600", "1200", "1800", "2400", "3000"]
    for split in splits:
        tested = float(split.name)
        assert {r.speed_rpm for r in split.test} == {tested}
        assert count(split, "test") == {"normal": 1, "imbalance": 4, "misalignment": 1, "bearing_wear": 6}
        assert tested not in {r.speed_rpm for r in split.train}
        assert count(split, "train") == {"normal": 4, "imbalance": 4, "misalignment": 1, "bearing_wear": 6}
        assert {r.speed_rpm for r in split.train if not r.normal} == {2400.0 if tested == 1800 else 1800.0}


def test_a_time_has_faults_of_1800_rpm_only() -> None:
    (split,) = folds("a_time")
    assert count(split, "train") == {"normal": 5, "imbalance": 4, "misalignment": 1, "bearing_wear": 6}
    assert count(split, "test") == {"normal": 5, "imbalance": 16, "misalignment": 4, "bearing_wear": 24}
    assert {r.speed_rpm for r in split.train if not r.normal} == {1800.0}
    assert 1800.0 not in {r.speed_rpm for r in split.test if not r.normal}
    for side, start_s in (("train", 0.0), ("test", 1.1)):
        for recording in getattr(split, side):
            if recording.normal:
                assert (recording.start_s, recording.duration_s) == (pytest.approx(start_s), pytest.approx(0.9))


@pytest.mark.parametrize(("name", "as_name"), [("b", "a"), ("b_time", "a_time")])
def test_b_is_the_same_without_a_fault_in_training(name: str, as_name: str) -> None:
    assert not PROTOCOLS[name].fault_labels
    for split, like in zip(folds(name), folds(as_name), strict=True):
        assert set(count(split, "train")) == {"normal"}
        assert [r.id for r in split.test] == [r.id for r in like.test]
        assert [r.id for r in split.train] == [r.id for r in like.train if r.normal]


@pytest.mark.parametrize(("name", "k", "misaligned"), [("c1", 1, 1), ("c2", 2, 2), ("c5", 5, 4)])
def test_c_draws_k_faults_of_each_class_by_seed(name: str, k: int, misaligned: int) -> None:
    (split,) = folds(name)
    assert count(split, "train") == {"normal": 5, "imbalance": k, "misalignment": misaligned, "bearing_wear": k}
    assert count(split, "test") == {
        "normal": 5, "imbalance": 20 - k, "misalignment": 5 - misaligned, "bearing_wear": 30 - k,
    }  # fmt: skip
    assert [r.id for r in folds(name)[0].train] == [r.id for r in split.train]
    drawn = {tuple(r.id for r in folds(name, seed)[0].train if not r.normal) for seed in range(5)}
    assert len(drawn) == 5


def test_all_has_the_faults_of_all_other_speeds() -> None:
    for split in folds("all"):
        assert count(split, "train") == {"normal": 4, "imbalance": 16, "misalignment": 4, "bearing_wear": 24}
        assert {r.speed_rpm for r in split.test} == {float(split.name)}


def test_d_has_one_size_to_train_and_the_others_to_test() -> None:
    splits = folds("d")
    assert [split.name for split in splits] == ["0.007_in", "0.014_in", "0.021_in"]
    for split in splits:
        size = split.name.replace("_", " ")
        assert {r.severity for r in split.train if not r.normal} == {size}
        assert size not in {r.severity for r in split.test}
        assert count(split, "train") == {"normal": 1, "bearing_wear": 6}
        assert count(split, "test") == {"normal": 1, "bearing_wear": 12}


def test_e_has_one_slow_and_one_fast_speed() -> None:
    seen = set()
    for seed in range(6):
        (split,) = folds("e", seed)
        speeds = sorted({r.speed_rpm for r in split.train})
        tested = sorted({r.speed_rpm for r in split.test})
        assert (len(speeds), len(tested)) == (2, 10)
        assert speeds[0] < 0.6 * 1900 < speeds[1] + 100
        assert count(split, "train") == {"normal": 2, "imbalance": 4}
        assert count(split, "test") == {"normal": 10, "imbalance": 20}
        seen.add(tuple(speeds))
    assert len(seen) > 2


def test_names_families_and_other_sets() -> None:
    def names(*given: str) -> list[str]:
        return [protocol.name for protocol in chosen_protocols(given)]

    assert names() == list(PROTOCOLS)
    assert names("c", "a") == ["c1", "c2", "c5", "a"]
    assert names("b") == ["b", "b_time"]
    assert names("a'") == ["a_time"]
    with pytest.raises(DatasetError, match="no protocol 'z'; allowed are a, a_time"):
        names("z")
    other = on(PROTOCOLS["a"], "mine.yaml")
    assert isinstance(other, Protocol)
    assert (other.dataset, other.task) == ("mine.yaml", ADI_TASK)
