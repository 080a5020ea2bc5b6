"""What every network's C costs on the chip.

`python -m tests.models.export.c.made [NAME ...]` prints the table of docs/c_model.md; networks as in
tests/models/export/made.py.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from models.architectures import ARCHITECTURES
from models.export.c.generate import generate
from models.export.convert import convert
from models.export.cost import CLOCK_HZ, Cost, cost
from tests.models.export.c.chip import Chip
from tests.models.export.c.host import description
from tests.models.export.made import CHANNELS, CLASSES, LENGTH, MIXED, trained, windows

HEAD = (
    "| network | text | rodata | together | scratch | stack | instructions | at 160 MHz | per MAC | TFLM: file, arena |"
)


def figures(name: str, content: bytes, folder: Path) -> dict[str, int]:
    """Bytes of text, rodata, scratch memory and stack, and instructions for a window, of a network's int8 .tflite."""
    source = generate(content, description(name, LENGTH, CHANNELS, CLASSES))
    chip = Chip(source, folder)
    (window,) = windows(1, seed=21, level=MIXED)[0]
    instructions = chip.instructions(window)
    return {
        "text": chip.size.text,
        "rodata": chip.size.rodata,
        "scratch": source.scratch_bytes,
        "stack": chip.stack_bytes(),
        "instructions": instructions,
    }


def line(name: str, now: dict[str, int], of: Cost) -> str:
    """A row of the table."""
    together, count = now["text"] + now["rodata"], now["instructions"]
    cells = [
        name, *(f"{each:,}" for each in (now["text"], now["rodata"], together, now["scratch"], now["stack"], count)),
        f"{1e3 * count / CLOCK_HZ:.1f} ms", f"{count / of.macs:.2f}", f"{of.tflite_bytes:,}, {of.arena_bytes:,}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main(names: list[str]) -> None:
    """Print the table."""
    print(HEAD)
    print("|" + "---|" * HEAD.count(" | ") + "---|")
    for name in names:
        content = convert(trained(name), windows(200, seed=0, level=MIXED)[0]).int8
        with tempfile.TemporaryDirectory() as folder:
            print(line(name, figures(name, content, Path(folder)), cost(content)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or list(ARCHITECTURES))
