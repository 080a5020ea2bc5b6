"""The suites on either engine, and the bundle that carries them to where only Renode is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from e2e.run import axes
from firmware.compiler import ChipName
from renode import run as bundle_run
from renode.errors import RenodeError, RenodeMissing
from renode.finder import VERSION, find
from renode.platform import FOLDER, PERIPHERALS, repl, resc
from renode.tests import transcript
from renode.work import IDLE, TESTS, Told, needs, prepare, scenario_file, suites
from sim.scenario.reader import load
from sim.scenario.schema import Scenario
from sim.simulate import new_folder

LIBRARIES = [TESTS / "bluetooth.py", TESTS / "transcript.py"]
SCENARIOS = "scenarios"
"""The suite that a bundle makes of scenario files."""


@dataclass(frozen=True)
class Tested:
    """One test that was run.

    Attributes:
        suite, name: which.
        passed: whether.
        message: what was wrong, "" if nothing.
    """

    suite: str
    name: str
    passed: bool
    message: str


def builtin(names: Sequence[str], model: Path | None, out: Path | None, seed: int, told: Told) -> list[Tested]:
    """Run suites on the built-in emulator.

    Args:
        names: suites; none: all.
        model: artifact for all machines; None: the reference of each.
        out: folder to make, for Robot's logs; None: nothing is kept.
        seed: of the twin.
        told: what is being done.

    Raises:
        ScenarioError, ArtifactError, FirmwareError, RenodeError, DatasetError: one line each; nothing is left behind.
    """
    chosen = suites(names)
    with TemporaryDirectory(prefix="simtwin-suites-") as name:
        folder = Path(name)
        _prepare(folder / "work", chosen, [], model, seed, told)
        if out is None:
            return run_builtin(chosen, folder / "work", folder / "results")
        with new_folder(out) as results:
            return run_builtin(chosen, folder / "work", results)


def on_renode(
    names: Sequence[str],
    scenarios: Sequence[Path],
    model: Path | None,
    out: Path | None,
    seed: int,
    told: Told,
    chip: ChipName = "esp32c3",
) -> list[Tested]:
    """Run suites, or the suite made of scenario files, on Renode; transcripts are held against the built-in emulator's.

    Arguments and errors as of `builtin`, `chip` is the one to run on, and:

    Raises:
        RenodeMissing: Renode is not here.
    """
    try:
        found = find()
    except FileNotFoundError as error:
        raise RenodeMissing(str(error)) from None
    if found is None:
        raise RenodeMissing(
            f"Renode is not here: `simtwin renode install` gets version {VERSION}, `simtwin doctor` says what was looked at"
        )
    with TemporaryDirectory(prefix="simtwin-renode-") as name:
        folder = Path(name) / "bundle"
        chips: tuple[ChipName, ...] = ("esp32c3",) if chip == "esp32c3" else ("esp32c3", chip)
        bundle(folder, scenarios, model, seed, told, suites_of=None if scenarios and not names else names, chips=chips)
        results = Path(name) / "results"
        told("running on Renode")
        code = subprocess.run(
            [sys.executable, str(folder / "run.py"), "--chip", chip, "--results", str(results)], check=False
        ).returncode
        if code == bundle_run.MISSING:
            raise RenodeMissing("Renode's Python requirements are missing; the line above says which")
        if not (results / "output.xml").is_file():
            raise RenodeError(f"Renode's tests did not run (exit code {code})")
        if out is not None:
            with new_folder(out) as kept:
                shutil.copytree(results, kept, dirs_exist_ok=True)
        return _tested(results)


def bundle(
    out: Path,
    scenarios: Sequence[Path],
    model: Path | None,
    seed: int,
    told: Told,
    *,
    suites_of: Sequence[str] | None = (),
    chips: Sequence[ChipName] = ("esp32c3",),
) -> list[Tested]:
    """Make a folder with all that runs the suites where only Renode, Python and Renode's Python requirements are.

    Args:
        out: folder to make.
        scenarios: files, each a test of the suite `scenarios`: the whole run, compared line by line.
        model: artifact for all machines; None: the reference of each.
        seed: of the twin.
        told: what is being done.
        suites_of: names of the suites to take; empty: all; None: none but that of the scenarios.
        chips: the ESP32-C3, whose transcripts the built-in emulator makes, and others that can then be run on Renode.

    Returns:
        The tests on the built-in emulator, whose transcripts the bundle expects.

    Raises:
        ScenarioError, ArtifactError, FirmwareError, RenodeError, DatasetError: one line each; nothing is left behind.
    """
    chosen = [] if suites_of is None else _chosen(suites_of, chips)
    with new_folder(out) as folder:
        tests = folder / "tests"
        tests.mkdir()
        for path in [*chosen, *sorted(TESTS.glob("*.resource")), *LIBRARIES]:
            shutil.copy(path, tests)
        platforms = [path for chip in chips for path in (repl(chip), resc(chip))]
        for path in (*platforms, FOLDER / "run.py", FOLDER / "finder.py"):
            shutil.copy(path, folder)
        shutil.copytree(PERIPHERALS, folder / PERIPHERALS.name)
        if scenarios:
            (tests / f"{SCENARIOS}.robot").write_text(
                scenario_suite([load(path, Scenario).model for path in scenarios])
            )
        builds = _prepare(folder / "work", chosen, scenarios, model, seed, told, chips)
        told("running the suites on the built-in emulator")
        with TemporaryDirectory(prefix="simtwin-results-") as results:
            here = [path for path in sorted(tests.glob("*.robot")) if not path.stem.endswith("_esp32")]
            tested = run_builtin(here, folder / "work", Path(results))
        expected = folder / "work" / "expected"
        for chip in chips[1:]:
            (expected / chip).mkdir()
            of_builds = {builds["esp32c3"][machine]: build for machine, build in builds[chip].items()}
            for kept in (expected / "esp32c3").glob("*.txt"):
                (expected / chip / kept.name).write_text(transcript.rebuilt(kept.read_text(), of_builds))
        (folder / "README.txt").write_text(_readme(tested))
    return tested


def scenario_suite(scenarios: Sequence[Scenario]) -> str:
    """A Robot suite that runs each scenario to the end and compares what the firmware said."""
    lines = [
        "*** Settings ***",
        "Suite Setup       Setup",
        "Suite Teardown    Teardown",
        "Test Setup        Reset Emulation",
        "Test Teardown     Test Teardown",
        "Resource          ${CURDIR}/simtwin.resource",
        "",
        "*** Test Cases ***",
    ]
    for scenario in scenarios:
        duration_s = sum(segment.duration_s for segment in scenario.operation.plan())
        mounted = [axes(sensor) for sensor in scenario.sensors] if scenario.fusion == "median" else []
        lines += [
            scenario.name,
            "    ".join(["", "Start Monitoring", scenario.machine.id, str(len(scenario.sensors)), *mounted]),
            f"    Feed Sensors    {scenario.name}",
            f"    Pass Time    {duration_s - 0.1:g}",
            f"    Keep Transcript    {scenario.name}-run",
            "",
        ]
    return "\n".join(lines)


def run_builtin(paths: Sequence[Path], work: Path, results: Path) -> list[Tested]:
    """Run Robot on suite files with the built-in engine, in a process of its own.

    Args:
        paths: suites.
        work: as `renode.work.prepare` fills it; transcripts that it has not are kept there.
        results: folder for Robot's logs.
    """
    command = [sys.executable, "-m", "robot", "--variable", "ENGINE:builtin", "--variable", f"WORK:{work.resolve()}"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(FOLDER.parent), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [*command, "--outputdir", str(results), "--console", "none", *map(str, paths)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if not (results / "output.xml").is_file():
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise RenodeError(f"Robot did not run (exit code {done.returncode}): {last}")
    return _tested(results)


def _tested(results: Path) -> list[Tested]:
    return [
        Tested(suite, name, status == "PASS", "" if status == "PASS" else status.partition(" ")[2])
        for suite, name, status in bundle_run.tests_in(results)
    ]


def _prepare(
    work: Path,
    chosen: Sequence[Path],
    scenarios: Sequence[Path],
    model: Path | None,
    seed: int,
    told: Told,
    chips: Sequence[ChipName] = ("esp32c3",),
) -> dict[ChipName, dict[str, str]]:
    wanted = needs(chosen)
    files = {path.stem: path for path in (*map(scenario_file, wanted.scenarios), *scenarios)}
    return prepare(work, [name for name in wanted.programs if name != IDLE], files.values(), model, seed, told, chips)


def _chosen(names: Sequence[str], chips: Sequence[ChipName]) -> list[Path]:
    """Suites by name, or all that are for one of the chips."""
    return list(dict.fromkeys(path for chip in chips for path in suites(names, chip)))


def _readme(tested: Sequence[Tested]) -> str:
    failed = [f"  {each.suite}: {each.name}: {each.message.splitlines()[0]}\n" for each in tested if not each.passed]
    return (
        "simtwin's Robot suites for Renode, with all that they need: firmware (work/firmware), sensor data (work/feeds),\n"
        "platform (*.repl, *.resc, peripherals), expected transcripts (work/expected).\n\n"
        f"    python3 run.py [--chip CHIP] [SUITE...]      needs Renode {VERSION} or 1.16.1 and its Python requirements\n\n"
        "or, with Renode's own runner, `renode-test tests/*.robot`. When a test fails, results/ has Robot's logs and what\n"
        "the UARTs sent: send it back. The transcripts are those of the built-in emulator, where "
        f"{len(tested) - len(failed)} of {len(tested)} tests passed.\n"
        + ("These failed there:\n" if failed else "")
        + "".join(failed)
    )
