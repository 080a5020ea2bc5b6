"""The contract that every source keeps; a new one gets the checks for free."""

from __future__ import annotations

from itertools import islice

import numpy as np

from models.monitor.source import Block, Source


def check_source(source: Source, blocks: int = 1000) -> list[Block]:
    """Read up to `blocks` blocks of a source and raise AssertionError with the first thing that is wrong with them.

    Returns what was read.
    """
    form = source.format
    assert source.name, "a source has a name"
    assert form.channels, f"{source.name}: no channels"
    assert len(set(form.channels)) == len(form.channels), f"{source.name}: a channel twice"
    assert len(form.lsb) == len(form.channels), f"{source.name}: {len(form.lsb)} steps, {len(form.channels)} channels"
    assert all(np.isfinite(step) and step > 0 for step in form.lsb), f"{source.name}: steps {form.lsb}"
    assert form.rate_hz is None or form.rate_hz > 0, f"{source.name}: rate {form.rate_hz}"
    read = list(islice(source.blocks(), blocks))
    assert read, f"{source.name}: gives nothing"
    assert not read[0].follows, f"{source.name}: the first block follows none"
    period_s = 1.0 / (form.rate_hz or 1.0)
    end_s, before = -np.inf, ""
    for number, block in enumerate(read):
        where = f"{source.name}: block {number}"
        assert block.counts.dtype == np.int16, f"{where} is {block.counts.dtype}, not int16"
        assert block.counts.shape[1:] == (len(form.channels),), f"{where} has shape {block.counts.shape}"
        assert np.isfinite(block.time_s), f"{where} is at {block.time_s}"
        assert bool(block.trouble) == (not len(block.counts)), f"{where}: either samples or trouble"
        if block.recording != before and number:
            assert not block.follows, f"{where} is of another recording and cannot follow"
        elif block.follows:
            assert abs(block.time_s - end_s) < 0.5 * period_s, (
                f"{where} follows, but at {block.time_s} s, not {end_s} s"
            )
        elif number:
            assert block.time_s > end_s - 0.5 * period_s, f"{where} goes back to {block.time_s} s from {end_s} s"
        if number and read[number - 1].trouble:
            assert not block.follows, f"{where} follows trouble"
        end_s, before = block.time_s + len(block.counts) * period_s, block.recording
    return read
