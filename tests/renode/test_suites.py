"""The suites on the built-in engine and, through a stand-in of its server, by the way they take on Renode."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("unicorn", reason="no Unicorn: pip install simtwin[firmware]")
pytest.importorskip("ziglang", reason="no zig: pip install simtwin[firmware]")
pytest.importorskip("robot", reason="no Robot Framework: pip install simtwin[firmware]")

from robot.libdocpkg import LibraryDocumentation

from renode.errors import RenodeError, RenodeMissing
from renode.suites import builtin, bundle, on_renode
from renode.work import TESTS, needs, scenario_file, suites
from tests.renode import made, standin

QUICK, LONG = ["boot", "conformance_esp32c3"], ["several", "verdicts", "wires"]
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
    base = tmp_path_factory.mktemp("bundle")
    (base / "short.yaml").write_text(SHORT.replace("MACHINES", str(scenario_file("demo").parent / "machines")))
    tested = bundle(base / "bundle", [base / "short.yaml"], artifact, 0, quiet, suites_of=QUICK)
    assert [each for each in tested if not each.passed] == []
    assert len(tested) > 20
    expected = (base / "bundle" / "work" / "expected" / "short-run.txt").read_text()
    assert "alert sensor 1 raised stuck" in expected
    return base / "bundle"


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


def test_a_transcript_that_differs_fails(packed: Path, tmp_path: Path) -> None:
    kept = packed / "work" / "expected" / "boot.txt"
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
    assert "no suite nosuch; there are boot" in done.stderr


def test_a_bundle_needs_nothing_of_simtwin(packed: Path) -> None:
    carried = [packed / "run.py", packed / "finder.py", packed / "tests" / "transcript.py"]
    imported = {
        name.split(".")[0]
        for path in carried
        for name in re.findall(r"^\s*(?:from|import) ([\w.]+)", path.read_text(), re.MULTILINE)
    }
    assert imported - set(sys.stdlib_module_names) == {"finder", "robot", "psutil"}
    assert sorted(p.name for p in (packed / "peripherals").iterdir()) == sorted(
        p.name for p in (TESTS.parent / "peripherals").iterdir()
    )


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
    with pytest.raises(RenodeError, match="no suite 'nosuch'; there are boot"):
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
    resource |= {kw.name: kw.args for kw in LibraryDocumentation(str(TESTS / "transcript.py")).keywords}
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


def test_what_the_suites_need_is_there() -> None:
    wanted = needs(suites())
    assert wanted.programs == ["bearing_rig", "idle"]
    assert {"bearing_rig_healthy", "bearing_rig_looseness", "sensor_spike", "three_imus"} <= set(wanted.scenarios)
    for name in wanted.scenarios:
        assert scenario_file(name).is_file()
    with pytest.raises(RenodeError, match=r"no nosuch\.yaml"):
        scenario_file("nosuch")
