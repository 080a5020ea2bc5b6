"""Rows of real recordings, their states and their hash."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sim.dataset.real import RealRecording, content_sha256, in_one_state, to_windows

SAMPLES = np.random.default_rng(0).standard_normal((40, 1)).astype(np.float32)
ANOMALY = (np.arange(40) >= 10) & (np.arange(40) < 25)
MIXED = RealRecording(
    SAMPLES, ("accel_x_g",), 10.0, "r7", "looseness", "looseness", "hard", group="bearing 3", anomaly=ANOMALY
)


def test_rows_have_the_recording_and_its_group() -> None:
    columns = to_windows(MIXED, 10).columns
    assert (columns["recording_id"], columns["group"]) == ("r7", "bearing 3")


def test_each_window_has_its_own_state() -> None:
    columns = to_windows(MIXED, 10).columns
    assert columns["label"] == ["normal", "looseness", "looseness", "normal"]
    assert columns["fault_kind"] == ["normal", "looseness", "looseness", "normal"]
    assert [bool(np.isnan(s)) for s in columns["severity"]] == [False, True, True, False]


def test_stretches_of_one_state() -> None:
    stretches = in_one_state(MIXED)
    assert [(s.label, s.fault_kind, s.severity, s.start_s, len(s.samples)) for s in stretches] == [
        ("normal", "normal", "", 0.0, 10),
        ("looseness", "looseness", "hard", 1.0, 15),
        ("normal", "normal", "", 2.5, 15),
    ]
    assert {(s.id, s.group) for s in stretches} == {("r7", "bearing 3")}
    assert np.array_equal(np.concatenate([s.samples for s in stretches]), SAMPLES)


def test_the_hash_sees_every_change() -> None:
    changed = SAMPLES.copy()
    changed[3] += 1e-6
    variants = [
        MIXED, replace(MIXED, samples=changed), replace(MIXED, label="imbalance"), replace(MIXED, speed_rpm=900.0),
        replace(MIXED, anomaly=~ANOMALY), replace(MIXED, anomaly=None),
    ]  # fmt: skip
    assert len({content_sha256([v]) for v in variants}) == len(variants)
    assert content_sha256([MIXED]) == content_sha256([replace(MIXED, samples=SAMPLES.copy())])
