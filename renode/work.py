"""What the suites work on: firmware, feeds, and what the host says of the same samples. One folder, for every engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from e2e.run import check_fits
from firmware.build import build
from firmware.compiler import CHIPS, ChipName
from firmware.host import Core
from models.artifact import Artifact, open_artifact, reference
from models.preprocessing import Preprocessing
from renode.errors import RenodeError
from renode.feed import feed
from renode.idle import write_idle
from renode.platform import FOLDER
from sim.scenario.reader import load
from sim.scenario.realise import plan
from sim.scenario.schema import Scenario

TESTS = FOLDER / "tests"
SHIPPED = FOLDER.parent / "scenarios"
IDLE = "idle"

Told = Callable[[str], None]
"""Told what is being done."""


@dataclass(frozen=True)
class Needs:
    """What suites need: names of programs (machines) and of scenarios."""

    programs: list[str]
    scenarios: list[str]


def suites(names: Sequence[str] = (), chip: ChipName = "esp32c3") -> list[Path]:
    """Suites by name; without names all that are for the chip: those whose name ends in another's are not.

    Raises:
        RenodeError: no such suite.
    """
    known = {path.stem: path for path in sorted(TESTS.glob("*.robot"))}
    for name in names:
        if name not in known:
            raise RenodeError(f"no suite {name!r}; there are {', '.join(known)}")
    if names:
        return [known[name] for name in names]
    others = tuple(f"_{other}" for other in CHIPS if other != chip)
    return [path for name, path in known.items() if not name.endswith(others)]


def needs(paths: Iterable[Path]) -> Needs:
    """The programs and scenarios that suites name."""
    programs: set[str] = set()
    scenarios: set[str] = set()
    for path in paths:
        text = path.read_text()
        programs |= set(re.findall(r"^    (?:Create Machine|Start Monitoring)    (\w+)", text, re.MULTILINE))
        scenarios |= set(re.findall(r"^    Feed Sensors    (\w+)", text, re.MULTILINE))
        if "Test Template" in text:  # the first column of the table
            scenarios |= set(re.findall(r"^\w[^*\n]*?\S {2,}(\w+) {2,}\w+$", text, re.MULTILINE))
    return Needs(sorted(programs), sorted(scenarios))


def scenario_file(name: str) -> Path:
    """The file of a scenario that a suite names: one of the project's, or of the suites' own.

    Raises:
        RenodeError: there is none.
    """
    for folder in (TESTS / "scenarios", SHIPPED):
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    raise RenodeError(f"a suite feeds `{name}`; there is no {name}.yaml in {TESTS / 'scenarios'} or {SHIPPED}")


def prepare(
    folder: Path,
    programs: Iterable[str],
    scenarios: Iterable[Path],
    model: Path | None,
    seed: int,
    told: Told,
    chips: Sequence[ChipName] = ("esp32c3",),
) -> dict[ChipName, dict[str, str]]:
    """Fill a folder: firmware/CHIP/NAME.elf, feeds/NAME/, expected/NAME.verdicts.

    Args:
        folder: to fill; made if it is not there.
        programs: machines by id, or `idle`.
        scenarios: files.
        model: artifact for all machines; None: the reference of each.
        seed: of all draws.
        told: what is being done.
        chips: for which firmware is built.

    Returns:
        By chip and machine, the identity of the firmware's build.

    Raises:
        ScenarioError, ArtifactError, FirmwareError, RenodeError: one line each.
    """
    for chip in chips:
        (folder / "firmware" / chip).mkdir(parents=True, exist_ok=True)
        write_idle(folder / "firmware" / chip / f"{IDLE}.elf", chip)
    (folder / "expected").mkdir(exist_ok=True)
    builds: dict[ChipName, dict[str, str]] = {chip: {} for chip in chips}
    loaded = [load(path, Scenario).model for path in scenarios]
    machines = sorted({*programs, *(scenario.machine.id for scenario in loaded)} - {IDLE})
    models = {machine: open_artifact(reference(machine) if model is None else model) for machine in machines}
    for scenario in loaded:
        check_fits(models[scenario.machine.id], plan(scenario).draw(seed, scenario.name, 0))
    with TemporaryDirectory(prefix="simtwin-renode-") as name:
        cores: dict[str, Core] = {}
        for machine, artifact in models.items():
            work = Path(name) / machine
            for chip in chips:
                told(f"building the firmware of {machine} for the {chip}")
                built = build(artifact.folder, work / chip, chip)
                (folder / "firmware" / chip / f"{machine}.elf").write_bytes(built.product.read_bytes())
                builds[chip][machine] = built.build_id
            cores[machine] = Core(build(artifact.folder, work / "host", "host").product)
        for scenario in loaded:
            told(f"simulating {scenario.name}")
            artifact = models[scenario.machine.id]
            gyro = any(channel.endswith("_dps") for channel in artifact.preprocessing.channels)
            fed = feed(scenario, folder / "feeds" / scenario.name, seed, gyro=gyro)
            if len(fed.counts) == 1:
                lines = host_verdicts(cores[scenario.machine.id], artifact, fed.counts[0])
                text = "".join(f"{number} {level} {state}\n" for number, level, state in lines)
                (folder / "expected" / f"{scenario.name}.verdicts").write_text(text)
    return builds


def host_verdicts(core: Core, artifact: Artifact, counts: NDArray[np.int16]) -> list[tuple[int, int, int]]:
    """Number, level and class of every window of a stream, by the firmware's C on this machine.

    Args:
        core: the host's build of the artifact's firmware.
        artifact: the model.
        counts: (n, 6), accelerometer and gyroscope x, y, z.
    """
    windows = windows_of(artifact.preprocessing, counts)
    inputs = core.preprocess(windows, artifact.preprocessing.length)
    answers = core.infer(inputs, inputs[0].size if artifact.reconstructs else len(artifact.classes))
    found = []
    for number, (row, answer) in enumerate(zip(inputs, answers, strict=True), start=1):
        level, _, state, _ = core.verdict(row, answer, artifact.threshold_int8)
        found.append((number, level, state))
    return found


def windows_of(preprocessing: Preprocessing, counts: NDArray[np.int16]) -> NDArray[np.int16]:
    """The windows of a stream in the model's channels: (windows, window, channels)."""
    order = [f"accel_{axis}_g" for axis in "xyz"] + [f"gyro_{axis}_dps" for axis in "xyz"]
    chosen = counts[:, [order.index(channel) for channel in preprocessing.channels]]
    starts = range(0, len(chosen) - preprocessing.window + 1, preprocessing.hop)
    return np.stack([chosen[start : start + preprocessing.window] for start in starts])
