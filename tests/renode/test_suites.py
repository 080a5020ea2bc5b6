"""The suites on the built-in engine and, through a stand-in of its server, by the way they take on Renode."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("unicorn", reason="no Unicorn: pip install simtwin[firmware]")
pytest.importorskip("ziglang", reason="no zig: pip install simtwin[firmware]")
pytest.importorskip("robot", reason="no Robot Framework: pip install simtwin[firmware]")

from click.testing import CliRunner
from elftools.elf.elffile import ELFFile
from robot.libdocpkg import LibraryDocumentation

from firmware.compiler import GCC_ESP32
from firmware.frames import Hello, frames_in
from renode import run as bundle_run
from renode.errors import RenodeError, RenodeMissing
from renode.run import free_port
from renode.suites import LIBRARIES, builtin, bundle, on_renode
from renode.tests import transcript
from renode.work import TESTS, needs, scenario_file, suites
from sim.cli import cli
from tests.renode import made, standin

QUICK, LONG = ["bluetooth", "boot", "conformance_esp32c3"], ["several", "verdicts", "wires"]
"""Suites that ask nothing of a model but that it calls a sound machine normal."""
SHORT = """
name: short
machine: MACHINES/bearing_rig.yaml
operation: {speed_rpm: 1800, load: 0.5, duration_s: 3}
fusion: median
sensors:
  - &imu {id: a, device: lsm6dso, odr_hz: 3332, range_g: 16, range_dps: 500, mount: drive_end, rate_error_ppm: 0}
  - {<<: *imu, id: b, faults: [{kind: stuck, onset_s: 1}]}
  - {<<: *imu, id: c}
"""


def quiet(_what: str) -> None:
    pass


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.artifact(tmp_path_factory.mktemp("artifact"))


@pytest.fixture(scope="module")
def packed(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("bundle") / "a place"
    base.mkdir()
    (base / "short.yaml").write_text(SHORT.replace("MACHINES", str(scenario_file("demo").parent / "machines")))
    tested = bundle(base / "bundle", [base / "short.yaml"], artifact, 0, quiet, suites_of=QUICK)
    assert [each for each in tested if not each.passed] == []
    assert len(tested) > 20
    expected = (base / "bundle" / "work" / "expected" / "esp32c3" / "short-run.txt").read_text()
    assert "alert sensor 1 raised stuck" in expected
    return base / "bundle"


@pytest.fixture(scope="module")
def for_both(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small bundle for both chips."""
    if shutil.which(GCC_ESP32) is None:
        pytest.skip(f"no {GCC_ESP32}: apt install gcc-xtensa-lx106")
    folder = tmp_path_factory.mktemp("both") / "bundle"
    names = ["boot", "conformance_esp32c3", "conformance_esp32"]
    tested = bundle(folder, [], artifact, 0, quiet, suites_of=names, chips=("esp32c3", "esp32"))
    assert [each for each in tested if not each.passed] == []
    return folder


def test_a_bundle_for_both_chips(for_both: Path) -> None:
    """Platform, firmware and expected transcripts of each; the ESP32's are the C3's with the identity of its own build."""
    for chip, machine in (("esp32c3", "EM_RISCV"), ("esp32", "EM_XTENSA")):
        for name in (f"{chip}.repl", f"{chip}.resc"):
            assert (for_both / name).is_file()
        for included in re.findall(r"\$ORIGIN/(\S+)", (for_both / f"{chip}.resc").read_text()):
            assert (for_both / included).is_file(), included
        for program in ("bearing_rig", "idle"):
            with (for_both / "work" / "firmware" / chip / f"{program}.elf").open("rb") as file:
                assert ELFFile(file)["e_machine"] == machine
    c3, other = (
        (for_both / "work" / "expected" / chip / "boot.txt").read_text().splitlines() for chip in ("esp32c3", "esp32")
    )
    assert len(c3) == len(other)
    assert 0 < sum(a != b for a, b in zip(c3, other, strict=True)) <= 4
    builds = [
        next(frame for frame in frames_in("\n".join(lines)) if isinstance(frame, Hello)).build_id
        for lines in (c3, other)
    ]
    assert builds[0] != builds[1]
    for build, lines in zip(builds, (c3, other), strict=True):
        assert f"build {build.upper()} " in "\n".join(lines)
    transcript.compare(other, other)
    with pytest.raises(AssertionError, match="differs"):
        transcript.compare(c3, other)


def test_a_bundle_runs_the_suites_of_the_chip(for_both: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_run, "HERE", for_both)
    assert bundle_run.chips() == ["esp32c3", "esp32"]
    for chip in bundle_run.chips():
        chosen = bundle_run.suites_for(chip)
        assert [path.stem for path in chosen] == ["boot", f"conformance_{chip}"]
        command = bundle_run.robot_command(Path("/renode"), chosen, Path("/results"), 1, chip)
        assert f"CHIP:{chip}" in command
    assert {path.stem for path in suites(chip="esp32")} == {path.stem for path in suites()} - {
        "conformance_esp32c3"
    } | {"conformance_esp32"}


def test_the_built_in_engine_says_which_chip_it_has() -> None:
    said = CliRunner().invoke(cli, ["e2e", "boot", "--chip", "esp32"])
    assert said.exit_code == 2
    assert "the built-in emulator has the esp32c3 only; --engine renode runs the esp32" in said.output


def run_bundle(folder: Path, results: Path, *names: str, **environment: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if name not in ("RENODE_HOME", "PYTHONPATH")}
    return subprocess.run(
        [sys.executable, str(folder / "run.py"), *names, "--results", str(results)],
        env=plain | {"XDG_CACHE_HOME": str(results), "PATH": "/usr/bin:/bin"} | environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_bundle_passes_on_a_stand_in_of_renode(packed: Path, tmp_path: Path) -> None:
    home = standin.lay_out(tmp_path / "renode_1.17.0")
    done = run_bundle(packed, tmp_path / "results", RENODE_HOME=str(home))
    assert done.returncode == 0, done.stdout + done.stderr
    tests = re.findall(r"^passed  (.+)$", done.stdout, re.MULTILINE)
    assert len(tests) > 20
    assert "Scenarios: short" in tests
    assert "FAILED" not in done.stdout


def test_consoles_are_kept_with_the_results(packed: Path, tmp_path: Path) -> None:
    home = standin.lay_out(tmp_path / "renode")
    locked = "--variable OPEN_FILES_ARE_LOCKED:True"  # as on Windows
    for again in ("", "-2"):
        done = run_bundle(packed, tmp_path / "the results", "boot", RENODE_HOME=str(home), ROBOT_OPTIONS=locked)
        assert done.returncode == 0, done.stdout + done.stderr
        kept = tmp_path / "the results" / "consoles" / f"Boot_Boots_And_Says_Who_It_Is{again}"
        assert sorted(path.name for path in kept.iterdir()) == ["uart0.log", "uart0.log.all", "uart1.log"]
        assert b"hello simtwin" in (kept / "uart0.log.all").read_bytes()


def test_renodes_own_runner_needs_no_variable_of_ours(packed: Path, tmp_path: Path) -> None:
    """It sets those below and no more (tests/robot_tests_provider.py of Renode 1.16.1 and its successors)."""
    home = standin.lay_out(tmp_path / "renode")
    port = free_port()
    with subprocess.Popen([home / "renode", "--robot-server-port", str(port)]) as process:
        variables = {
            "SKIP_RUNNING_SERVER": "True", "DIRECTORY": home, "PORT_NUMBER": port, "RESULTS_DIRECTORY": tmp_path / "results",
            "BINARY_NAME": "renode", "RENODE_PID": process.pid, "RENODEKEYWORDS": home / "tests" / "renode-keywords.robot",
            "RENODETOOLS": home / "tools",
        }  # fmt: skip
        settings = [piece for name, value in variables.items() for piece in ("--variable", f"{name}:{value}")]
        suites_here = sorted(map(str, (packed / "tests").glob("*.robot")))
        done = subprocess.run(
            [sys.executable, "-m", "robot", *settings, "--outputdir", str(tmp_path / "output"), *suites_here],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        process.terminate()
    assert done.returncode == 0, done.stdout


def test_a_renode_that_does_not_start_is_said_at_once(packed: Path, tmp_path: Path) -> None:
    home = standin.lay_out(tmp_path / "renode")
    (home / "renode").write_text("#!/bin/sh\necho a library is missing >&2\nexit 3\n")
    done = run_bundle(packed, tmp_path / "results", "boot", RENODE_HOME=str(home))
    assert done.returncode == 1
    assert "Renode did not start (exit code 3); it said:\na library is missing" in done.stderr
    (home / "bin").mkdir()
    (home / "bin" / "Renode.dll").write_text("")
    done = run_bundle(packed, tmp_path / "results", "boot", RENODE_HOME=str(home), PATH=str(tmp_path))
    assert done.returncode == 1
    assert "dotnet cannot be started: No such file or directory" in done.stderr


def test_a_transcript_that_differs_fails(packed: Path, tmp_path: Path) -> None:
    kept = packed / "work" / "expected" / "esp32c3" / "boot.txt"
    before = kept.read_text()
    kept.write_text(before.replace("imu 0 running", "imu 0 walking"))
    try:
        home = standin.lay_out(tmp_path / "renode")
        done = run_bundle(packed, tmp_path / "results", "boot", RENODE_HOME=str(home))
    finally:
        kept.write_text(before)
    assert done.returncode == 1
    assert "FAILED  Boot: Boots And Says Who It Is" in done.stdout
    assert "2 of 3 tests passed" in done.stdout


def test_without_renode_a_bundle_says_so(packed: Path, tmp_path: Path) -> None:
    done = run_bundle(packed, tmp_path / "results")
    assert done.returncode == 9
    assert "Renode is not here" in done.stderr
    done = run_bundle(packed, tmp_path / "results", RENODE_HOME=str(tmp_path))
    assert done.returncode == 9
    assert "RENODE_HOME is" in done.stderr
    home = standin.lay_out(tmp_path / "renode")
    done = run_bundle(packed, tmp_path / "results", "nosuch", RENODE_HOME=str(home))
    assert done.returncode == 2
    assert "no suite nosuch; there are bluetooth, boot" in done.stderr


def test_a_bundle_needs_nothing_of_simtwin(packed: Path) -> None:
    carried = [packed / "run.py", packed / "finder.py", *sorted((packed / "tests").glob("*.py"))]
    imported = {
        name.split(".")[0]
        for path in carried
        for name in re.findall(r"^\s*(?:from|import) ([\w.]+)", path.read_text(), re.MULTILINE)
    }
    assert imported - set(sys.stdlib_module_names) == {"finder", "robot", "psutil"}
    assert sorted(p.name for p in (packed / "peripherals").iterdir()) == sorted(
        p.name for p in (TESTS.parent / "peripherals").iterdir()
    )
    here = str(TESTS.parents[1]).encode()
    assert [path for path in packed.rglob("*") if path.is_file() and here in path.read_bytes()] == []


def test_renode_that_is_missing_is_said_at_once(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RENODE_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RenodeMissing, match="simtwin renode install"):
        on_renode(["boot"], [], artifact, None, 0, quiet)
    assert RenodeMissing.exit_code == 9


def test_suites_run_by_name_and_keep_robots_logs(artifact: Path, tmp_path: Path) -> None:
    tested = builtin(["boot"], artifact, tmp_path / "out", 0, quiet)
    assert [each.passed for each in tested] == [True] * 3
    assert (tmp_path / "out" / "log.html").is_file()
    with pytest.raises(RenodeError, match="no suite 'nosuch'; there are bluetooth, boot"):
        builtin(["nosuch"], artifact, None, 0, quiet)


@pytest.mark.slow
def test_long_suites_pass_on_the_built_in_emulator(artifact: Path) -> None:
    tested = builtin(LONG, artifact, None, 0, quiet)
    assert [each for each in tested if not each.passed] == []
    assert len(tested) == 6


@pytest.mark.slow
def test_suites_about_verdicts_pass_with_the_reference_model() -> None:
    from models.artifact import ArtifactError, reference

    try:
        reference("bearing_rig")
    except ArtifactError as error:
        pytest.skip(str(error))
    tested = builtin(["healthy", "faults", "sensors", "wear"], None, None, 0, quiet)
    assert [each for each in tested if not each.passed] == []
    assert len(tested) == 15


def test_both_engines_have_the_same_keywords() -> None:
    """Every keyword of the suites is there on both, and takes the same arguments."""
    on_builtin = {kw.name: kw.args for kw in LibraryDocumentation("renode.keywords.Keywords::.").keywords}
    on_builtin |= {kw.name: kw.args for kw in LibraryDocumentation(str(TESTS / "transcript.py")).keywords}
    resource = {kw.name: kw.args for kw in LibraryDocumentation(str(TESTS / "renode.resource")).keywords}
    for library in LIBRARIES:
        resource |= {kw.name: kw.args for kw in LibraryDocumentation(str(library)).keywords}
    common = {kw.name for kw in LibraryDocumentation(str(TESTS / "simtwin.resource")).keywords}
    own = {"Setup", "Teardown", "Reset Emulation", "Test Teardown", "Wait For Line On Uart", "Write Line To Uart"}
    own |= {"Register Failing Uart String"}  # Renode's
    robots = {"Should Contain", "Should Be True", "Evaluate", "Log To Console"}
    used = set()
    for path in suites():
        body = path.read_text().split("*** Test Cases ***")[1]
        defined = set(re.findall(r"^(\w[\w ]+)$", path.read_text(), re.MULTILINE))
        for line in re.findall(r"^    (?:\$\{\w+\}=    )?([A-Z]\w*(?: [\w]+)*)(?:    |$)", body, re.MULTILINE):
            if line not in defined:
                used.add(line)
    assert used <= set(on_builtin) | common | robots
    assert used <= set(resource) | common | own | robots
    for name in set(on_builtin) & set(resource):
        ours = [argument.name for argument in on_builtin[name]]
        theirs = [argument.name for argument in resource[name]]
        assert ours == theirs, name


def test_no_awaited_line_holds_an_equals_sign_and_no_suite_names_an_engine() -> None:
    """Robot takes `a=b` for a named argument."""
    for path in [*suites(), TESTS / "simtwin.resource"]:
        for line in path.read_text().splitlines():
            if line.strip().startswith(("Wait For", "Register Failing", "Transcript Should", "Write Line")):
                arguments = re.split(r" {2,}", line.strip())[1:]
                assert all("=" not in a or re.match(r"(timeout|treatAsRegex|waitForEcho)=", a) for a in arguments), line
        if path.suffix == ".robot":
            assert not re.search(r"builtin|renode", path.read_text().split("*** Settings ***")[1], re.IGNORECASE), path


def test_no_suite_passes_less_than_a_quantum_after_a_wait() -> None:
    """A wait may stop Renode within a quantum (10 ms); its RunFor goes to its end first and fails if that is too far."""
    for path in suites():
        if not path.stem.startswith("conformance"):  # waits for nothing
            for seconds in re.findall(r"^    Pass Time    (\S+)", path.read_text(), re.MULTILINE):
                assert float(seconds) >= 0.01, path


def test_what_the_suites_need_is_there() -> None:
    wanted = needs(suites())
    assert wanted.programs == ["bearing_rig", "idle"]
    assert {"bearing_rig_healthy", "bearing_rig_looseness", "sensor_spike", "three_imus"} <= set(wanted.scenarios)
    for name in wanted.scenarios:
        assert scenario_file(name).is_file()
    with pytest.raises(RenodeError, match=r"no nosuch\.yaml"):
        scenario_file("nosuch")


def test_samples_that_come_too_late_are_refused(packed: Path) -> None:
    """How many zeros there are by then would differ from engine to engine, and with it every window."""
    from renode.keywords import Keywords

    engine = Keywords(str(packed / "work"))
    engine.create_machine("bearing_rig")
    engine.wait_for_line_on_uart("ready imus")
    engine.pass_time(0.01)
    with pytest.raises(AssertionError, match="fed too late: imu0 has given 33 samples of nothing"):
        engine.feed_sensors("short")
