"""The ELF for the ESP32: what is in it, what others' tools say of it, and what labwired's Xtensa core makes of it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from firmware.build import Built, build
from firmware.compiler import CLANG, GCC_ESP32, LLC, CompilerName, compile_all, compiler_for, link
from firmware.errors import FirmwareError
from firmware.frames import Hello, ResetCause, frames_in
from firmware.size import size_of
from firmware.stack import code_of, stack_depth
from firmware.xtensa import foreign, instructions
from tests.firmware import tiny_model
from tests.firmware.stack_usage import check_frames
from tests.firmware.test_esp32c3 import FLOAT

pytest.importorskip("elftools", reason="no pyelftools: pip install simtwin[firmware]")

from elftools.elf.elffile import ELFFile

HERE = Path(__file__).parent
PORTS = HERE.parents[1] / "firmware" / "ports"
STACK_BYTES = 8192


def _need(compiler: CompilerName) -> None:
    for program, package in ((GCC_ESP32, "gcc-xtensa-lx106"), (CLANG, "clang-22"), (LLC, "llvm-22")):
        if shutil.which(program) is None and (compiler == "clang" or program == GCC_ESP32):
            pytest.skip(f"no {program}: apt install {package}")


@pytest.fixture(scope="module", params=["gcc", "clang"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The port with the tiny model, by both compilers."""
    _need(request.param)
    folder = tmp_path_factory.mktemp("esp32")
    model = tiny_model.write(folder / "model", tiny_model.preprocessing())
    return build(model, folder / "out", "esp32", request.param)


def test_no_floating_point_no_heap_nothing_missing(built: Built) -> None:
    with built.product.open("rb") as file:
        elf = ELFFile(file)
        symbols = list(elf.get_section_by_name(".symtab").iter_symbols())  # type: ignore[union-attr]
        names = [symbol.name for symbol in symbols]
        assert len(names) > 50
        assert not [name for name in names if FLOAT.search(name)]
        assert not {"malloc", "free", "_sbrk", "printf"} & set(names)
        assert not [each.name for each in symbols if each.name and each["st_shndx"] == "SHN_UNDEF"]
        for segment in elf.iter_segments("PT_LOAD"):
            assert segment["p_flags"] & 3 != 3, "a segment that can be written and run"
            where = segment["p_vaddr"]
            assert where >> 16 in ((0x4008, 0x4009) if segment["p_flags"] & 1 else (0x3FFB, 0x3FFC, 0x3FFD))


def test_no_instruction_of_another_abi_or_core(built: Built) -> None:
    """No windowed call, FPU, loop, MAC16 or boolean instruction; and nearly every byte of the functions was looked at."""
    with built.product.open("rb") as file:
        elf = ELFFile(file)
        sizes = {each["st_value"]: each["st_size"] for each in elf.get_section_by_name(".symtab").iter_symbols()}  # type: ignore[union-attr]
        code = dict(code_of(elf))
    found = {(name, kind) for name, all_of in code.items() for one in all_of if (kind := foreign(one))}
    assert found == set()
    looked_at = sum(one.size for all_of in code.values() for one in all_of)
    assert looked_at > 0.98 * sum(sizes[all_of[0].pc] for all_of in code.values()) > 10_000


ORDINARY = [
    "add a2, a3, a4", "addi a1, a1, -16", "addmi a1, a1, 512", "addx4 a2, a3, a4", "and a2, a3, a4", "beqz a2, x",
    "bany a2, a3, x", "bbsi a2, 3, x", "bgeui a2, 4, x", "call0 x", "callx0 a8", "extui a2, a3, 4, 5", "isync", "j x",
    "jx a3", "l16si a2, a3, 4", "l32i a2, a3, 8", "l32r a2, x", "l8ui a2, a3, 1", "memw", "movi a2, 100",
    "moveqz a2, a3, a4", "mull a2, a3, a4", "mul16u a2, a3, a4", "muluh a2, a3, a4", "mulsh a2, a3, a4", "neg a2, a3",
    "nsau a2, a3", "or a2, a3, a4", "quou a2, a3, a4", "quos a2, a3, a4", "remu a2, a3, a4", "rems a2, a3, a4", "ret",
    "rfe", "rsil a2, 1", "rsr a2, epc1", "rsync", "s16i a2, a3, 4", "s32i a2, a3, 8", "s8i a2, a3, 1",
    "slli a2, a3, 4", "sra a2, a3", "src a2, a3, a4", "srai a2, a3, 5", "srl a2, a3", "ssai 5", "ssl a2",
    "sub a2, a3, a4", "waiti 0", "wsr a2, ps", "xor a2, a3, a4", "min a2, a3, a4", "sext a2, a3, 7",
    "add.n a2, a3, a4", "addi.n a2, a3, -1", "beqz.n a2, x", "l32i.n a2, a3, 4", "mov.n a2, a3", "movi.n a2, 5",
    "nop.n", "ret.n", "s32i.n a2, a3, 4",
]  # fmt: skip
FOREIGN = {
    "windowed": ["entry a1, 32", "retw", "retw.n", "call4 x", "call8 x", "call12 x", "callx4 a8", "callx8 a8", "callx12 a8",
                 "movsp a2, a3", "rotw 1", "l32e a2, a3, -16", "s32e a2, a3, -16", "rfwo", "rfwu"],
    "floating point": ["add.s f1, f2, f3", "mul.s f1, f2, f3", "madd.s f1, f2, f3", "lsi f1, a2, 4", "ssi f1, a2, 4",
                       "lsx f1, a2, a3", "float.s f1, a2, 3", "trunc.s a2, f1, 3", "wfr f1, a2", "rfr a2, f1",
                       "mov.s f1, f2", "olt.s b0, f1, f2"],
    "loop": ["loop a2, x", "loopnez a2, x", "loopgtz a2, x"],
    "mac16": ["mula.aa.ll a2, a3", "mul.da.hh m0, a2", "lddec m0, a2"],
    "boolean": ["andb b0, b1, b2", "any4 b0, b4", "bt b0, x", "bf b0, x", "movt a2, a3, b0", "movf a2, a3, b0"],
}  # fmt: skip


def _byte(text: str) -> int:
    """A byte as llvm-mc shows it: hexadecimal, or in bits; where a fixup will be, 0."""
    if text.startswith("0x"):
        return int(text[:4], 16)
    return int(text.removeprefix("0b").replace("A", "0"), 2)


def test_instructions_are_told_apart_as_llvm_encodes_them() -> None:
    """Sizes and kinds, of instructions assembled by LLVM for the ESP32."""
    assembler = shutil.which("llvm-mc-22")
    if assembler is None:
        pytest.skip("no llvm-mc-22: apt install llvm-22")
    expected = [(text, None) for text in ORDINARY] + [
        (text, kind) for kind, all_of in FOREIGN.items() for text in all_of
    ]
    told = subprocess.run(
        [assembler, "-triple=xtensa", "-mcpu=esp32", "-show-encoding"],
        input="\n".join(text for text, _ in expected), capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    encodings = [bytes(map(_byte, each.split(","))) for each in re.findall(r"encoding: \[([^\]]*)\]", told)]
    assert len(encodings) == len(expected)
    for (text, kind), code in zip(expected, encodings, strict=True):
        (one,) = instructions(code, 0)
        assert one.size == len(code), text
        assert foreign(one) == kind, text


def test_frames_are_those_gcc_states(built: Built) -> None:
    """`firmware.stack` reads frames from machine code; gcc says them itself (-fstack-usage)."""
    if not built.compiler.startswith("gcc"):
        pytest.skip("clang does not say them for this chip")
    check_frames(built)


def test_the_stack_is_bounded(built: Built) -> None:
    size = size_of(built.product, built.objects)
    assert 500 < size.stack_bytes < STACK_BYTES
    assert size.interrupt.chain[:2] == ("trap_entry", "trap")


@pytest.mark.parametrize("name", ["gcc", "clang"])
def test_recursion_and_unknown_pointers_are_refused(name: CompilerName, tmp_path: Path) -> None:
    _need(name)
    compiler = compiler_for("esp32", name)
    for case, code, message in (
        (
            "loop",
            "volatile int n; void b(void); void a(void) { if (n) b(); n++; } void b(void) { a(); n--; }",
            "recursion",
        ),
        ("pointer", "void (*volatile f)(void); volatile int n; void a(void) { f(); n++; }", "through a pointer"),
    ):
        source, elf = tmp_path / f"{case}.c", tmp_path / f"{case}.elf"
        source.write_text(
            code.replace("void a", "__attribute__((noinline)) void a") + " void _start(void) { a(); n = 3; }"
        )
        link(
            compiler,
            compile_all(compiler, [(source, ["-fno-inline"])], tmp_path),
            [f"-T{PORTS / 'esp32' / 'memory.ld'}"],
            elf,
        )
        with pytest.raises(FirmwareError, match=message):
            stack_depth(elf, "_start")


def test_esptool_makes_an_image_of_it(built: Built, tmp_path: Path) -> None:
    pytest.importorskip("esptool", reason="no esptool: pip install simtwin[test]")
    image, tool = tmp_path / "firmware.bin", [sys.executable, "-m", "esptool", "--chip", "esp32"]
    subprocess.run([*tool, "elf2image", "--output", str(image), str(built.product)], check=True, capture_output=True)
    told = subprocess.run([*tool, "image-info", str(image)], check=True, capture_output=True, text=True).stdout
    with built.product.open("rb") as file:
        entry = ELFFile(file)["e_entry"]
    assert re.search(rf"Entry point: 0x{entry:08x}", told)
    assert "(valid)" in told


def _svd() -> dict[str, dict[str, int]]:
    """Register offsets by block, from Espressif's SVD file as labwired packs it: name to offset."""
    labwired = pytest.importorskip("labwired", reason="no labwired: pip install simtwin[test]")
    yaml = pytest.importorskip("yaml", reason="no PyYAML")
    folder = Path(labwired.__file__).parent / "configs" / "peripherals" / "esp32"
    return {
        path.stem: {each["id"]: int(each["address_offset"]) for each in yaml.safe_load(path.read_text())["registers"]}
        for path in folder.glob("*.yaml")
    }


BLOCKS = {
    0x3FF00000: "dport", 0x3FF40000: "uart0", 0x3FF42000: "spi1", 0x3FF44000: "gpio", 0x3FF48000: "rtc_cntl",
    0x3FF5A000: "efuse", 0x3FF49000: "io_mux", 0x3FF50000: "uart1", 0x3FF5F000: "timg0", 0x3FF64000: "spi2",
}  # fmt: skip
SPI_NAMES = ("CMD", "ADDR", "CTRL", "CLOCK", "USER", "USER1", "USER2", "PIN")
NAMES = {
    "UART_FIFO": "FIFO", "UART_INT_ENA": "INT_ENA", "UART_INT_CLR": "INT_CLR", "UART_CLKDIV": "CLKDIV",
    "UART_STATUS": "STATUS", "UART_CONF1": "CONF1", "UART_MEM_RX_STATUS": "MEM_RX_STATUS",
    **{f"{block}_{name}": name for block in ("FLASH", "SPI2") for name in SPI_NAMES},
    **{f"{block}_{way}_DLEN": f"{way}_DLEN" for block in ("FLASH", "SPI2") for way in ("MOSI", "MISO")},
    "FLASH_W": "W0", "SPI2_W": "W0", "GPIO_ENABLE_W1TS": "ENABLE_W1TS", "GPIO_FUNC_IN_SEL": "FUNC0-255_IN_SEL_CFG",
    "GPIO_FUNC_OUT_SEL": "FUNC0-39_OUT_SEL_CFG", **{f"IO_MUX_GPIO{n}": f"GPIO{n}" for n in (5, 18, 19, 21, 22, 23)},
    "RTC_OPTIONS0": "OPTIONS0", "RTC_RESET_STATE": "RESET_STATE", "RTC_WDT_CONFIG0": "WDTCONFIG0",
    "RTC_WDT_CONFIG1": "WDTCONFIG1", "RTC_WDT_FEED": "WDTFEED", "RTC_WDT_PROTECT": "WDTWPROTECT",
    "TIMG0_T0_CONFIG": "T0CONFIG", "TIMG0_T0_ALARM_LO": "T0ALARMLO", "TIMG0_T0_ALARM_HI": "T0ALARMHI",
    "TIMG0_T0_LOAD_LO": "T0LOADLO", "TIMG0_T0_LOAD_HI": "T0LOADHI", "TIMG0_T0_LOAD": "T0LOAD",
    "TIMG0_T1_CONFIG": "T1CONFIG", "TIMG0_T1_LO": "T1LO", "TIMG0_T1_HI": "T1HI", "TIMG0_T1_UPDATE": "T1UPDATE",
    "TIMG0_WDT_CONFIG0": "WDTCONFIG0", "TIMG0_WDT_PROTECT": "WDTWPROTECT", "TIMG0_INT_ENA": "INT_ENA_TIMERS",
    "TIMG0_INT_CLR": "INT_CLR_TIMERS", "DPORT_CPU_PER_CONF": "CPU_PER_CONF", "DPORT_PERIP_CLK_EN": "PERIP_CLK_EN",
    "DPORT_PERIP_RST_EN": "PERIP_RST_EN", "INTERRUPT_MAP": "PRO_MAC_INTR_MAP", "EFUSE_MAC_LOW": "BLK0_RDATA1",
    "EFUSE_MAC_HIGH": "BLK0_RDATA2",
}  # fmt: skip
"""The port's names, and those of the SVD file."""


def test_registers_are_where_espressif_says() -> None:
    svd = _svd()
    text = (PORTS / "esp32" / "registers.h").read_text()
    fixed = re.findall(r"#define (\w+)(?:\(\w+\))? REGISTER\((0x\w+)u", text)
    of_uart = re.findall(r"#define (\w+)\(base\) REGISTER\(\(base\) \+ (0x\w+)u\)", text)
    places = [(name, int(at, 16)) for name, at in fixed]
    places += [(name, 0x3FF40000 + int(at, 16)) for name, at in of_uart if name != "UART_FIFO_IN"]
    assert len(places) > 55
    for name, at in places:
        assert svd[BLOCKS[at & ~0xFFF]][NAMES[name]] == at & 0xFFF, name


def test_it_boots_and_says_hello_on_labwired(built: Built) -> None:
    """The very ELF, but for SPI2, which labwired has not, and flash, whose commands it does not end."""
    board_module = pytest.importorskip("tests.labwired_esp32")
    with board_module.simulate(built.product) as board:
        board_module.stub(board, "spi_init", 0)
        board_module.stub(board, "hal_spi_transfer", -7)
        board_module.seal(board)
        board.expect(r"hello simtwin .*\n", timeout="150ms")
        heard = board.uart_transcript().rpartition("\n")[0]
    # labwired tells of both UARTs at once; what is no text is UART1's: HCI_Reset (Bluetooth Core Specification, 4.E.7.3.2).
    console = "".join(each for each in heard if each >= " " or each == "\n")
    assert "".join(each for each in heard if each < " " and each != "\n") == "\x01\x03\x0c\x00"
    (hello,) = frames_in(console)
    assert isinstance(hello, Hello)
    assert (hello.build_id, hello.model_sha256) == (built.build_id, tiny_model.SHA256.hex())
    assert hello.reset_cause == ResetCause.POWER
    assert "not saved" in console


def test_a_bit_that_turned_over_in_the_image_is_found_on_labwired(built: Built) -> None:
    """The check at the start, which the test before has seen pass."""
    board_module = pytest.importorskip("tests.labwired_esp32")
    with board_module.simulate(built.product) as board:
        board_module.stub(board, "spi_init", 0)
        board_module.seal(board)
        at = board.symbol("model_infer")
        board.write_u32(at, board.read_u32(at) ^ 1 << 9)
        board.expect(r"fatal image altered, CRC [0-9A-F]{8}\n", timeout="100ms")


def test_an_exception_is_told_on_labwired(built: Built) -> None:
    """Cause and place on the console; nothing goes on. A system call: other exceptions end labwired's run."""
    board_module = pytest.importorskip("tests.labwired_esp32")
    with board_module.simulate(built.product) as board:
        board_module.replace(board, "hal_spi_transfer", bytes((0x00, 0x50, 0x00)))  # syscall
        place = board.symbol("hal_spi_transfer")
        with pytest.raises(AssertionError, match="hal_spi_transfer did not come back"):
            board_module.call_all(board, [("uart_init", ()), ("hal_spi_transfer", ())], most_s=0.05)
        told = board.uart_transcript()
    assert told.startswith(f"fatal exception cause 1 at {place:08X} value "), told


def test_what_the_compilers_call_computes_as_it_should(built: Built) -> None:
    """Divisions and products of the port's own library, executed on labwired, against Python's integers."""
    board_module = pytest.importorskip("tests.labwired_esp32")
    draws = np.random.default_rng(0)
    edges = [
        1,
        2,
        7,
        1000,
        0x7FFFFFFF,
        0x80000000,
        0xFFFFFFFF,
        0x100000000,
        0x7FFFFFFFFFFFFFFF,
        0x8000000000000000,
        2**64 - 1,
    ]
    wide = [
        (int(a), int(b))
        for a in draws.choice(np.array(edges, np.uint64), 4)
        for b in draws.choice(np.array(edges, np.uint64), 2)
    ]
    narrow = [(a & 0xFFFFFFFF, (b & 0xFFFFFFFF) or 1) for a, b in wide[:4]] + [(123456789, 1000), (0xFFFFFFFF, 10)]

    def signed(value: int, bits: int) -> int:
        return value - (1 << bits) if value >> bits - 1 else value

    def toward_zero(a: int, b: int) -> int:
        return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)

    of = {
        "__udivsi3": lambda a, b: a // b, "__umodsi3": lambda a, b: a % b,
        "__divsi3": lambda a, b: toward_zero(signed(a, 32), signed(b, 32)),
        "__modsi3": lambda a, b: signed(a, 32) - signed(b, 32) * toward_zero(signed(a, 32), signed(b, 32)),
        "__muldi3": lambda a, b: a * b, "__udivdi3": lambda a, b: a // b,
        "__divdi3": lambda a, b: toward_zero(signed(a, 64), signed(b, 64)),
    }  # fmt: skip
    with built.product.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        present = [name for name in of if table.get_symbol_by_name(name)]  # type: ignore[union-attr]
    assert len(present) >= 5
    tried = 0
    for name in present:
        bits = 32 if name.endswith("si3") else 64
        pairs = narrow if bits == 32 else wide
        pairs = [(a, b) for a, b in pairs if not (signed(a, bits) == -(1 << bits - 1) and signed(b, bits) == -1)]
        with board_module.simulate(built.product) as board:
            arguments = [[a, b] if bits == 32 else [a & 0xFFFFFFFF, a >> 32, b & 0xFFFFFFFF, b >> 32] for a, b in pairs]
            got = board_module.call_all(board, [(name, each) for each in arguments], most_s=0.1)
        for (a, b), (low, high) in zip(pairs, got, strict=True):
            result = low if bits == 32 else high << 32 | low
            assert result == of[name](a, b) % (1 << bits), (name, a, b)
            tried += 1
    assert tried > 30


def test_time_goes_on_labwired(built: Built) -> None:
    """Timer 1 runs once `tick_init` has started it; labwired counts cycles of the core, whatever the divider."""
    board_module = pytest.importorskip("tests.labwired_esp32")
    calls = [
        ("hal_time_us", ()),
        ("tick_init", ()),
        ("hal_time_us", ()),
        ("chip_delay_us", (100,)),
        ("hal_time_us", ()),
    ]
    with board_module.simulate(built.product) as board:
        before, _, start, _, end = (low | high << 32 for low, high in board_module.call_all(board, calls, most_s=0.1))
    assert before == 0
    assert 16_000 < end - start < 100_000  # 8,000 turns of two instructions and more


def test_an_interrupt_changes_nothing_but_what_its_handler_does(built: Built, tmp_path: Path) -> None:
    """The port's vectors, entry and exit around interrupts asked for by software, executed on labwired; see probe.S."""
    board_module = pytest.importorskip("tests.labwired_esp32")
    compiler = compiler_for("esp32", "gcc")
    sources = [(PORTS / "esp32" / "start.S", ()), (HERE / "esp32_probe.S", ())]
    objects = compile_all(compiler, [(source, list(flags)) for source, flags in sources], tmp_path)
    elf = tmp_path / "probe.elf"
    link(compiler, objects, [f"-T{PORTS / 'esp32' / 'memory.ld'}"], elf)
    with board_module.simulate(elf) as board:
        board.run_for(0.001)
        done, lines, taken, wrong = (board.read_u32(board.symbol("results") + 4 * n) for n in range(4))
    assert (done, lines, taken, wrong) == (1, 1 << 7, 3, 0)
