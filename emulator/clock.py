"""Virtual time, and the record that the processor's block hook shares with Python."""

from __future__ import annotations

import ctypes
from typing import ClassVar

CPU_HZ = 160_000_000
"""Cycles per second. One instruction takes one cycle: the real C3's loads, branches and flash misses take more."""

MAX_FRAMES = 16
"""Depth of nested stages."""


class Region(ctypes.Structure):
    """Memory that holds code: where the hook decodes instructions. Mirrors `struct region` of block_hook.c."""

    _fields_: ClassVar = [("base", ctypes.c_uint32), ("size", ctypes.c_uint32), ("bytes", ctypes.c_void_p)]


class CodeBlock(ctypes.Structure):
    """What is known of one block of instructions. Mirrors `struct code_block`."""

    _fields_: ClassVar = [
        ("pc", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("instructions", ctypes.c_uint32),
        ("function", ctypes.c_uint32),
        ("stage", ctypes.c_uint32),
        ("refused_pc", ctypes.c_uint32),
    ]


class Frame(ctypes.Structure):
    """A stage at work: left when pc and sp are as after its return. Mirrors `struct frame`."""

    _fields_: ClassVar = [("exit_pc", ctypes.c_uint32), ("sp", ctypes.c_uint32), ("stage", ctypes.c_uint32)]


class HookState(ctypes.Structure):
    """Shared by the hook and Python. Mirrors `struct hook_state` of block_hook.c, field by field."""

    _fields_: ClassVar = [
        ("instructions", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("poll_until", ctypes.c_uint64),
        ("poll_address", ctypes.c_uint32),
        ("poll_value", ctypes.c_uint32),
        ("pending_line", ctypes.c_uint32),
        ("stopped", ctypes.c_uint32),
        ("refused_pc", ctypes.c_uint32),
        ("block_pc", ctypes.c_uint32),
        ("block_size", ctypes.c_uint32),
        ("n_frames", ctypes.c_uint32),
        ("frames", Frame * MAX_FRAMES),
        ("function_counts", ctypes.c_void_p),
        ("stage_counts", ctypes.c_void_p),
        ("function_starts", ctypes.c_void_p),
        ("n_functions", ctypes.c_uint32),
        ("n_entries", ctypes.c_uint32),
        ("entry_pcs", ctypes.c_void_p),
        ("entry_stages", ctypes.c_void_p),
        ("allowed_csrs", ctypes.c_void_p),
        ("regions", ctypes.c_void_p),
        ("n_regions", ctypes.c_uint32),
        ("cache_mask", ctypes.c_uint32),
        ("mstatus", ctypes.c_int32),
        ("cache", ctypes.c_void_p),
        ("stop", ctypes.c_void_p),
        ("read_register", ctypes.c_void_p),
        ("read", ctypes.c_void_p),
        ("write", ctypes.c_void_p),
    ]


class Clock:
    """Cycles since power-on: instructions executed, and cycles slept.

    Attributes:
        state: the record shared with the hook.
        slept: cycles passed in WFI.
    """

    def __init__(self) -> None:
        self.state = HookState()
        self.slept = 0

    @property
    def now(self) -> int:
        """Cycles since power-on. Within a block: those at its end."""
        return int(self.state.instructions) + self.slept

    @property
    def now_s(self) -> float:
        """Seconds since power-on."""
        return self.now / CPU_HZ

    def attention(self) -> None:
        """Let the processor stop before its next block: an event time or a reset has changed."""
        self.state.deadline = 0

    def steady_until(self, cycles: int) -> None:
        """The value being read stays the same until then, whatever the firmware does meanwhile but access registers.

        It spares a polling loop the way into Python; the values are the same without it.
        """
        self.state.poll_until = max(0, cycles - self.slept)
