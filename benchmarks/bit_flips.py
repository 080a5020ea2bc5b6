"""Single bits that turn over: in the model's constants, in the memory of an inference, in the configuration in flash.

    python -m benchmarks.bit_flips

One bit at a time, drawn by a fixed seed, with the reference model of the bearing rig. Counted as `masked` (nothing differs),
`detected` (the firmware says so, or takes an older copy), `wrong level` (the output differs, but no verdict), `wrong verdict`
(another class, or flagged or not), and `crashed` (an exception, a run that does not end, memory written that is not its own).
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import unicorn
from elftools.elf.elffile import ELFFile
from numpy.typing import NDArray
from unicorn import riscv_const

from emulator.machine import Machine, Sensor
from emulator.sources import ArraySource
from emulator.twin_source import TwinRun
from firmware.build import build
from firmware.frames import FrameType, State, frames_in
from firmware.host import FLASH_BYTES, Host
from firmware.stack import symbols_of
from models.artifact import Artifact, open_artifact, reference
from sim.scenario.reader import load
from sim.scenario.realise import plan
from sim.scenario.schema import Scenario
from sim.seeds import generator

OUTCOMES = ("masked", "detected", "wrong level", "wrong verdict", "crashed")
SCENARIO = Path(__file__).parents[1] / "scenarios" / "demo.yaml"
MODEL_FLIPS, ARENA_FLIPS, CHIP_FLIPS = 1000, 1000, 40
_WINDOWS = 4
_INPUT, _STACK, _RETURN = 0x3FCC0000, 0x3FCE0000, 0x50000000
_MOST = 3  # times the instructions of a sound run: then it does not end
_SLOT = 256

Int8 = NDArray[np.int8]


@dataclass(frozen=True)
class Flip:
    """One bit (0 to 7) of the byte at an address; `at`: after so many instructions of an inference."""

    address: int
    bit: int
    at: int = 0


class Network:
    """`model_infer` of a firmware's ELF, called by itself on plain Unicorn.

    Args:
        elf: of the port esp32c3.
        artifact: its model.

    Attributes:
        constants: (first address, bytes) of the model's constants.
        arena: (first address, bytes) of input and scratch memory.
        instructions: of a sound run.
    """

    def __init__(self, elf: Path, artifact: Artifact) -> None:
        self._artifact = artifact
        pre = artifact.preprocessing
        self._input_bytes = pre.length * len(pre.channels)
        self._classes = len(artifact.classes)
        self._uc = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
        self._uc.mem_map(0x3FC80000, 0x60000)
        self._uc.mem_map(0x40380000, 0x20000)
        self._uc.mem_map(_RETURN, 0x1000)
        with elf.open("rb") as file:
            content = ELFFile(file)
            for segment in content.iter_segments("PT_LOAD"):
                self._uc.mem_write(segment["p_vaddr"], segment.data())
            self.constants, self._entry, scratch = _of_model(content)
        self._output = _INPUT + self._input_bytes
        self._scratch = (self._output + self._classes + 15) & ~15
        self.arena = [(_INPUT, self._input_bytes), (self._scratch, scratch)]
        self._behind = self._scratch + scratch
        self.instructions = 0
        self.instructions = self._counted(np.zeros(self._input_bytes, np.int8))

    def run(self, window: Int8, flip: Flip | None = None) -> Int8 | None:
        """The output; None: it crashed. The constants are whole again afterwards."""
        self._prepare(window)
        is_constant = flip is not None and flip.at == 0
        if flip is not None and is_constant:
            self._turn(flip)
        try:
            if flip is not None and not is_constant:
                self._uc.emu_start(self._entry, _RETURN, count=flip.at)
                self._turn(flip)
                self._uc.emu_start(
                    self._uc.reg_read(riscv_const.UC_RISCV_REG_PC), _RETURN, count=_MOST * self.instructions
                )
            else:
                self._uc.emu_start(self._entry, _RETURN, count=_MOST * self.instructions)
        except unicorn.UcError:
            return None
        finally:
            if flip is not None and is_constant:
                self._turn(flip)
        ended = self._uc.reg_read(riscv_const.UC_RISCV_REG_PC) == _RETURN
        beside = bytes(self._uc.mem_read(self._behind, 256)) + bytes(self._uc.mem_read(_INPUT - 256, 256))
        if not ended or set(beside) != {0xA5}:
            return None
        return np.frombuffer(self._uc.mem_read(self._output, self._classes), np.int8)

    def outcome(self, windows: Int8, sound: list[Int8], flip: Flip) -> str:
        """The worst that comes of a flip in any of some windows."""
        outputs = [self.run(window, flip) for window in windows]
        if any(each is None for each in outputs):
            return "crashed"
        if all(np.array_equal(a, b) for a, b in zip(outputs, sound, strict=True)):
            return "masked"
        same = all(self._verdict(a) == self._verdict(b) for a, b in zip(outputs, sound, strict=True) if a is not None)
        return "wrong level" if same else "wrong verdict"

    def _verdict(self, output: Int8) -> tuple[bool, int]:
        level = int((output[1:].astype(int) + 128).sum())
        return level > self._artifact.threshold_int8, int(output.argmax())

    def _turn(self, flip: Flip) -> None:
        byte = self._uc.mem_read(flip.address, 1)[0]
        self._uc.mem_write(flip.address, bytes([byte ^ 1 << flip.bit]))

    def _prepare(self, window: Int8) -> None:
        self._uc.mem_write(_INPUT - 256, b"\xa5" * (self._behind + 256 - (_INPUT - 256)))
        self._uc.mem_write(_INPUT, window.tobytes())
        for register, value in (
            (riscv_const.UC_RISCV_REG_A0, _INPUT), (riscv_const.UC_RISCV_REG_A1, self._output),
            (riscv_const.UC_RISCV_REG_A2, self._scratch), (riscv_const.UC_RISCV_REG_RA, _RETURN),
            (riscv_const.UC_RISCV_REG_SP, _STACK),
        ):  # fmt: skip
            self._uc.reg_write(register, value)

    def _counted(self, window: Int8) -> int:
        self._prepare(window)
        count = 0

        def executed(*_: object) -> None:
            nonlocal count
            count += 1

        hook = self._uc.hook_add(unicorn.UC_HOOK_CODE, executed)
        self._uc.emu_start(self._entry, _RETURN)
        self._uc.hook_del(hook)
        self._uc.ctl_flush_tb()
        return count


def _of_model(content: ELFFile) -> tuple[list[tuple[int, int]], int, int]:
    """Constants of model.c by (address, bytes), the address of model_infer, and the bytes of its scratch memory."""
    sections = list(content.iter_sections())
    constants, unit, entry, description = [], "", 0, 0
    for symbol in symbols_of(content):
        if symbol["st_info"]["type"] == "STT_FILE":
            unit = symbol.name
        elif symbol.name == "model_infer":
            entry = symbol["st_value"]
        elif symbol.name == "model_description":
            description = symbol["st_value"]
            constants.append((description, symbol["st_size"]))
        elif Path(unit).name == "model.c" and symbol["st_info"]["type"] == "STT_OBJECT" and symbol["st_size"]:
            constants.append((symbol["st_value"], symbol["st_size"]))
    rodata = next(each for each in sections if each.name == ".rodata")
    at = description - rodata["sh_addr"] + 32 + 4 * 4 + 6 * 4  # of scratch_size in struct model_description
    return constants, entry, int.from_bytes(rodata.data()[at : at + 4], "little")


def drawn(places: Iterable[tuple[int, int]], count: int, name: str, instructions: int = 0) -> Iterator[Flip]:
    """So many bits of some places, and moments of an inference, always the same."""
    addresses = np.concatenate([np.arange(first, first + size) for first, size in places])
    draws = generator(0, f"bit flips, {name}")
    for _ in range(count):
        at = 1 + int(draws.integers(instructions - 1)) if instructions else 0
        yield Flip(int(draws.choice(addresses)), int(draws.integers(8)), at)


def model_alone(network: Network, windows: Int8, count: int) -> Counter[str]:
    """Flips in the model's constants, with nobody looking."""
    sound = [_whole(network.run(window)) for window in windows]
    return Counter(network.outcome(windows, sound, flip) for flip in drawn(network.constants, count, "constants"))


def arena(network: Network, windows: Int8, count: int) -> Counter[str]:
    """Flips in input and scratch memory, at any moment of an inference."""
    sound = [_whole(network.run(window)) for window in windows]
    found: Counter[str] = Counter()
    for n, flip in enumerate(drawn(network.arena, count, "arena", network.instructions)):
        i = n % len(windows)
        found[network.outcome(windows[i : i + 1], sound[i : i + 1], flip)] += 1
    return found


def _whole(output: Int8 | None) -> Int8:
    if output is None:
        raise AssertionError("a sound run did not end")
    return output


def _told(board: Machine) -> list[State]:
    sent = board.uart_output(0).decode("ascii", "replace")
    frames = frames_in(sent[: sent.rfind("\n") + 1])
    return [replace(f, sequence=0) for f in frames if isinstance(f, State) and f.type == FrameType.WINDOW]


def on_the_chip(elf: Path, counts: NDArray[np.int16], flips: Iterable[Flip]) -> tuple[Counter[str], int]:
    """Flips in the model's constants while the firmware runs; and how many windows were told wrong before it found them."""

    def run(flip: Flip | None) -> tuple[Machine, bool]:
        board = Machine(elf, [Sensor(ArraySource(counts, 3332.0))])
        board.run(0.3)
        board.write_uart(0, b"config report_windows 1\n")
        board.run(0.5)
        if flip is not None:
            board.flip_bit(flip.address, flip.bit)
        return board, board.run_until_true(lambda: b"fatal image altered" in board.uart_output(0), 3.0)

    sound = _told(run(None)[0])
    found: Counter[str] = Counter()
    wrong = 0
    for flip in flips:
        board, detected = run(flip)
        told = _told(board)
        unlike = sum(frame != sound[n] for n, frame in enumerate(told))
        wrong += unlike
        found["crashed" if board.exceptions else "detected" if detected else "wrong level" if unlike else "masked"] += 1
    return found, wrong


def configuration(library: Path) -> tuple[Counter[str], Counter[str]]:
    """Every bit of the newest record in flash, and of the blank rest of its slot: outcomes of both."""
    flash = bytearray(b"\xff" * FLASH_BYTES)
    host = Host(library, flash=flash)
    host.start()
    for value in (100, 200):
        host.command(f"threshold {value}")
    kept = bytes(flash)
    first = max(at for at in range(0, FLASH_BYTES, _SLOT) if kept[at] != 0xFF)
    record = len(kept[first : first + _SLOT].rstrip(b"\xff"))
    host.flash[:] = kept
    newest = _started(host)
    outcomes: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for bit in range(8 * _SLOT):
        host.flash[:] = kept
        host.flash[first + bit // 8] ^= 1 << bit % 8
        now = _started(host)
        expected = {**newest, "threshold": "100"}
        what = "masked" if now == newest else "detected" if now == expected else "wrong verdict"
        outcomes[bit // 8 >= record][what] += 1
    return outcomes


def _started(host: Host) -> dict[str, str]:
    """The configuration after a start, by name."""
    for sent in host.sent.values():
        sent.clear()
    host.start()
    return dict(line.split(" ")[:2] for line in host.command("config")[:-1])


def windows_of(counts: NDArray[np.int16], artifact: Artifact, count: int) -> Int8:
    """Preprocessed windows, spread over a recording."""
    pre = artifact.preprocessing
    starts = np.linspace(0, len(counts) - pre.window, count).astype(int)
    return pre.apply(np.stack([counts[start : start + pre.window, : len(pre.channels)] for start in starts]))


def recorded() -> NDArray[np.int16]:
    """What the sensor of the demonstration's scenario measures: a sound machine, then a fault."""
    scenario = plan(load(SCENARIO, Scenario).model).draw(0, "demo", 0)
    return np.concatenate([block.counts for block in TwinRun(scenario, 0).sources[0].blocks()])


def _print(name: str, found: Counter[str]) -> None:
    print(f"{name:58s}{found.total():7d}" + "".join(f"{found[each]:15d}" for each in OUTCOMES), flush=True)


def main() -> None:
    """Print the table."""
    artifact = open_artifact(reference("bearing_rig"))
    counts = recorded()
    windows = windows_of(counts, artifact, _WINDOWS)
    with tempfile.TemporaryDirectory() as folder:
        elf = build(artifact.folder, Path(folder) / "chip").product
        library = build(artifact.folder, Path(folder) / "host", "host", sanitize=True).product
        network = Network(elf, artifact)
        size = sum(size for _, size in network.constants)
        print(f"{'flipped bit in':58s}{'flips':>7s}" + "".join(f"{each:>15s}" for each in OUTCOMES))
        _print(f"the model's {size:,} bytes of constants, nobody looking", model_alone(network, windows, MODEL_FLIPS))
        found, wrong = on_the_chip(elf, counts, drawn(network.constants, CHIP_FLIPS, "chip"))
        _print("the same, on the chip", found)
        _print("input and scratch, at any moment of an inference", arena(network, windows, ARENA_FLIPS))
        record, rest = configuration(library)
        _print("the newest record of the configuration", record)
        _print("the blank rest of its slot", rest)
        print(f"\nwindows told wrong on the chip before the flip was found: {wrong}")


if __name__ == "__main__":
    main()
