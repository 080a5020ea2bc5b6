#!/usr/bin/env python3
"""Run the suites of this bundle on Renode: `python3 run.py [SUITE...]`.

Needs Renode (1.17.0, or 1.16.1), Python 3.9 or newer and Renode's own Python requirements (tests/requirements.txt in its
folder); nothing of simtwin. Renode is looked for at RENODE_HOME, in the cache of `simtwin renode install`, on the PATH. Its
Robot server listens on all interfaces while the tests run. Exit code 0: all passed; 1: some failed; 9: something is missing.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MISSING = 9
START_S = 180
"""Renode's own runner waits as long for it to come up."""


def main(arguments: list[str] | None = None) -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(prog="run.py", description="Run the suites of this bundle on Renode.")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="names of tests/*.robot without the ending [all]")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="folder for Robot's logs [results]")
    parser.add_argument("--chip", choices=chips(), default=chips()[0], help="whose platform and firmware [%(default)s]")
    given = parser.parse_args(arguments)
    sys.path.insert(0, str(HERE))
    import finder

    try:
        renode = finder.find()
    except FileNotFoundError as error:
        return _missing(str(error))
    if renode is None:
        return _missing(
            "Renode is not here: set RENODE_HOME, put it on the PATH, or run "
            f"`simtwin renode install` (version {finder.VERSION})"
        )
    try:
        import psutil  # noqa: F401 - Renode's keywords import it
        import robot  # noqa: F401
    except ImportError as error:
        return _missing(
            f"Python package {error.name} is missing: pip install -r {renode.folder / 'tests' / 'requirements.txt'}"
        )
    suites = [HERE / "tests" / f"{name}.robot" for name in given.suites] or suites_for(given.chip)
    for suite in suites:
        if not suite.is_file():
            print(
                f"no suite {suite.stem}; there are {', '.join(sorted(p.stem for p in (HERE / 'tests').glob('*.robot')))}",
                file=sys.stderr,
            )
            return 2
    print(f"Renode: {' '.join(renode.command)} (by {renode.where})", flush=True)
    given.results.mkdir(parents=True, exist_ok=True)
    code = _run(renode, suites, given.results, given.chip)
    return 1 if code is None else _report(code, given.results)


def _missing(what: str) -> int:
    print(what, file=sys.stderr)
    return MISSING


def chips() -> list[str]:
    """Those that this bundle has firmware for, the ESP32-C3 first."""
    return sorted((path.name for path in (HERE / "work" / "firmware").glob("esp32*")), reverse=True) or ["esp32c3"]


def suites_for(chip: str) -> list[Path]:
    """All suites but those whose name ends in another chip's."""
    others = tuple(f"_{other}" for other in ("esp32c3", "esp32") if other != chip)
    return [path for path in sorted((HERE / "tests").glob("*.robot")) if not path.stem.endswith(others)]


def _run(renode: Any, suites: list[Path], results: Path, chip: str) -> int | None:
    """Start Renode, let Robot talk to it, stop it. Robot's exit code; None: Renode did not come up."""
    port = free_port()
    command = [*renode.command, "--disable-gui", "--hide-log", "--robot-server-port", str(port)]
    said = results / "renode.log"
    with said.open("wb") as log:
        try:
            process = subprocess.Popen(
                command, cwd=renode.folder, env=os.environ | {"RENODE_CI_MODE": "YES"},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        except OSError as error:
            print(f"{command[0]} cannot be started: {error.strerror}", file=sys.stderr)
            return None
        try:
            if _is_up(process, port):
                return subprocess.run(robot_command(renode.folder, suites, results, port, chip), check=False).returncode
            last = "\n".join(said.read_text(errors="replace").splitlines()[-20:])
            print(f"Renode did not start (exit code {process.poll()}); it said:\n{last}", file=sys.stderr)
            return None
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _is_up(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether somebody answers at the port before Renode ends or START_S have passed."""
    end = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("localhost", port), 1).close()
            return True
        except OSError:
            time.sleep(0.2)
    return False


def robot_command(folder: Path, suites: list[Path], results: Path, port: int, chip: str) -> list[str]:
    """How Robot is called beside a Renode that waits at this port."""
    variables = {
        "ENGINE": "renode",
        "CHIP": chip,
        "WORK": (HERE / "work").as_posix(),
        "SKIP_RUNNING_SERVER": "True",
        "PORT_NUMBER": str(port),
        "DIRECTORY": folder.as_posix(),
        "RESULTS_DIRECTORY": results.resolve().as_posix(),
        "RENODEKEYWORDS": (folder / "tests" / "renode-keywords.robot").as_posix(),
        "RENODETOOLS": (folder / "tools").as_posix(),
        "CREATE_SNAPSHOT_ON_FAIL": "False",
    }
    settings = [piece for name, value in variables.items() for piece in ("--variable", f"{name}:{value}")]
    return [
        sys.executable,
        "-m",
        "robot",
        *settings,
        "--outputdir",
        str(results),
        *map(str, suites),
    ]


def free_port() -> int:
    """A TCP port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tests_in(results: Path) -> list[tuple[str, str, str]]:
    """(suite, test, PASS or FAIL or SKIP with the message) of Robot's output."""
    from robot.api import ExecutionResult

    found = []
    result = ExecutionResult(str(results / "output.xml"))
    for test in result.suite.all_tests:
        status = "PASS" if test.status == "PASS" else f"{test.status} {test.message}"
        found.append((test.parent.name, test.name, status))
    return found


def _report(code: int, results: Path) -> int:
    """Say of every test whether it passed."""
    if not (results / "output.xml").is_file():
        print(f"Robot did not run (exit code {code}); see {results / 'renode.log'}", file=sys.stderr)
        return 1
    tests = tests_in(results)
    for suite, test, status in tests:
        print(f"{'passed' if status == 'PASS' else 'FAILED'}  {suite}: {test}")
    failed = sum(status != "PASS" for _, _, status in tests)
    print(f"{len(tests) - failed} of {len(tests)} tests passed; Robot's log: {results / 'log.html'}")
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
