"""What firmware costs on the chip: bytes by section and by module, and the most stack it can need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section

from firmware.errors import FirmwareError
from firmware.stack import Depth, stack_depth, symbols_of
from models.export.budgets import above, recorded

KINDS = ("text", "rodata", "data", "bss")
RECORD = Path(__file__).with_name("budgets.toml")
"""What the image cost when that was last recorded, by port: with DEFAULT_MACHINE's reference model and the port's compiler."""
_HEAD = """# What the image costs in bytes with the model and compiler that `simtwin firmware size` takes by default: code,
# constants, static RAM, and the most stack. A test fails when one grows by more than 3 %. After a change that is meant
# to cost more:
#     simtwin firmware size --record
"""
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

    @property
    def figures(self) -> dict[str, int]:
        """What is held against the record: text, rodata, ram (data and bss), stack."""
        ram = self.total["data"] + self.total["bss"]
        return {"text": self.total["text"], "rodata": self.total["rodata"], "ram": ram, "stack": self.stack_bytes}

    def against(self, port: str, record: Path = RECORD) -> list[str]:
        """The figures beside the recorded ones, a line each."""
        known = recorded(record).get(port, {})
        rows = [
            f"{name:16s}{now:9d}" + (f"{known[name]:9d}{now / known[name] - 1:+9.1%}" if name in known else "")
            for name, now in self.figures.items()
        ]
        return [f"{'':16s}{'now':>9s}{'recorded':>9s}", *rows]

    def grown(self, port: str, record: Path = RECORD) -> list[str]:
        """What has grown above the record by more than 3 %, a line each."""
        return above(port, self.figures, record)


def table(sizes: Mapping[str, Size]) -> list[str]:
    """What `simtwin firmware size` prints: chips side by side, by name."""
    kinds = "".join(f"{kind:>9s}" for kind in KINDS)
    modules = {name for size in sizes.values() for name in size.modules}

    def row(name: str, cells: Iterable[Mapping[str, int] | None]) -> str:
        blank = " " * 9 * len(KINDS)
        return (
            f"{name:16s}"
            + "  ".join("".join(f"{each[kind]:9d}" for kind in KINDS) if each else blank for each in cells).rstrip()
        )

    def total_of(name: str) -> int:
        return max(sum(size.modules[name].values()) for size in sizes.values() if name in size.modules)

    lines = [f"{'':16s}" + "  ".join(f"{chip:>{9 * len(KINDS)}s}" for chip in sizes)] if len(sizes) > 1 else []
    lines += [f"{'bytes of':16s}" + "  ".join(kinds for _ in sizes)]
    for name in sorted(modules, key=lambda name: (-total_of(name), name)):
        lines.append(row(name, (size.modules.get(name) for size in sizes.values())))
    lines.append(row("all", (size.total for size in sizes.values())))
    for chip, size in sizes.items():
        lines += [
            f"stack of {chip:8s}{size.stack_bytes:8d}   {size.main.bytes} of main and {size.interrupt.bytes} of an interrupt",
            f"  {' > '.join(size.main.chain)}",
            f"  {' > '.join(size.interrupt.chain)}",
        ]
    return lines


def size_of(elf: Path, objects: Sequence[Path]) -> Size:
    """Measure an ELF of a bare-metal port.

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


def write_record(size: Size, port: str, record: Path = RECORD) -> None:
    """Make this port's figures the recorded ones.

    Raises:
        FirmwareError: the record cannot be written.
    """
    known = recorded(record) if record.is_file() else {}
    known[port] = size.figures
    tables = "".join(
        f"\n[{name}]\n" + "".join(f"{what} = {value}\n" for what, value in figures.items())
        for name, figures in sorted(known.items())
    )
    try:
        aside = record.with_suffix(".new")
        aside.write_text(_HEAD + tables)
        aside.replace(record)
    except OSError as error:
        raise FirmwareError(f"{record}: cannot be written ({error.strerror or error})") from None


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
