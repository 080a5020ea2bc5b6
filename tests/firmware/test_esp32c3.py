"""The ELF for the ESP32-C3: what is in it, what others' tools say of it, and how it runs on the emulated chip."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from firmware.build import Built, build
from firmware.compiler import GCC, CompilerName
from firmware.errors import FirmwareError
from firmware.frames import FrameType, Hello, ResetCause, State, frames_in
from firmware.size import size_of
from firmware.stack import stack_depth
from tests.firmware import machine, tiny_model
from tests.firmware.stack_usage import check_frames

pytest.importorskip("unicorn", reason="no Unicorn: pip install simtwin[firmware]")

from elftools.elf.elffile import ELFFile

from emulator.machine import Machine, Sensor
from emulator.sources import ArraySource

FLOAT = re.compile(
    r"__(add|sub|mul|div|neg|cmp|eq|ne|ge|gt|le|lt|unord)[sdt]f[23]|__(fix|float)\w*|__(extend|trunc)\w+f2"
    r"|\b(sqrt|exp|log|sin|cos|pow|tanh)f?\b"
)


def _stream(seconds: float) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    """Healthy, then a fault of the machine, then of the sensor."""
    part = seconds / 3
    stream = np.concatenate([machine.samples(part), machine.samples(2 * part, level=3000, axes=3)])
    stream[round(2 * part * machine.RATE_HZ) :] = 5
    return stream


def _run(elf: Path, seconds: float = 12.0) -> Machine:
    board = Machine(elf, [Sensor(ArraySource(_stream(seconds), machine.RATE_HZ))])
    board.run(0.3)
    board.write_uart(0, b"config report_windows 1\n")
    board.run(seconds - 0.3)
    return board


def _frames(board: Machine) -> list[Hello | State]:
    return list(frames_in(board.uart_output(0).decode("ascii")[: board.uart_output(0).rfind(b"\n")]))


def test_no_floating_point_no_heap_nothing_writable_and_executable(chip_build: Built) -> None:
    with chip_build.product.open("rb") as file:
        elf = ELFFile(file)
        names = [symbol.name for symbol in elf.get_section_by_name(".symtab").iter_symbols()]  # type: ignore[union-attr]
        assert len(names) > 50
        assert not [name for name in names if FLOAT.search(name)]
        assert not {"malloc", "free", "_sbrk", "printf"} & set(names)
        assert elf["e_flags"] & 0x6 == 0  # soft-float ABI
        for segment in elf.iter_segments("PT_LOAD"):
            assert segment["p_flags"] & 3 != 3, "a segment that can be written and run"


def test_every_instruction_is_one_of_rv32imc(chip_build: Built) -> None:
    """Debian's disassembler knows every word, and none is of the A, F or D extensions."""
    objdump = shutil.which("riscv64-unknown-elf-objdump")
    if objdump is None:
        pytest.skip("no riscv64-unknown-elf-objdump: apt install binutils-riscv64-unknown-elf")
    text = subprocess.run([objdump, "-d", str(chip_build.product)], capture_output=True, text=True, check=True).stdout
    words = re.findall(r"^\s*[0-9a-f]+:\t[0-9a-f ]+\t(\S+)", text, re.MULTILINE)
    assert len(words) > 5000
    assert not {
        word for word in words if word.startswith(("amo", "lr.", "sc.", "f", ".")) and not word.startswith("fence")
    }


def test_esptool_makes_an_image_of_it(chip_build: Built, tmp_path: Path) -> None:
    pytest.importorskip("esptool", reason="no esptool: pip install simtwin[test]")
    image = tmp_path / "firmware.bin"
    command = [
        sys.executable,
        "-m",
        "esptool",
        "--chip",
        "esp32c3",
        "elf2image",
        "--output",
        str(image),
        str(chip_build.product),
    ]
    subprocess.run(command, check=True, capture_output=True)
    told = subprocess.run(
        [sys.executable, "-m", "esptool", "--chip", "esp32c3", "image-info", str(image)],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    with chip_build.product.open("rb") as file:
        entry = ELFFile(file)["e_entry"]
    assert re.search(rf"Entry point: 0x{entry:08x}", told)
    assert "(valid)" in told
    loads = [int(each, 16) for each in re.findall(r"0x(4038\w{4}|3fca\w{4})", told, re.IGNORECASE)]
    assert {each >> 16 for each in loads} >= {0x4038, 0x3FCA}


def test_the_chip_tells_the_whole_story(chip_build: Built) -> None:
    board = _run(chip_build.product)
    frames = _frames(board)
    hello = frames[0]
    assert isinstance(hello, Hello)
    assert (hello.build_id, hello.model_sha256) == (chip_build.build_id, tiny_model.SHA256.hex())
    assert hello.reset_cause == ResetCause.POWER
    story = [frame.type for frame in frames if frame.type not in (FrameType.WINDOW, FrameType.HEARTBEAT)]
    assert story == [FrameType.HELLO, FrameType.MACHINE_RAISED, FrameType.SENSOR_RAISED]
    assert [frame.sequence for frame in frames] == list(range(len(frames)))


def _windows(frames: list[Hello | State]) -> list[tuple[object, ...]]:
    return [
        (frame.window, frame.level, frame.machine_state, frame.confidence_pct, frame.rms_mg, frame.peak_mg, frame.sensor_state,
         frame.flags, frame.sound)
        for frame in frames if isinstance(frame, State) and frame.type == FrameType.WINDOW
    ]  # fmt: skip


@pytest.mark.parametrize("compiler", ["zig", "gcc"])
def test_frames_are_those_of_the_host_port(compiler: CompilerName, library: Path, tmp_path: Path) -> None:
    """Both compilers: level, class, figures and faults of every window, on the same samples.

    Which sample is the first in the FIFO depends on the microsecond at which the program switched the sensor on; it lies
    within two ticks before the line `ready`.
    """
    if compiler == "gcc" and shutil.which(GCC) is None:
        pytest.skip(f"no {GCC}: apt install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf")
    built = build(
        tiny_model.write(tmp_path / "model", tiny_model.preprocessing()), tmp_path / "out", "esp32c3", compiler
    )
    seconds = 9.0
    stream = _stream(seconds)
    board = Machine(built.product, [Sensor(ArraySource(stream, machine.RATE_HZ))])
    board.run_until_line("ready", 1.0)
    ready = round(board.virtual_time_s * machine.RATE_HZ)
    board.write_uart(0, b"config report_windows 1\n")
    board.run(seconds - 1)
    on_chip = _windows(_frames(board))
    assert len(on_chip) >= 25
    assert len({window[1:] for window in on_chip}) > 3
    matching = []
    for first in range(ready - 134, ready + 2):
        host = machine.device(library, stream[first:], report_windows=1)
        host.run(seconds - 1)
        on_host = {window[0]: window for window in _windows(host.frames)}
        if [on_host.get(window[0]) for window in on_chip] == on_chip:
            matching.append(first)
    assert len(matching) == 1


@pytest.mark.parametrize("compiler", ["zig", "gcc"])
def test_bluetooth_packets_are_those_that_its_frames_call_for(compiler: CompilerName, tmp_path: Path) -> None:
    """Encrypted, with the address of the chip's eFuses; and all goes on while no controller answers."""
    bthome = pytest.importorskip("gateway.bthome", reason="no cryptography: pip install simtwin[gateway]")
    from tests.firmware.bluetooth import DATA, SET_UP, attach_to_chip, commands_in, reports

    if compiler == "gcc" and shutil.which(GCC) is None:
        pytest.skip(f"no {GCC}: apt install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf")
    model = tiny_model.write(tmp_path / "model", tiny_model.preprocessing())
    built = build(model, tmp_path / "out", "esp32c3", compiler)
    key, address = bytes(range(16)), bytes.fromhex("F4DFA1C0FFEE")
    board = Machine(
        built.product, [Sensor(ArraySource(_stream(9), machine.RATE_HZ))], mac=bytes.fromhex("34dfa1c0ffee")
    )
    board.run(0.3)
    assert [opcode for opcode, _ in commands_in(board.uart_output(1))] == [SET_UP[0]]  # Reset, and no answer
    for line in ("config report_windows 1", f"bindkey {key.hex()}", "config alert_repeat_s 2"):
        board.write_uart(0, line.encode() + b"\n")
        board.run(0.1)
    before = len(_frames(board))
    controller = attach_to_chip(board)
    board.write_uart(0, b"reboot\n")
    board.run_until_line("hello", 1.0)
    board.run(8.0)
    frames = _frames(board)[before:]
    assert isinstance(frames[0], Hello)
    packets = [bthome.service_data(each, key, address, n) for n, each in enumerate(reports(frames), start=1)]
    assert len(packets) >= 5
    sent = len(controller.packets)
    assert sent >= len(packets) - 1  # the last may still wait for the one before it to have been on the air
    assert controller.packets == packets[:sent]
    assert controller.opcodes == [*SET_UP, *[DATA] * (sent - 1)]


def test_the_stack_is_bounded_and_the_bound_holds(chip_build: Built) -> None:
    size = size_of(chip_build.product, chip_build.objects)
    board = Machine(chip_build.product, [Sensor(ArraySource(_stream(6), machine.RATE_HZ))])
    with chip_build.product.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        top = table.get_symbol_by_name("__stack_top")[0]["st_value"]  # type: ignore[union-attr]
    room = 8192
    board.write_memory(top - room, b"\xa5" * room)
    board.write_uart(0, b"config\nconfig report_windows 1\nhelp\nstatus\nbindkey 00112233445566778899aabbccddeeff\n")
    board.run(3)
    board.write_uart(0, b"selftest\nthreshold 5\n")
    board.run(3)
    untouched = board.read_memory(top - room, room)
    used = room - next(i for i, byte in enumerate(untouched) if byte != 0xA5)
    assert 500 < used <= size.stack_bytes < room


def test_frames_are_those_the_compiler_states(tmp_path: Path) -> None:
    """`firmware.stack` reads frames from machine code; gcc says them itself (-fstack-usage)."""
    if shutil.which(GCC) is None:
        pytest.skip(f"no {GCC}: apt install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf")
    model = tiny_model.write(tmp_path / "model", tiny_model.preprocessing())
    built = build(model, tmp_path / "out", "esp32c3", "gcc")
    check_frames(built)


def test_recursion_and_unknown_pointers_are_refused(tmp_path: Path) -> None:
    from firmware.compiler import compiler_for, run

    zig = compiler_for("esp32c3")
    for name, code, message in (
        (
            "loop",
            "volatile int n; void b(void); void a(void) { if (n) b(); n++; } void b(void) { a(); n--; }",
            "recursion",
        ),
        ("pointer", "void (*volatile f)(void); volatile int n; void a(void) { f(); n++; }", "through a pointer"),
    ):
        source, elf = tmp_path / f"{name}.c", tmp_path / f"{name}.elf"
        source.write_text(code + " void _start(void) { a(); n = 3; }")
        run([*zig.command, *zig.flags, "-O0", "-nostartfiles", str(source), "-o", str(elf)], name)
        with pytest.raises(FirmwareError, match=message):
            stack_depth(elf, "_start")


def test_a_reboot_and_a_hang(chip_build: Built) -> None:
    """The command restarts the chip; a main loop that hangs is restarted by the watchdog. Both are told in the hello."""
    board = Machine(chip_build.product, [Sensor(ArraySource(machine.samples(30), machine.RATE_HZ))])
    board.run(0.5)
    board.write_uart(0, b"config watchdog_ms 2000\nreboot\n")
    board.run(0.5)
    board.write_memory(board.symbol("app_step"), b"\x01\xa0")  # c.j to itself
    board.run(4)
    hellos = [frame for frame in _frames(board) if isinstance(frame, Hello)]
    assert [hello.reset_cause for hello in hellos[:3]] == [ResetCause.POWER, ResetCause.SOFTWARE, ResetCause.WATCHDOG]
    assert [hello.all_boots for hello in hellos[:3]] == [1, 2, 3]


PANICS = {
    "illegal instruction": (".half 0", 2, 0),
    "ebreak": ("c.ebreak", 3, 0),
    "load where nothing is": ("lw a0, 0(x0)", 5, 0),
    "store where nothing is": ("sw a0, 12(x0)", 7, 12),
    "jump to nowhere": ("lui a1, 0x20000; jr a1", 1, 0x20000000),
}
"""Code put over a function of the main loop, mcause, mtval."""


def _assembled(code: str, folder: Path) -> bytes:
    from firmware.compiler import compiler_for, run

    zig = compiler_for("esp32c3")
    source, target = folder / "code.S", folder / "code.o"
    source.write_text(f"{code}\n")
    run([*zig.command, *zig.flags, "-c", str(source), "-o", str(target)], source.name)
    with target.open("rb") as file:
        return bytes(ELFFile(file).get_section_by_name(".text").data())  # type: ignore[union-attr]


@pytest.mark.parametrize("what", PANICS)
@pytest.mark.parametrize("before", ["nop", "lui sp, 0x20000"], ids=["stack", "no stack"])
def test_an_exception_is_told(what: str, before: str, chip_build: Built, tmp_path: Path) -> None:
    """By the firmware's own handler, which needs no sound stack."""
    code, cause, value = PANICS[what]
    board = Machine(chip_build.product, [Sensor(ArraySource(machine.samples(8), machine.RATE_HZ))])
    board.run(0.5)
    start = board.symbol("app_step")
    board.write_memory(start, _assembled(f"{before}; {code}", tmp_path))
    board.run(0.1)
    at = value if cause == 1 else start + len(_assembled(before, tmp_path))
    assert f"fatal exception cause {cause} at {at:08X} value {value:08X}" in board.uart_output(0).decode().splitlines()


def test_after_an_exception_the_chip_starts_again(chip_build: Built) -> None:
    """Two seconds later, by a software reset; then all is as before."""
    board = Machine(chip_build.product, [Sensor(ArraySource(machine.samples(5), machine.RATE_HZ))])
    board.run(0.5)
    board.write_memory(board.symbol("app_step"), b"\0\0")
    board.run(2.8)
    hellos = [frame for frame in _frames(board) if isinstance(frame, Hello)]
    assert [hello.reset_cause for hello in hellos] == [ResetCause.POWER, ResetCause.SOFTWARE]
    assert board.uart_output(0).count(b"ready") == 2


def test_an_exception_within_the_handler_ends_by_the_watchdog(chip_build: Built) -> None:
    """The line cannot be sent either: nobody feeds the watchdog any more."""
    board = Machine(chip_build.product, [Sensor(ArraySource(machine.samples(20), machine.RATE_HZ))])
    board.run(0.3)
    board.write_uart(0, b"config watchdog_ms 1000\nreboot\n")
    board.run(0.7)
    board.write_memory(board.symbol("line_send"), b"\x01\xa0")  # c.j to itself
    board.write_memory(board.symbol("app_step"), b"\x00\x00")
    board.run(3)
    hellos = [frame for frame in _frames(board) if isinstance(frame, Hello)]
    assert [hello.reset_cause for hello in hellos] == [ResetCause.POWER, ResetCause.SOFTWARE, ResetCause.WATCHDOG]


def test_a_bit_that_turns_over_in_code_or_constants_is_found_and_mended(chip_build: Built) -> None:
    """Within two seconds, wherever it is; the restart loads the image again."""
    with chip_build.product.open("rb") as file:
        sections = [ELFFile(file).get_section_by_name(name) for name in (".text", ".rodata", ".image_crc")]
        ends = [(each["sh_addr"], each["sh_addr"] + each["sh_size"]) for each in sections]
    (text, _), (rodata, rodata_end), (crc, _) = ends
    unused = text + 0x7C  # a vector that no interrupt takes
    for address in (unused, None, rodata, rodata_end - 1, crc):
        board = Machine(chip_build.product, [Sensor(ArraySource(machine.samples(8), machine.RATE_HZ))])
        board.run(0.5)
        address = address or board.symbol("lsm6dso_self_test")
        board.flip_bit(address, 5)
        board.run_until_line("fatal image altered", 2.0)
    board.run(3)
    assert [frame.all_boots for frame in _frames(board) if isinstance(frame, Hello)] == [1, 2]
    assert board.uart_output(0).count(b"fatal image altered") == 1


def test_an_image_that_was_altered_before_the_start_does_not_start(chip_build: Built, tmp_path: Path) -> None:
    with chip_build.product.open("rb") as file:
        rodata = ELFFile(file).get_section_by_name(".rodata")
        content = bytearray(chip_build.product.read_bytes())
    content[rodata["sh_offset"] + rodata["sh_size"] // 2] ^= 1
    altered = tmp_path / "altered.elf"
    altered.write_bytes(content)
    board = Machine(altered)
    board.run(0.2)
    lines = board.uart_output(0).decode("ascii").splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("fatal image altered, CRC ")


def test_the_self_test_passes_on_a_sound_sensor_and_fails_on_a_dead_one(chip_build: Built) -> None:
    for response, answer in ((1.0, "ok"), (0.0, "error self-test failed")):
        source = ArraySource(machine.samples(10), machine.RATE_HZ)
        board = Machine(chip_build.product, [Sensor(source, self_test_response=response)])
        board.run(1)
        board.write_uart(0, b"selftest\n")
        board.run(2)
        lines = board.uart_output(0).decode("ascii").splitlines()
        assert answer in lines, lines
        board.run(2)
        assert "sensors bus" not in board.uart_output(0).decode("ascii")


def test_a_model_that_no_imu_serves_is_told(tmp_path: Path) -> None:
    """And the chip starts again, slowly: a start wears out the flash a little."""
    pre = tiny_model.preprocessing(rate_hz=1000.0)
    board = Machine(build(tiny_model.write(tmp_path / "model", pre), tmp_path / "out", "esp32c3").product)
    board.run(3.5)
    text = board.uart_output(0).decode("ascii")
    assert "fatal the model's channels or rate are none of an LSM6DSO's 000F4240" in text
    hellos = [frame for frame in _frames(board) if isinstance(frame, Hello)]
    assert [hello.reset_cause for hello in hellos] == [ResetCause.POWER, ResetCause.SOFTWARE]


def test_flash_power_cut_on_the_chip(chip_build: Built) -> None:
    """The same store, through the flash controller: cut within a program operation, old or new value afterwards."""
    for byte in (0, 5, 40, 63):
        board = Machine(chip_build.product, [Sensor(ArraySource(machine.samples(10), machine.RATE_HZ))])
        board.run(0.5)
        board.write_uart(0, b"threshold 100\n")
        board.run(0.3)
        board.cut_power_at(2, byte)
        board.write_uart(0, b"threshold 200\n")
        board.run(0.3)
        assert not board.powered
        board.power_on()
        board.run(0.5)
        board.write_uart(0, b"threshold\n")
        board.run(0.3)
        assert "ok threshold 100" in board.uart_output(0).decode("ascii").splitlines()[-3:]
