from __future__ import annotations

import hashlib
import json
import math
import re
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import Field, field_validator, model_validator

from sim.errors import ScenarioError
from sim.scenario import reader
from sim.scenario.quantity import Quantity, Uniform, span
from sim.scenario.reader import Include, canonical, content_hash, load, read, read_text
from sim.scenario.spec import Spec


class Imbalance(Spec):
    kind: Literal["imbalance"]
    id: str | None = None
    unbalance_g_mm: Annotated[float, Quantity(ge=0, le=1e5)]
    phase_rad: Annotated[float, Quantity(ge=0, lt=6.3)] | None = None


class Wear(Spec):
    kind: Literal["bearing_wear"]
    width_mm: Annotated[float, Quantity(gt=0, lt=5)] = 1.0
    n_balls: Annotated[int, Field(ge=3, le=50)] = 8


class Rotor(Spec):
    mass_kg: Annotated[float, Quantity(gt=0)]
    inner_mm: Annotated[float, Quantity(ge=0)] = 0.0
    outer_mm: Annotated[float, Quantity(gt=0)] = 20.0

    @model_validator(mode="after")
    def _ring(self) -> Self:
        if span(self.inner_mm)[1] >= span(self.outer_mm)[0]:
            raise ValueError("`inner_mm` must be\nsmaller than `outer_mm`")
        return self


class Coupling(Enum):
    RIGID = "rigid"
    JAW = "jaw"


class Machine(Spec):
    rotor: Annotated[Rotor, Include()]
    coupling: Coupling = Coupling.RIGID
    speeds_rpm: tuple[Annotated[float, Quantity(ge=0)], float] = (0.0, 1.0)
    spare: Annotated[Machine, Include()] | None = None


class Sensor(Spec):
    id: str
    range_g: Literal[2, 4, 8] = 4
    top_g: float = Field(default_factory=lambda data: data["range_g"])
    axes: tuple[str, ...] = ("x", "y", "z")

    @field_validator("id")
    @classmethod
    def _word(cls, value: str) -> str:
        if " " in value:
            raise ValueError("an id has no blanks")
        return value


Fault = Annotated[Imbalance | Wear, Field(discriminator="kind")]


class Rig(Spec):
    machine: Annotated[Machine, Include()] | None = None
    speed_rpm: Annotated[float, Quantity(ge=0, le=60000)] = 1000.0
    faults: list[Fault] = Field(default=[])
    main_fault: Fault | None = None
    sensors: dict[str, Sensor] = Field(default={})
    note: str = ""
    runs: int = 1
    enabled: bool = True
    gain: float | None = None
    part: int | Rotor | None = None
    rotors: list[Annotated[Rotor, Include()]] = Field(default=[], max_length=3)


class Holder(Spec):
    value: Any = None


VALID = """\
# a rig
machine:
  rotor: &rotor {mass_kg: 2.5, inner_mm: 1}
  coupling: jaw
  speeds_rpm: [0, 3e3]
speed_rpm: {uniform: [900, 1100]}
faults:
  - kind: imbalance
    id: heavy
    unbalance_g_mm: {loguniform: [1, 1e3]}
  - kind: bearing_wear
    width_mm: {choice: [0.5, 1]}
    n_balls: 9
main_fault: {kind: imbalance, unbalance_g_mm: {normal: [10, 2]}}
sensors:
  drive: {id: a, range_g: 8, axes: [x, y]}
  fan:
    id: "b"
note: 'two words'
runs: 1e2
enabled: false
rotors:
  - *rotor
  - <<: *rotor
    outer_mm: 30
"""


def problems(text: str, model: type[Spec] = Rig) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        read_text(text, model, "rig.yaml")
    return str(caught.value).split("\n")


def test_a_valid_scenario() -> None:
    rig = read_text(VALID, Rig)
    assert rig.machine is not None
    assert rig.machine.rotor == Rotor(mass_kg=2.5, inner_mm=1)
    assert rig.machine.coupling is Coupling.JAW
    assert rig.machine.speeds_rpm == (0.0, 3000.0)
    assert vars(rig)["speed_rpm"] == Uniform((900.0, 1100.0))
    assert [type(fault).__name__ for fault in rig.faults] == ["Imbalance", "Wear"]
    assert rig.sensors["drive"].axes == ("x", "y")
    assert (rig.note, rig.runs, rig.enabled) == ("two words", 100, False)
    assert rig.rotors == [rig.machine.rotor, Rotor(mass_kg=2.5, inner_mm=1, outer_mm=30)]


SPEED = "a finite number >= 0 and <= 60000 or one of {uniform: [...], loguniform: [...], normal: [...], choice: [...]}"
DIGITS = "write digits alone: the unit is part of the key, and there are no separators"
RIG_KEYS = "machine, speed_rpm, faults, main_fault, sensors, note, runs, enabled, gain, part, rotors"

MISTAKES = r"""
# unknown keys and units
speed_rmp: 5 => 1: speed_rmp = 5: unknown key (did you mean `speed_rpm`?)
Speed-RPM: 5 => 1: Speed-RPM = 5: unknown key (did you mean `speed_rpm`?)
\nspeed_hz: 5 => 2: speed_hz = 5: unknown key; wrong unit: this key is in rpm (did you mean `speed_rpm`?)
speed: 5 => 1: speed = 5: unknown key; the unit is missing: this key is in rpm (did you mean `speed_rpm`?)
gain_db: 5 => 1: gain_db = 5: unknown key; this key takes no unit (did you mean `gain`?)
zzz: [1, 2] => 1: zzz = [1, 2]: unknown key; must be one of $KEYS
a.b: 1 => 1: 'a.b' = 1: unknown key; must be one of $KEYS
faults:\n- kind: imbalance\n  unbalance_kg_m: 3 => 3: faults[0].unbalance_kg_m = 3: unknown key; wrong unit: this key is in g_mm (did you mean `unbalance_g_mm`?)
faults: [{kind: imbalance, unbalance_g: 3}] => 1: faults[0].unbalance_g = 3: unknown key; wrong unit: this key is in g_mm (did you mean `unbalance_g_mm`?)
main_fault: {kind: imbalance, unbalance: 3} => 1: main_fault.unbalance = 3: unknown key; the unit is missing: this key is in g_mm (did you mean `unbalance_g_mm`?)
# missing keys: the line of the mapping that lacks them
note: a\nmachine:\n  coupling: jaw => 2: machine.rotor: missing; needs a mapping or the name of a .yaml file
faults:\n  -\n    kind: bearing_wear\n  -\n    {} => 5: faults[1].kind: missing; needs one of imbalance, bearing_wear
faults:\n- kind: imbalance => 2: faults[0].unbalance_g_mm: missing; needs a finite number >= 0 and <= 100000
sensors:\n  a:\n    range_g: 2 => 2: sensors.a.id: missing; needs a text
# tags and enums
faults:\n- kind: imbalence => 2: faults[0].kind = imbalence: must be one of imbalance, bearing_wear (did you mean `imbalance`?)
main_fault:\n  kind: 5 => 2: main_fault.kind = 5: must be one of imbalance, bearing_wear
sensors: {a: {id: a, range_g: 3}} => 1: sensors.a.range_g = 3: must be one of 2, 4, 8
machine: {rotor: {mass_kg: 1}, coupling: jam} => 1: machine.coupling = jam: must be one of rigid, jaw (did you mean `jaw`?)
# wrong types
faults: 5 => 1: faults = 5: must be a list
machine: [] => 1: machine = []: must be a mapping or the name of a .yaml file
runs: 1.5 => 1: runs = 1.5: must be an integer
runs: '5' => 1: runs = '5': must be an integer; remove the quotes
runs: {choice: [1, 2]} => 1: runs = {choice: [1, 2]}: must be an integer; this key takes no distribution
enabled: on => 1: enabled = on: must be true or false
enabled: yes => 1: enabled = yes: must be true or false
gain: 1e999 => 1: gain = 1e999: must be a finite number
gain: .NAN => 1: gain = .NAN: must be a finite number
part: rotor.yaml => 1: part = rotor.yaml: must be an integer or a mapping
main_fault: rotor.yaml => 1: main_fault = rotor.yaml: must be a mapping
part: {mass_kg: 0} => 1: part.mass_kg = 0: must be > 0
- 1 => 1: must be a mapping
\n\njust text => 3: must be a mapping
# quantities
speed_rpm: 60001 => 1: speed_rpm = 60001: must be >= 0 and <= 60000
speed_rpm: .nan => 1: speed_rpm = .nan: expected $SPEED
speed_rpm: => 1: speed_rpm = (empty): expected $SPEED
speed_rpm: 5 rpm => 1: speed_rpm = 5 rpm: expected $SPEED; $DIGITS
speed_rpm: 1_000 => 1: speed_rpm = 1_000: expected $SPEED; $DIGITS
speed_rpm: {uniform: [-1, 5]} => 1: speed_rpm = {uniform: [-1, 5]}: every value that can be drawn must be >= 0 and <= 60000
speed_rpm: {unifrom: [1, 5]} => 1: speed_rpm = {unifrom: [1, 5]}: unknown distribution; expected $SPEED (did you mean `uniform`?)
# validators and pydantic's own constraints
\npart:\n  mass_kg: 1\n  inner_mm: 20 => 2: part: `inner_mm` must be smaller than `outer_mm`
sensors:\n  a:\n    id: b c => 3: sensors.a.id = b c: an id has no blanks
faults: [{kind: bearing_wear, n_balls: 2}] => 1: faults[0].n_balls = 2: must be greater than or equal to 3
# YAML
note: a\n---\nnote: b => 3: a second document starts here; a file holds one
note: a\nruns: 1\nnote: b => 3: note = b: this key is given twice, first in line 1; remove one
machine:\n\trotor: 1 => 2: not valid YAML: found character that cannot start any token, while scanning for the next token; indent with spaces, not tabs
note: 'a => 1: not valid YAML: found unexpected end of stream, while scanning a quoted scalar
note: a: b => 1: not valid YAML: mapping values are not allowed in this context
note: !!python/object:os.system ls => 1: note = 'ls': tags (words that start with `!`) are not allowed
note: *a => 1: *a stands for nothing: no complete value is marked &a
faults: &a [*a] => 1: *a stands for nothing: no complete value is marked &a
? [a]\n: b => 1: a key must be a word, not a list or a mapping
part:\n  <<: 5\n  mass_kg: 1 => 2: part.<< = 5: must be an alias of a mapping, or a list of such
# what is shown
runs: {a: 1, b: [2, 3, {c: 4}]} => 1: runs = {a: 1, b: [2, 3, {c: 4}]}: must be an integer
"""  # noqa: E501


def table(lines: str) -> list[tuple[str, ...]]:
    return [tuple(line.split(" => ")) for line in lines.splitlines() if line and not line.startswith("# ")]


@pytest.mark.parametrize(("text", "expected"), table(MISTAKES))
def test_one_mistake_one_line(text: str, expected: str) -> None:
    text = text.replace(r"\n", "\n").replace(r"\t", "\t")
    for name, long in (("$SPEED", SPEED), ("$DIGITS", DIGITS), ("$KEYS", RIG_KEYS)):
        expected = expected.replace(name, long)
    assert problems(text) == [f"rig.yaml:{expected}"]


ODD = [
    ("", "1: the file is empty"),
    ("# nothing\n---\n", "1: the file is empty"),
    ("note: a\0b", "1: the character U+0000 is not allowed"),
    ("a: 1\nnote: \x1b[31m", "2: the character U+001B is not allowed"),
    ("note: \u2028", "1: the character U+2028 is not allowed"),
    ('runs: "a\\nb\\e"', "1: runs = 'a\\nb\\x1b': must be an integer"),
    ("runs: " + "x" * 100, "1: runs = " + "x" * 57 + "...: must be an integer"),
]


@pytest.mark.parametrize(("text", "expected"), ODD)
def test_odd_characters(text: str, expected: str) -> None:
    assert problems(text) == [f"rig.yaml:{expected}"]


@pytest.mark.parametrize("parser", [yaml.SafeLoader, reader._Parser])
def test_half_a_character(parser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_Parser", parser)
    (line,) = problems('\nnote: "\\ud800"')
    assert re.match("rig.yaml:2: (an escape for half a character|not valid YAML: found invalid Unicode)", line)


def test_all_mistakes_are_told_sorted_by_line_and_counted_after_twenty() -> None:
    text = "faults:\n" + "".join(f"- {{kind: bearing_wear, n_balls: {n}}}\n" for n in (*range(25), -1)) + "zzz: 1\n"
    found = problems(text)
    wrong = [2, 3, 4, 27]  # n_balls 0, 1, 2 and -1
    assert [int(line.split(":")[1]) for line in found] == [*wrong, 28]

    found = problems("".join(f"zzz{n}: 1\n" for n in range(26)))
    assert [int(line.split(":")[1]) for line in found[:-1]] == list(range(1, 21))
    assert found[-1] == "... and 6 more"


def test_the_value_of_an_alias_is_reported_where_it_is_used_and_its_inside_where_it_stands() -> None:
    text = "machine:\n  rotor: &r\n    mass_kg: -1\npart: *r\nruns: &t [1]\ngain: *t\n"
    assert problems(text) == [
        "rig.yaml:3: machine.rotor.mass_kg = -1: must be > 0",
        "rig.yaml:3: part.mass_kg = -1: must be > 0",
        "rig.yaml:5: runs = [1]: must be an integer",
        "rig.yaml:6: gain = [1]: must be a finite number",
    ]


def test_merged_keys_give_way_to_own_keys_and_to_earlier_mappings() -> None:
    text = "rotors:\n- &a {mass_kg: 1, inner_mm: 2}\n- &b {mass_kg: 5, inner_mm: 6, outer_mm: 7}\n"
    text += "- {<<: [*a, *b], inner_mm: 3}\n"
    assert read_text(text, Rig).rotors[2] == Rotor(mass_kg=1, inner_mm=3, outer_mm=7)


SCALARS = [
    # the examples of YAML 1.2.2, section 10.3.2 (core schema)
    ("[null, Null, NULL, ~, ]", [None] * 4),
    ("[true, True, TRUE, false, False, FALSE]", [True] * 3 + [False] * 3),
    ("[0, 0o7, 0x3A, -19]", [0, 7, 58, -19]),
    ("[0., -0.0, .5, +12e03, -2E+05]", [0, 0, 0.5, 12000, -200000]),
    ("[.inf, -.Inf, +.INF]", [math.inf, -math.inf, math.inf]),
    # what YAML 1.1 takes for something else
    ("[on, off, yes, No, y, n]", ["on", "off", "yes", "No", "y", "n"]),
    ("[2024-01-01, 12:30:00, 1_000, 0b11, 1:30]", ["2024-01-01", "12:30:00", "1_000", "0b11", "1:30"]),
    ("[1e3, 010, 12345678901234567890]", [1000, 10, 12345678901234567890]),
    ("['1', \"true\", '']", ["1", "true", ""]),
    ("|\n  two\n  lines\n", "two\nlines\n"),
    ("{1: a, true: b, null: c}", {"1": "a", "true": "b", "null": "c"}),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_scalars(text: str, value: object) -> None:
    assert read_text(f"value: {text}", Holder).value == value


TEXT = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" \t\n\b\0"), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300)
@given(JSON)
def test_json_is_yaml(value: object) -> None:
    text = json.dumps({"value": value}, ensure_ascii=False)
    assert read_text(text, Holder).value == value
    assert read_text("\ufeff" + text, Holder).value == value


LAUGHS = "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 10 if n else '1,' * 10}]\n" for n in range(100))
CHAIN = "".join(f"a{n}: &a{n} [{f'*a{n - 1}' if n else ''}]\n" for n in range(100))
MANY = "more than 100000 keys and values (an alias counts as often as it is used)"
DEEP = "more than 32 levels of values inside each other"
BOMBS = {
    "laughs": (LAUGHS, 5, MANY),
    "long": ("value: [" + "1," * 100_000 + "]", 1, MANY),
    "chain": (CHAIN, 32, DEEP),
    "indents": ("".join(" " * n + "a:\n" for n in range(1000)), 32, DEEP),
} | {start: (start * 100_000, 1, DEEP) for start in ("[", "{a: ", "- ", "? ")}


@pytest.mark.parametrize(("text", "line", "what"), BOMBS.values(), ids=BOMBS)
@pytest.mark.parametrize("parser", [yaml.SafeLoader, reader._Parser])
def test_bombs(parser: Any, text: str, line: int, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_Parser", parser)
    assert problems(text) == [f"rig.yaml:{line}: {what}"]


def test_as_deep_as_allowed() -> None:
    assert read_text("value: " + "[" * 30 + "1" + "]" * 30, Holder).value is not None
    assert problems("value: " + "[" * 31 + "1" + "]" * 31)[0].endswith("inside each other")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def file_problems(name: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        read(name, Rig)
    return str(caught.value).split("\n")


def test_load_lists_what_was_read_with_its_sha256(folder: Path) -> None:
    Path("machines").mkdir()
    texts = {
        "rig.yaml": "machine: machines/big.yaml\nrotors: [machines/rotor.yml, machines/rotor.yml, {mass_kg: 3}]\n",
        "machines/big.yaml": "rotor: rotor.yml\nspare:\n  rotor: rotor.yml\n",
        "machines/rotor.yml": "\ufeffmass_kg: 7\n",
    }
    for name, text in texts.items():
        Path(name).write_text(text, encoding="utf-8")
    loaded = load("rig.yaml", Rig)
    rotor = Rotor(mass_kg=7)
    machine = Machine(rotor=rotor, spare=Machine(rotor=rotor))
    assert loaded.model == Rig(machine=machine, rotors=[rotor, rotor, Rotor(mass_kg=3)])
    assert list(loaded.files) == list(texts)
    assert loaded.files == {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}


def test_mistakes_in_an_included_file_name_that_file(folder: Path) -> None:
    Path("machines").mkdir()
    Path("rig.yaml").write_text("zzz: 1\nmachine: machines/big.yaml\nruns: x\n")
    Path("machines/big.yaml").write_text("# big\ncoupling: jam\nrotor:\n  mass_g: 5\n  mass_g: 6\n")
    assert file_problems("rig.yaml") == [
        f"rig.yaml:1: zzz = 1: unknown key; must be one of {RIG_KEYS}",
        "rig.yaml:3: runs = x: must be an integer",
        "machines/big.yaml:2: machine.coupling = jam: must be one of rigid, jaw (did you mean `jaw`?)",
        "machines/big.yaml:4: machine.rotor.mass_g = 5: unknown key; wrong unit: this key is in kg "
        "(did you mean `mass_kg`?)",
        "machines/big.yaml:5: machine.rotor.mass_g = 6: this key is given twice, first in line 4; remove one",
    ]


BAD_INCLUDES = r"""
{} => machine.rotor: missing; needs a mapping or the name of a .yaml file
other.yaml => machine = other.yaml: must be a mapping or the name of a .yaml file
"a: 'b" => machine = "a: 'b": must be a mapping or the name of a .yaml file
rotor: 'b => not valid YAML: found unexpected end of stream, while scanning a quoted scalar
rotor: none.yaml => machine.rotor = none.yaml: none.yaml: cannot be read: No such file or directory
rotor: big.yaml => machine.rotor = big.yaml: big.yaml: includes itself
rotor: ./rig.yaml => machine.rotor = ./rig.yaml: ./rig.yaml: includes itself
rotor: rig => machine.rotor = rig: must be a mapping or the name of a .yaml file
rotor: dir.yaml => machine.rotor = dir.yaml: dir.yaml: cannot be read: Is a directory
rotor: "\0.yaml" => machine.rotor = '\x00.yaml': \x00.yaml: not a possible file name
"""


@pytest.mark.parametrize(("content", "expected"), table(BAD_INCLUDES))
def test_includes_that_fail(folder: Path, content: str, expected: str) -> None:
    Path("rig.yaml").write_text("machine: big.yaml\n")
    Path("big.yaml").write_text(content)
    Path("dir.yaml").mkdir()
    assert file_problems("rig.yaml") == [f"big.yaml:1: {expected}"]


def test_a_long_chain_of_includes(folder: Path) -> None:
    for n in range(9):
        Path(f"m{n}.yaml").write_text(f"rotor: {{mass_kg: 1}}\nspare: m{n + 1}.yaml\n")
    Path("rig.yaml").write_text("machine: m0.yaml\n")
    assert file_problems("rig.yaml") == [
        "m4.yaml:2: machine.spare.spare.spare.spare.spare = m5.yaml: m5.yaml: more than 5 files included by each other"
    ]


def test_a_bomb_of_includes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_NODES", 20)
    Path("rig.yaml").write_text("rotors:\n- rotor.yaml\n- rotor.yaml\n- rotor.yaml\n")  # 6 keys and values
    Path("rotor.yaml").write_text("{mass_kg: 1, inner_mm: 1, outer_mm: 2}")  # 7
    assert file_problems("rig.yaml") == [
        "rig.yaml:4: rotors[2] = rotor.yaml: rotor.yaml: more than 20 keys and values with all included files"
    ]


def test_files_that_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("big.yaml").write_bytes(b"# " + b"x" * reader.MAX_BYTES)
    Path("latin.yaml").write_bytes("note: a\nruns: 1 # gr\xfc\xdfe\n".encode("latin-1"))
    Path("utf16.yaml").write_bytes("note: a\n".encode("utf-16"))
    Path("binary.yaml").write_bytes(b"note: a\n\0\0")
    assert file_problems("none.yaml") == ["none.yaml: cannot be read: No such file or directory"]
    assert file_problems("a\nb.yaml") == ["a\\nb.yaml: cannot be read: No such file or directory"]
    assert file_problems("a\0b.yaml") == ["a\\x00b.yaml: not a possible file name"]
    assert file_problems("") == ["'': cannot be read: No such file or directory"]
    assert file_problems(".") == [".: cannot be read: Is a directory"]
    assert file_problems("big.yaml") == ["big.yaml: larger than 1 MiB, which no scenario is"]
    assert file_problems("latin.yaml") == ["latin.yaml:2: not UTF-8 text"]
    assert file_problems("utf16.yaml") == ["utf16.yaml:1: not UTF-8 text"]
    assert file_problems("binary.yaml") == ["binary.yaml:2: the character U+0000 is not allowed"]

    def forbidden(*args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(reader, "open", forbidden, raising=False)  # file modes do not bind root
    assert file_problems("latin.yaml") == ["latin.yaml: cannot be read: Permission denied"]


def test_the_json_schema_knows_includes() -> None:
    schema = Rig.model_json_schema()
    jsonschema.validate({"machine": "machines/big.yaml", "rotors": ["a.YML", {"mass_kg": 1}]}, schema)
    for wrong in ('{"machine": "machines/big"}', '{"machine": 5}', '{"rotors": [{}]}', '{"part": "rotor.yaml"}'):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(json.loads(wrong), schema)


def test_canonical() -> None:
    wear = read_text("kind: bearing_wear\nwidth_mm: {uniform: [1, 2]}", Wear)
    text = '{"kind":"bearing_wear","n_balls":8,"width_mm":{"uniform":[1.0,2.0]}}'
    assert canonical(wear) == text
    assert content_hash(wear) == hashlib.sha256(text.encode()).hexdigest()


def test_the_hash_is_of_the_content_not_of_the_layout(folder: Path) -> None:
    def of(text: str) -> str:
        return content_hash(read_text(text, Rig))

    Path("rotor.yaml").write_text("mass_kg: 1\n")
    same = [
        "rotors: [{mass_kg: 1}, {mass_kg: 1}]\nspeed_rpm: 1000",
        "speed_rpm: 1e3  # comment\nrotors: [&a {mass_kg: 1.0}, *a]",
        "rotors:\n- outer_mm: 20\n  mass_kg: 1\n  inner_mm: 0\n- mass_kg: 1\nenabled: true",
        "rotors: [rotor.yaml, rotor.yaml]",
    ]
    assert len({of(text) for text in same}) == 1
    other = ["rotors: [{mass_kg: 1}, {mass_kg: 2}]", "rotors: [rotor.yaml]", f"{same[0]}\nnote: a"]
    assert len({of(text) for text in [same[0], *other]}) == 4


def checked(text: str, model: type[Spec] = Rig) -> Spec | None:
    """Read a text; whatever it is, a model or a well-formed list of mistakes comes out."""
    try:
        return read_text(text, model, "rig.yaml")
    except ScenarioError as error:
        lines = str(error).split("\n")
    assert len(lines) <= reader.MAX_PROBLEMS + 1
    if len(lines) > reader.MAX_PROBLEMS:
        assert re.fullmatch(r"\.\.\. and [1-9]\d* more", lines.pop())
    for line in lines:
        assert line.isprintable()
        assert re.match(r"rig\.yaml:\d+: \S", line)
        assert not [noise for noise in NOISE if noise in line and noise not in text]
    numbers = [int(line.split(":")[1]) for line in lines]
    assert numbers == sorted(numbers)
    assert numbers[0] >= 1
    assert numbers[-1] <= len(text.splitlines()) + 1
    return None


NOISE = ("pydantic", "Traceback", "validation error", "Input should", "function-", "tagged-union", "Value error")
FUZZ = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
YAML_TEXT = st.text(st.sampled_from("ab1.:-,[]{}&*!|>'\"%#@`?~<=\n\r\t \\x\ufeff\x00\x85\u2028é"), max_size=60)


@FUZZ
@given(st.text() | YAML_TEXT | YAML_TEXT.map(lambda tail: "note: " + tail))
@example("&a : *a")
@example("<<: &a {<<: *a}")
@example("- &a a\n- ? *a\n  : b")
@example("note: !<tag:yaml.org,2002:int> 5")
def test_any_text(text: str) -> None:
    checked(text)
    checked(text, Holder)


SNIPPETS = st.sampled_from([*"{}[]!#'\"\n\t\0", "- ", ": ", "  ", "&rotor ", "*rotor", "<<: ", "---\n", "1e9", "_hz"])
SNIPPETS |= st.sampled_from(["null", "kind", "imbalance", "bearing_wear", "uniform", ".nan", "x.yaml", "mass_kg: 1\n"])


@FUZZ
@given(st.data())
def test_mutations_of_a_valid_scenario(data: st.DataObject) -> None:
    text = VALID
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        text = text[:start] + data.draw(SNIPPETS | st.just(text[end : end + 30]) | st.text(max_size=3)) + text[end:]
    checked(text)


WORDS = [*Rig.model_fields, *Machine.model_fields, *Rotor.model_fields, *Imbalance.model_fields, *Wear.model_fields]
WORDS += [*Sensor.model_fields, "uniform", "normal", "choice", "unifrom", "mass_g", "zzz"]
LEAVES = st.sampled_from([None, True, 0, 1, -1, 2.5, "", "jaw", "imbalance", "5 mm", "1", [1, 2], "x.yaml"])
DATA = st.recursive(
    LEAVES | st.floats() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
        | st.fixed_dictionaries({"kind": st.sampled_from(["imbalance", "bearing_wear"])}, optional={"width_mm": inner})
    ),
    max_leaves=12,
)
TREE = st.dictionaries(st.sampled_from(WORDS) | TEXT, DATA, max_size=5) | DATA


def dumped(value: object, flow: bool) -> str:
    return yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True, sort_keys=False)


@FUZZ
@given(TREE, st.booleans())
def test_any_data(value: object, flow: bool) -> None:
    checked(dumped(value, flow))
    checked(dumped({"value": value}, flow), Holder)


@FUZZ
@given(st.dictionaries(st.sampled_from(list(Rig.model_fields)), DATA, min_size=1), st.booleans())
def test_paths_in_messages_exist_and_their_lines_show_them(value: dict[str, object], flow: bool) -> None:
    text = dumped(value, flow)
    try:
        read_text(text, Rig, "rig.yaml")
    except ScenarioError as error:
        lines = [line for line in str(error).split("\n") if not line.startswith("...")]
    else:
        return
    source = text.splitlines()
    for line in lines:
        match = re.fullmatch(r"rig\.yaml:(\d+): ([\w.\[\]]+)( = .*?)?: (.*)", line)
        assert match is not None, line
        *parents, last = re.findall(r"\w+", match.group(2))
        place: Any = value
        for part in parents:
            place = place[int(part)] if isinstance(place, list) else place[part]
        if match.group(4).startswith("missing; "):
            assert last not in place if isinstance(place, dict) else int(last) >= len(place)
        else:
            assert int(last) < len(place) if isinstance(place, list) else last in place
            if not last.isdigit() and not flow and "&id" not in text:
                assert source[int(match.group(1)) - 1].strip(" -").startswith(f"{last}:")


@FUZZ
@given(TREE, st.booleans())
def test_both_parsers_agree(value: object, flow: bool) -> None:
    def outcome(parser: object) -> object:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reader, "_Parser", parser)
            try:
                return repr(read_text(dumped(value, flow), Rig))
            except ScenarioError as error:
                return str(error)

    assert outcome(reader._Parser) == outcome(yaml.SafeLoader)


@FUZZ
@given(st.binary() | st.text().map(str.encode) | TREE.map(lambda value: dumped(value, False).encode("utf-16")))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(data)
    try:
        read(path, Rig)
    except ScenarioError as error:
        for line in str(error).split("\n"):
            assert re.match(r"\S*bytes\.yaml:\d+: \S", line) or line.startswith("... and ")
