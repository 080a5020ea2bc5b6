"""Frames as `firmware.stack` reads them from machine code, against those that gcc itself states (-fstack-usage)."""

from __future__ import annotations

from firmware.build import Built
from firmware.stack import functions_of


def check_frames(built: Built) -> None:
    """Every function that both know has the same frame in both."""
    told = {}
    for path in built.objects[0].parent.glob("*.su"):
        for line in path.read_text().splitlines():
            place, count, kind = line.split("\t")
            assert kind == "static", line
            told[place.rsplit(":", 1)[1]] = int(count)
    found = {function.name: function.frame_bytes for function in functions_of(built.product).values()}
    common = [name for name in found if name in told]
    assert len(common) > 80
    assert {name: found[name] for name in common} == {name: told[name] for name in common}
