"""RESD byte by byte against the format's description, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from renode.errors import RenodeError
from renode.resd import Block, SampleType, read, write

# Put together by hand from the format's description: a header, and a block of two accelerations at 1660 Hz from 5 ns on.
BY_HAND = bytes.fromhex(
    "52455344 01 000000"  # RESD, version 1, three zeros
    "02 0200 0100"  # constant rate, acceleration, channel 1
    "3000000000000000"  # 48 bytes follow
    "0500000000000000 2a31090000000000"  # from 5 ns on, every 602,410 ns
    "0000000000000000"  # no metadata
    "e8030000 18fcffff 40420f00"  # 1 mg, -1 mg, 1 g
    "00000000 ffffffff 7fffffff"
)
ROWS = np.array([[1000, -1000, 1_000_000], [0, -1, -129]], np.int32)


def test_bytes_are_those_of_the_description(tmp_path: Path) -> None:
    write(tmp_path / "a.resd", [Block(SampleType.ACCELERATION_UG, 5, 602_410, ROWS, channel=1)])
    assert (tmp_path / "a.resd").read_bytes() == BY_HAND


def test_bytes_of_the_description_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.resd").write_bytes(BY_HAND)
    (block,) = read(tmp_path / "a.resd")
    assert (block.type, block.start_ns, block.period_ns, block.channel) == (SampleType.ACCELERATION_UG, 5, 602_410, 1)
    np.testing.assert_array_equal(block.samples, ROWS)


def test_metadata_is_passed_over(tmp_path: Path) -> None:
    size_at, metadata_at = 13, 37
    with_metadata = bytearray(BY_HAND[:metadata_at] + b"\x03" + bytes(7) + b"abc" + BY_HAND[metadata_at + 8 :])
    with_metadata[size_at] += 3
    (tmp_path / "a.resd").write_bytes(with_metadata)
    np.testing.assert_array_equal(read(tmp_path / "a.resd")[0].samples, ROWS)


def test_several_blocks_of_all_types_come_back(tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    blocks = [
        Block(kind, n * 10**12, 300_301, draws.integers(-(2**31), 2**31, (7 + n, kind.axes)).astype(np.int32))
        for n, kind in enumerate([*SampleType, SampleType.ACCELERATION_UG])
    ]
    write(tmp_path / "a.resd", blocks)
    again = read(tmp_path / "a.resd")
    assert [(b.type, b.start_ns, b.period_ns) for b in again] == [(b.type, b.start_ns, b.period_ns) for b in blocks]
    for got, given in zip(again, blocks, strict=True):
        np.testing.assert_array_equal(got.samples, given.samples)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"RESX" + BY_HAND[4:], "not RESD, version 1"),
        (b"RESD\x02" + BY_HAND[5:], "not RESD, version 1"),
        (BY_HAND[:15], "cut off within the header of block 0"),
        (BY_HAND[:-1], "block 0 is to have 48 bytes; 47 are left"),
        (BY_HAND[:8] + b"\x01" + BY_HAND[9:], "block 0 is of type 1"),
        (BY_HAND[:9] + b"\x08" + BY_HAND[10:], "samples of type 8"),
        (BY_HAND[:13] + b"\x2f" + BY_HAND[14:-1], "no whole number of samples"),
    ],
    ids=["magic", "version", "header", "cut off", "block type", "sample type", "odd size"],
)
def test_what_is_no_such_file_is_refused(data: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "a.resd").write_bytes(data)
    with pytest.raises(RenodeError, match=says):
        read(tmp_path / "a.resd")


def test_a_missing_file_and_wrong_samples_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RenodeError, match="cannot be read"):
        read(tmp_path / "none.resd")
    with pytest.raises(RenodeError, match=r"wants int32 \(n, 3\)"):
        write(tmp_path / "a.resd", [Block(SampleType.ACCELERATION_UG, 0, 1, ROWS.astype(np.int64))])  # type: ignore[arg-type]
