"""Several scenarios one after the other, each with the firmware of its machine's model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from e2e.run import Outcome, check_fits, run, write
from emulator.machine import Debugger
from firmware.build import build
from models.artifact import Artifact, open_artifact, reference
from sim.progress import Progress
from sim.scenario.reader import load
from sim.scenario.realise import plan
from sim.scenario.schema import Scenario
from sim.simulate import new_folder


def run_all(
    scenarios: Sequence[Path],
    model: Path | None = None,
    out: Path | None = None,
    seed: int = 0,
    line: Callable[[float, str], None] | None = None,
    progress: Callable[[str], AbstractContextManager[Progress]] | None = None,
    debugger: Debugger | None = None,
) -> Iterator[Outcome]:
    """Run scenario files; yields the outcome of each as it is there.

    All files, models and firmwares are checked and built before the first run.

    Args:
        scenarios: YAML files.
        model: artifact for all of them; None: the reference of each scenario's machine.
        out: folder to make, with a folder of files (`e2e.run.write`) for every scenario; None: nothing is written.
        seed: of all draws.
        line: called with time and text of every line on the console.
        progress: shows how far the run of that name is, in seconds of machine time.
        debugger: of the first run.

    Raises:
        ScenarioError, ArtifactError, FirmwareError, MachineError, DatasetError: one line each, nothing is left behind.
    """
    loaded = [load(path, Scenario).model for path in scenarios]
    folders = [reference(scenario.machine.id) if model is None else model for scenario in loaded]
    artifacts: dict[Path, Artifact] = {}
    for scenario, folder in zip(loaded, folders, strict=True):
        if folder not in artifacts:
            artifacts[folder] = open_artifact(folder)
        check_fits(artifacts[folder], plan(scenario).draw(seed, scenario.name, 0))
    with ExitStack() as stack:
        work = Path(stack.enter_context(TemporaryDirectory(prefix="simtwin-e2e-")))
        elves = {folder: build(folder, work / str(n)).product for n, folder in enumerate(artifacts)}
        target = None if out is None else stack.enter_context(new_folder(out))
        for scenario, folder in zip(loaded, folders, strict=True):
            with nullcontext() if progress is None else progress(scenario.name) as update:
                elf, artifact = elves[folder], artifacts[folder]
                outcome = run(scenario, artifact, elf, seed=seed, progress=update, line=line, debugger=debugger)
            if target is not None:
                own = target / scenario.name
                own.mkdir()
                write(outcome, own)
            yield outcome
