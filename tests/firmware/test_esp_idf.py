"""The ESP-IDF port, held against stubs of the headers it uses: it compiles as strictly as the rest, links, and runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from firmware.build import build
from firmware.compiler import STRICT
from firmware.errors import FirmwareError
from firmware.frames import Hello, ResetCause, frames_in
from tests.firmware import tiny_model
from tests.firmware.bluetooth import DATA, SET_UP, commands_in, service_data

HERE = Path(__file__).parent
STUBS = HERE / "esp_idf_stubs"
COMPONENT = Path("components") / "simtwin"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as `simtwin firmware build --port esp-idf` makes it."""
    folder = tmp_path_factory.mktemp("idf")
    model = tiny_model.write(folder / "model", tiny_model.preprocessing())
    return build(model, folder / "project", "esp-idf").product


def test_the_project_is_whole(project: Path) -> None:
    for name in (
        "CMakeLists.txt",
        "partitions.csv",
        "sdkconfig.defaults",
        "sdkconfig.defaults.esp32",
        "main/main.c",
        "main/CMakeLists.txt",
    ):
        assert (project / name).is_file(), name
    listed = (project / COMPONENT / "CMakeLists.txt").read_text()
    for name in ("port.c", "vhci.c", "model/model.c", "core/include"):
        assert name in listed
        assert (project / COMPONENT / name).exists(), name
    assert len(list((project / COMPONENT / "core").glob("*.c"))) > 10
    names = {line.split(",")[0] for line in (project / "partitions.csv").read_text().splitlines()}
    assert "simtwin" in names


def test_no_header_of_the_core_hides_one_of_the_c_library(project: Path) -> None:
    standard = "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg"
    standard += (
        " stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype unistd"
    )
    own = {path.stem for path in (project / COMPONENT / "core" / "include").glob("*.h")}
    assert not own & set(standard.split())


def test_every_setting_of_the_port_is_in_its_kconfig(project: Path) -> None:
    code = (project / COMPONENT / "port.c").read_text()
    kconfig = (project / COMPONENT / "Kconfig").read_text()
    used = set(re.findall(r"CONFIG_(SIMTWIN_\w+)", code))
    assert used == set(re.findall(r"config (SIMTWIN_\w+)", kconfig))


def test_it_compiles_links_and_runs(project: Path, tmp_path: Path) -> None:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("no gcc: apt install gcc")
    component = project / COMPONENT
    include = [f"-I{each}" for each in (STUBS, component, component / "core" / "include", component / "model")]
    own = [
        *sorted((component / "core").glob("*.c")),
        component / "port.c",
        component / "vhci.c",
        project / "main" / "main.c",
    ]
    checks = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g"]
    objects = []
    for source, flags in [
        *((path, STRICT) for path in own), (component / "model" / "model.c", []), (HERE / "esp_idf_stubs.c", []),
    ]:  # fmt: skip
        target = tmp_path / f"{source.stem}.o"
        command = [compiler, "-std=gnu17", *checks, *flags, *include, "-c", str(source), "-o", str(target)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        objects.append(str(target))
    program = tmp_path / "idf"
    subprocess.run([compiler, *checks, *objects, "-o", str(program)], check=True)
    done = subprocess.run([str(program)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "imu 0 running" in lines
    assert "ready imus 1 rate 3332000 mHz" in lines
    assert "ok threshold 99" in lines
    assert any(line.startswith("machine normal") for line in lines)
    commands = commands_in(b"".join(bytes.fromhex(line[4:]) for line in lines if line.startswith("hci ")))
    assert [opcode for opcode, _ in commands[:5]] == list(SET_UP)
    assert {opcode for opcode, _ in commands[5:]} <= {DATA}
    assert commands[1][1].hex() == "010000a1dffc"
    assert service_data(commands[3][1]) == bytes.fromhex("40000026002C0051000054028FFF")
    assert any(line.startswith("bluetooth on address FC:DF:A1:00:00:01 plain") for line in lines)
    assert lines[-1] == "end"
    hello = next(frames_in(done.stdout))
    assert isinstance(hello, Hello)
    assert hello.reset_cause == ResetCause.BROWNOUT


def test_an_existing_folder_is_not_overwritten(project: Path, tmp_path: Path) -> None:
    model = tiny_model.write(tmp_path / "model", tiny_model.preprocessing())
    with pytest.raises(FirmwareError, match="exists already"):
        build(model, project, "esp-idf")


def test_the_pins_are_those_of_the_bare_metal_ports_and_free_on_the_boards(project: Path) -> None:
    """ESP32-DevKitM-1: 6 to 11, 16 and 17 belong to the module's flash, 34 to 39 are inputs only, 0, 2, 12 and 15 say how the
    chip starts, 1 and 3 are the console (module's datasheet); 5 says so too, but is high, as a chip select is."""
    blocks = re.findall(
        r"config SIMTWIN_PIN_(\w+)\n.*\n\s+default (\d+) if IDF_TARGET_ESP32C3\n\s+default (\d+)",
        (project / COMPONENT / "Kconfig").read_text(),
    )
    assert len(blocks) == 6
    for chip, column in (("esp32c3", 1), ("esp32", 2)):
        idf = {block[0]: int(block[column]) for block in blocks}
        spi = (HERE.parents[1] / "firmware" / "ports" / chip / "spi.c").read_text()
        assert {name: int(pin) for name, pin in re.findall(r"PIN_(\w+) = (\d+)", spi)} == idf
        assert len(set(idf.values())) == 6
        if chip == "esp32":
            assert not set(idf.values()) & {0, 1, 2, 3, *range(6, 12), 12, 15, 16, 17, *range(34, 40)}


def test_it_compiles_with_the_esp32s_pins(project: Path, tmp_path: Path) -> None:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("no gcc: apt install gcc")
    component = project / COMPONENT
    stub = tmp_path / "sdkconfig.h"
    blocks = re.findall(r"config (SIMTWIN_PIN_\w+)\n.*\n.*\n\s+default (\d+)\n", (component / "Kconfig").read_text())
    assert len(blocks) == 6
    stub.write_text(
        "#define CONFIG_FREERTOS_HZ 1000\n" + "".join(f"#define CONFIG_{name} {pin}\n" for name, pin in blocks)
    )
    include = [
        f"-I{each}" for each in (tmp_path, STUBS, component, component / "core" / "include", component / "model")
    ]
    command = [
        compiler,
        "-std=gnu17",
        *STRICT,
        *include,
        "-c",
        str(component / "port.c"),
        "-o",
        str(tmp_path / "port.o"),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
