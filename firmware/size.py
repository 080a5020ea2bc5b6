"""What firmware costs on the chip: bytes by section and by module, and the most stack it can need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section

from firmware.stack import Depth, stack_depth, symbols_of

KINDS = ("text", "rodata", "data", "bss")
LIBRARY, UNNAMED = "(library)", "(unnamed)"
"""The compiler's own library; string constants, tables of jumps and padding, which have no symbol."""


@dataclass(frozen=True)
class Size:
    """Bytes of an ELF.

    Attributes:
        total: by kind: text, rodata, data, bss.
        modules: by module (source file), then by kind.
        main: stack of `main` and all it calls.
        interrupt: stack of an interrupt on top of that.
    """

    total: dict[str, int]
    modules: dict[str, dict[str, int]]
    main: Depth
    interrupt: Depth

    @property
    def stack_bytes(self) -> int:
        """The most stack that can be needed."""
        return self.main.bytes + self.interrupt.bytes

    def lines(self) -> list[str]:
        """What `simtwin firmware size` prints."""
        head = f"{'bytes of':16s}" + "".join(f"{kind:>9s}" for kind in KINDS)
        rows = [
            f"{name:16s}" + "".join(f"{self.modules[name][kind]:9d}" for kind in KINDS)
            for name in sorted(self.modules, key=lambda name: -sum(self.modules[name].values()))
        ]
        total = f"{'all':16s}" + "".join(f"{self.total[kind]:9d}" for kind in KINDS)
        return [
            head, *rows, total,
            f"stack           {self.stack_bytes:9d}   {self.main.bytes} of main and {self.interrupt.bytes} of an interrupt",
            f"  {' > '.join(self.main.chain)}",
            f"  {' > '.join(self.interrupt.chain)}",
        ]  # fmt: skip


def size_of(elf: Path, objects: Sequence[Path]) -> Size:
    """Measure an ELF of the port esp32c3.

    Args:
        elf: as linked.
        objects: what it was linked from: they say which module a function belongs to.

    Raises:
        FirmwareError: the stack's depth is not bounded.
    """
    owner = {name: path.stem for path in objects for name in _defined(path)}
    known = {path.stem for path in objects}
    total = dict.fromkeys(KINDS, 0)
    modules: dict[str, dict[str, int]] = {}
    with elf.open("rb") as file:
        content = ELFFile(file)
        kinds = {index: _kind(section) for index, section in enumerate(content.iter_sections())}
        for index, section in enumerate(content.iter_sections()):
            if kinds[index]:
                total[kinds[index]] += section["sh_size"]
        named: set[tuple[int, int]] = set()
        unit = LIBRARY
        for symbol in symbols_of(content):
            if symbol["st_info"]["type"] == "STT_FILE":
                unit = Path(symbol.name).stem
                continue
            kind = kinds.get(symbol["st_shndx"], "")
            place = (symbol["st_shndx"], symbol["st_value"])
            if not kind or not symbol["st_size"] or place in named:
                continue
            named.add(place)
            is_local = symbol["st_info"]["bind"] == "STB_LOCAL"
            name = unit if is_local and unit in known else owner.get(symbol.name, LIBRARY)
            modules.setdefault(name, dict.fromkeys(KINDS, 0))[kind] += symbol["st_size"]
    rest = {kind: total[kind] - sum(each[kind] for each in modules.values()) for kind in KINDS}
    return Size(total, modules | {UNNAMED: rest}, stack_depth(elf, "main"), stack_depth(elf, "trap_entry"))


def _kind(section: Section) -> str:
    flags, nobits = section["sh_flags"], section["sh_type"] == "SHT_NOBITS"
    if not flags & 2:  # takes no memory
        return ""
    if flags & 4:
        return "text"
    return "bss" if nobits else "data" if flags & 1 else "rodata"


def _defined(path: Path) -> list[str]:
    """Global names that an object file defines."""
    with path.open("rb") as file:
        return [
            symbol.name
            for symbol in symbols_of(ELFFile(file))
            if symbol["st_info"]["bind"] == "STB_GLOBAL" and symbol["st_shndx"] != "SHN_UNDEF"
        ]
