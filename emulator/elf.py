"""An ELF of the ESP32-C3: what to load where, where to start, which function an address belongs to."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from emulator.errors import MachineError


@dataclass(frozen=True)
class Segment:
    """Bytes to be loaded.

    Attributes:
        address: where they lie (p_paddr): the image of .data lies beside the constants, the start code copies it.
        data: the bytes.
    """

    address: int
    data: bytes


@dataclass(frozen=True)
class Image:
    """A program as the chip's loader leaves it.

    Attributes:
        path: the file.
        entry: first instruction.
        segments: what is loaded.
        functions: (start address, name) of all functions, by address.
        symbols: address of every symbol by name.
    """

    path: Path
    entry: int
    segments: list[Segment]
    functions: list[tuple[int, str]]
    symbols: dict[str, int]
    _starts: list[int] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path) -> Image:
        """Read an ELF.

        Raises:
            MachineError: no such file, not an ELF, not for a 32-bit RISC-V.
        """
        try:
            with path.open("rb") as file:
                elf = ELFFile(file)
                if elf["e_machine"] != "EM_RISCV" or elf.elfclass != 32:
                    raise MachineError(f"{path}: is not for a 32-bit RISC-V (machine {elf['e_machine']})")
                segments = [Segment(s["p_paddr"], s.data()) for s in elf.iter_segments("PT_LOAD") if s["p_filesz"]]
                functions, symbols = {}, {}
                for table in elf.iter_sections("SHT_SYMTAB"):
                    assert isinstance(table, SymbolTableSection)
                    for symbol in table.iter_symbols():
                        kind, name, value = symbol["st_info"]["type"], symbol.name, symbol["st_value"]
                        if not name or name.startswith(("$", ".")) or symbol["st_shndx"] in ("SHN_UNDEF", "SHN_ABS"):
                            continue
                        symbols[name] = value
                        if kind == "STT_FUNC" or (kind == "STT_NOTYPE" and _in_code(elf, symbol["st_shndx"])):
                            functions[value] = name
        except OSError as error:
            raise MachineError(f"{path}: cannot be read ({error.strerror or error})") from None
        except ELFError as error:
            raise MachineError(f"{path}: not an ELF ({error})") from None
        if not segments:
            raise MachineError(f"{path}: nothing to load in it")
        ordered = sorted(functions.items())
        return cls(path, elf["e_entry"], segments, ordered, symbols, [start for start, _ in ordered])

    def place(self, pc: int) -> str:
        """The address for people: `0x42000010 (main+0x10)`."""
        at = bisect_right(self._starts, pc) - 1
        if at < 0:
            return f"{pc:#010x}"
        start, name = self.functions[at]
        return f"{pc:#010x} ({name}+{pc - start:#x})"


def _in_code(elf: ELFFile, section: int | str) -> bool:
    return isinstance(section, int) and bool(elf.get_section(section)["sh_flags"] & 4)  # SHF_EXECINSTR
