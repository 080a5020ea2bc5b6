"""RESD, Renode's format of sensor data: blocks of samples at a constant rate, written and read.

Little-endian. A file begins with `RESD`, the version 1 and three zeros. A block: type u8 (2: constant rate), sample type u16,
channel u16, size u64 of all that follows; start u64 and period u64 in nanoseconds; size u64 of metadata, and these; samples.
Source: Renode's documentation, "RESD format", and Renode 1.16.1's parser.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from renode.errors import RenodeError

_MAGIC = b"RESD\x01\0\0\0"
_HEADER = struct.Struct("<BHHQ")
_TIMES = struct.Struct("<QQ")
_METADATA = struct.Struct("<Q")
_CONSTANT_RATE = 2


class SampleType(IntEnum):
    """What a block's samples are; all are 32-bit integers."""

    TEMPERATURE_MILLI_C = 1
    ACCELERATION_UG = 2
    ANGULAR_RATE_1E5_RAD_S = 3

    @property
    def axes(self) -> int:
        """Integers a sample."""
        return 1 if self is SampleType.TEMPERATURE_MILLI_C else 3


@dataclass(frozen=True)
class Block:
    """Samples at a constant rate.

    Attributes:
        type: what they are, with their unit.
        start_ns: time of the first.
        period_ns: from one to the next.
        samples: (n, axes) int32.
        channel: Renode's number of the sensor's input.
    """

    type: SampleType
    start_ns: int
    period_ns: int
    samples: NDArray[np.int32]
    channel: int = 0


def write(path: Path, blocks: Sequence[Block]) -> None:
    """Write a file.

    Raises:
        RenodeError: samples of another shape or type than their block's.
    """
    with path.open("wb") as file:
        file.write(_MAGIC)
        for block in blocks:
            samples = block.samples
            if samples.dtype != np.int32 or samples.ndim != 2 or samples.shape[1] != block.type.axes:
                raise RenodeError(
                    f"{path}: {block.type.name} wants int32 (n, {block.type.axes}), not {samples.dtype} {samples.shape}"
                )
            size = _TIMES.size + _METADATA.size + samples.nbytes
            file.write(_HEADER.pack(_CONSTANT_RATE, block.type, block.channel, size))
            file.write(_TIMES.pack(block.start_ns, block.period_ns) + _METADATA.pack(0))
            file.write(samples.astype("<i4").tobytes())


def read(path: Path) -> list[Block]:
    """Read a file; blocks of other types are an error, metadata is passed over.

    Raises:
        RenodeError: it cannot be read, or is not such a file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RenodeError(f"{path}: cannot be read ({error.strerror or error})") from None
    if data[: len(_MAGIC)] != _MAGIC:
        raise RenodeError(f"{path}: not RESD, version 1: begins with {data[:8].hex(' ')}")
    blocks: list[Block] = []
    at = len(_MAGIC)
    while at < len(data):
        if at + _HEADER.size > len(data):
            raise RenodeError(f"{path}: cut off within the header of block {len(blocks)}")
        kind, sample_type, channel, size = _HEADER.unpack_from(data, at)
        body, at = at + _HEADER.size, at + _HEADER.size + size
        if at > len(data):
            raise RenodeError(f"{path}: block {len(blocks)} is to have {size} bytes; {len(data) - body} are left")
        if kind != _CONSTANT_RATE or sample_type not in list(SampleType):
            raise RenodeError(
                f"{path}: block {len(blocks)} is of type {kind} with samples of type {sample_type}; not known here"
            )
        blocks.append(_block(path, data[body:at], SampleType(sample_type), channel, len(blocks)))
    return blocks


def _block(path: Path, body: bytes, kind: SampleType, channel: int, number: int) -> Block:
    first = _TIMES.size + _METADATA.size
    if len(body) >= first:
        first += _METADATA.unpack_from(body, _TIMES.size)[0]
    if first > len(body) or (len(body) - first) % (4 * kind.axes):
        raise RenodeError(f"{path}: block {number} has {len(body)} bytes, which is no whole number of samples")
    start_ns, period_ns = _TIMES.unpack_from(body)
    samples = np.frombuffer(body, "<i4", offset=first).reshape(-1, kind.axes).astype(np.int32)
    return Block(kind, start_ns, period_ns, samples, channel)
