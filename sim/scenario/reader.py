"""Reading a scenario file: YAML to a checked model, every mistake reported with its file, line, key and value.

YAML is read by the rules of YAML 1.2 (core schema): `1e3` and `0x10` are numbers, only `true` and `false` are
booleans (`on`, `yes` are texts), dates and `1_000` are texts, `010` is ten. Aliases and `<<` merge keys work, up to
`MAX_NODES` values in all. Tags (`!x`), duplicate keys and several documents in one file are mistakes.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher, get_close_matches
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from itertools import takewhile
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, Literal, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, GetJsonSchemaHandler, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, core_schema

from sim.errors import ScenarioError
from sim.scenario.quantity import DISTRIBUTIONS, Quantity
from sim.scenario.spec import Spec

MAX_BYTES = 1 << 20
MAX_NODES = 100_000  # keys and values of a scenario, aliases and included files counted as often as they are used
MAX_DEPTH = 32  # levels of values inside each other, in one file
MAX_INCLUDES = 5  # files inside each other; times MAX_DEPTH stays below the 200 levels that pydantic's parser takes
MAX_PROBLEMS = 20  # shown of one scenario

_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

S = TypeVar("S", bound=Spec)


@dataclass(frozen=True)
class Include:
    """Marks a field that may name another YAML file: `machine: Annotated[Machine, Include()]`.

    The file name is relative to the file it is written in.
    """

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [handler(schema), {"type": "string", "pattern": r"\.[yY][aA]?[mM][lL]$"}]}


@dataclass(frozen=True)
class Loaded(Generic[S]):
    """A scenario and the files it was read from: path (as opened) -> SHA-256 of the bytes, in the order of reading."""

    model: S
    files: dict[str, str]


def load(path: str | os.PathLike[str], model: type[S]) -> Loaded[S]:
    """Read a scenario file and the files it includes.

    Raises:
        ScenarioError: one line per mistake, `FILE:LINE: KEY.PATH = VALUE: what is allowed`, sorted by line.
    """
    session = _Session()
    name = os.fspath(path)
    try:
        root, opened = session.open(name, "", ())
    except _Unreadable as fault:
        raise session.failure(name, fault) from None
    return Loaded(session.validated(root, model, opened), session.files)


def read(path: str | os.PathLike[str], model: type[S]) -> S:
    """The model alone; see `load`."""
    return load(path, model).model


def read_text(text: str, model: type[S], name: str = "<text>") -> S:
    """A scenario from a string, called `name` in messages; includes are relative to the folder of `name`.

    Raises:
        ScenarioError: see `load`.
    """
    session = _Session()
    try:
        root = session.compose(text, name, "")
    except _Unreadable as fault:
        raise session.failure(name, fault) from None
    return session.validated(root, model, ())


def canonical(model: BaseModel) -> str:
    """The one JSON text of a scenario: all defaults written out, keys sorted, no blanks."""
    return json.dumps(model.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_hash(model: BaseModel) -> str:
    """SHA-256 (hex) of `canonical`: equal for files that differ in layout, comments, aliases and includes only."""
    return sha256(canonical(model).encode()).hexdigest()


# --- YAML as a tree of values that know where they stand -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Node:
    """A value and the line that introduces it: of its key in a mapping, of itself in a list."""

    value: dict[str, _Node] | list[_Node] | str | int | float | bool | None
    file: str
    line: int
    text: str = ""  # of a scalar, as written
    quoted: bool = False
    size: int = 1  # keys and values in it, itself included
    height: int = 1  # levels in it, itself included

    def plain(self) -> object:
        """The value as Python data."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        return [child.plain() for child in self.value] if isinstance(self.value, list) else self.value

    def children(self) -> Sequence[tuple[str | int, _Node]]:
        """Keys or indices and what stands there."""
        if isinstance(self.value, dict):
            return list(self.value.items())
        return list(enumerate(self.value)) if isinstance(self.value, list) else []

    def child(self, part: str | int) -> _Node | None:
        """The value at a key or an index."""
        if isinstance(self.value, list):
            return self.value[part] if isinstance(part, int) and part < len(self.value) else None
        return self.value.get(str(part)) if isinstance(self.value, dict) else None

    def show(self, room: int = 60) -> str:
        """The value as one would write it in one line, cut at about `room` characters."""
        if not isinstance(self.value, dict | list):
            return _cut(repr(self.text) if self.quoted else self.text or "(empty)", room)
        start, end = "{}" if isinstance(self.value, dict) else "[]"
        shown = ""
        for key, child in self.children():
            shown += ", " if shown else ""
            if len(shown) > room:
                return start + shown + "..." + end
            shown += (_cut(key, room) + ": " if isinstance(key, str) else "") + child.show(room - len(shown))
        return start + shown + end


class _Unreadable(Exception):
    """Nothing more can be got from a file; `line` is None when it could not even be opened."""

    def __init__(self, line: int | None, text: str) -> None:
        self.line, self.text = line, text


# YAML's printable characters without the line ends that editors do not count as such (NEL, LS, PS).
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_WORDS: dict[str, bool | None] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
_INFINITE = re.compile(r"([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_INTEGER = re.compile(r"[-+]?[0-9]{1,400}")
_PREFIXED = re.compile(r"0x[0-9a-fA-F]{1,100}|0o[0-7]{1,100}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


def _resolve(text: str) -> str | int | float | bool | None:
    """What an unquoted scalar means in YAML 1.2 (core schema); `1e3` and `5.0` are integers, as in JSON Schema."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _PREFIXED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return text


class _Composer:
    """One YAML document from the parser's events.

    Not by `yaml.compose`: that recurses (in C, past Python's guard) before any limit could be checked.
    """

    def __init__(self, text: str, file: str, session: _Session) -> None:
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_Parser))
        self._file, self._session = file, session
        self._anchors: dict[str, _Node] = {}
        self._count = 0

    def document(self, path: str) -> _Node:
        """The root of the file, which stands at `path` of the scenario."""
        root = None
        for event in self._events:
            line = event.start_mark.line + 1
            if isinstance(event, yaml.NodeEvent):
                if root is not None:
                    raise _Unreadable(line, "a second document starts here; a file holds one")
                root = self._node(event, path, 0)
        if root is None or root.value is None:
            raise _Unreadable(1, "the file is empty")
        return root

    def _node(self, event: Any, path: str, depth: int) -> _Node:
        line = event.start_mark.line + 1
        known = self._anchors.get(str(event.anchor)) if isinstance(event, yaml.AliasEvent) else None
        self._count += known.size if known else 1
        if self._count > MAX_NODES:
            raise _Unreadable(line, f"more than {MAX_NODES} keys and values (an alias counts as often as it is used)")
        if depth + (known.height if known else 1) > MAX_DEPTH:
            raise _Unreadable(line, f"more than {MAX_DEPTH} levels of values inside each other")
        if known:
            return replace(known, line=line)
        if isinstance(event, yaml.AliasEvent):
            raise _Unreadable(line, f"*{event.anchor} stands for nothing: no complete value is marked &{event.anchor}")
        node = self._content(event, line, path, depth)
        if event.tag is not None:
            self._session.report(node, path, "tags (words that start with `!`) are not allowed")
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _content(self, event: Any, line: int, path: str, depth: int) -> _Node:
        if isinstance(event, yaml.ScalarEvent):
            text, plain = event.value, event.implicit[0]
            if any("\ud800" <= char <= "\udfff" for char in text):
                raise _Unreadable(line, "an escape for half a character (\\uD800 to \\uDFFF)")
            return _Node(_resolve(text) if plain else text, self._file, line, text, quoted=not plain)
        is_list = isinstance(event, yaml.SequenceStartEvent)
        value = self._items(path, depth) if is_list else self._mapping(path, depth)
        node = _Node(value, self._file, line)
        inner = [child for _, child in node.children()]
        size, height = sum(child.size for child in inner), max((child.height for child in inner), default=0)
        return replace(node, size=1 + size + (0 if is_list else len(inner)), height=1 + height)

    def _items(self, path: str, depth: int) -> list[_Node]:
        events = takewhile(lambda event: not isinstance(event, yaml.SequenceEndEvent), self._events)
        return [self._node(event, _join(path, index), depth + 1) for index, event in enumerate(events)]

    def _mapping(self, path: str, depth: int) -> dict[str, _Node]:
        found: dict[str, _Node] = {}
        merged: list[_Node] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, path, depth + 1)
            place = _join(path, key.text)
            value = replace(self._node(next(self._events), place, depth + 1), line=key.line)
            if isinstance(key.value, dict | list):
                self._session.report(key, path, "a key must be a word, not a list or a mapping")
            elif key.text == "<<" and not key.quoted:
                merged += value.value if isinstance(value.value, list) else [value]
            elif key.text in found:
                first = found[key.text].line
                self._session.report(value, place, f"this key is given twice, first in line {first}; remove one")
            else:
                found[key.text] = value
        for source in merged:
            if isinstance(source.value, dict):
                found = source.value | found
            else:
                self._session.report(source, _join(path, "<<"), "must be an alias of a mapping, or a list of such")
        return found


# --- what the schema expects at a place ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    """A type of the schema without its `Annotated` and `None`, and the marks that stood there."""

    type: Any
    marks: tuple[object, ...] = ()

    @staticmethod
    def of(annotation: Any, marks: Sequence[object] = ()) -> _Place:
        """Peel `Annotated` and `Optional`."""
        if get_origin(annotation) is Annotated:
            inner, *more = get_args(annotation)
            return _Place.of(inner, (*marks, *more))
        members = [arg for arg in get_args(annotation) if arg is not NoneType]
        if get_origin(annotation) in (Union, UnionType) and len(members) == 1:
            return _Place.of(members[0], marks)
        return _Place(annotation, tuple(marks))

    @property
    def model(self) -> type[BaseModel] | None:
        """The type itself if it is a model."""
        return self.type if isinstance(self.type, type) and issubclass(self.type, BaseModel) else None

    @property
    def branches(self) -> list[_Place]:
        """The members of a union."""
        if get_origin(self.type) not in (Union, UnionType):
            return []
        return [_Place.of(arg) for arg in get_args(self.type) if arg is not NoneType]

    @property
    def discriminator(self) -> str | None:
        """The key that tells the branches of a union apart."""
        found = (getattr(mark, "discriminator", None) for mark in self.marks)
        return next((name for name in found if isinstance(name, str)), None)

    def chosen(self, node: _Node) -> _Place:
        """The branch of a union that a mapping is meant for, or a place about which nothing is known."""
        if not self.branches:
            return self
        models = [branch for branch in self.branches if branch.model and isinstance(node.value, dict)]
        if self.discriminator:
            tag = node.child(self.discriminator)
            models = [m for m in models if tag and tag.value in m.child(self.discriminator).choices()]
        return models[0] if len(models) == 1 else _Place(Any)

    def keys(self) -> dict[str, FieldInfo]:
        """The keys of a model as written in YAML."""
        return {info.alias or name: info for name, info in self.model.model_fields.items()} if self.model else {}

    def child(self, part: str | int) -> _Place:
        """What is expected at a key or an index."""
        if self.model:
            info = self.keys().get(str(part))
            return _Place.of(info.annotation, (*info.metadata, info)) if info else _Place(Any)
        args = get_args(self.type)
        if isinstance(part, str) or not args:
            return _Place.of(args[-1]) if get_origin(self.type) is dict else _Place(Any)
        return _Place.of(args[0] if args[-1] is Ellipsis else args[min(part, len(args) - 1)])

    def choices(self) -> list[object]:
        """The values of a `Literal` or an enum; the tags of a discriminated union."""
        if get_origin(self.type) is Literal:
            return list(get_args(self.type))
        if isinstance(self.type, type) and issubclass(self.type, Enum):
            return [member.value for member in self.type]
        if self.discriminator:
            return [tag for branch in self.branches for tag in branch.child(self.discriminator).choices()]
        return []

    def allowed(self) -> str:
        """In words."""
        for mark in self.marks:
            if isinstance(mark, Quantity):
                return "a finite number" if mark == Quantity() else f"a finite number {mark.describe()}"
        if self.model or self.discriminator:
            return "a mapping" + (" or the name of a .yaml file" if Include() in self.marks else "")
        if self.choices():
            return _listed(self.choices())
        if self.branches:
            return " or ".join(dict.fromkeys(branch.allowed() for branch in self.branches))
        return _TYPES.get(get_origin(self.type) or self.type, "of another type")


_TYPES: dict[Any, str] = {bool: "true or false", int: "an integer", float: "a finite number", str: "a text"}
_TYPES |= {list: "a list", tuple: "a list", dict: "a mapping", Any: "anything"}

# --- telling the mistakes --------------------------------------------------------------------------------------------


def _cut(text: str, room: int) -> str:
    return text if len(text) <= max(room, 8) else text[: max(room, 8) - 3] + "..."


def _join(path: str, part: str | int) -> str:
    if isinstance(part, int):
        return f"{path}[{part}]"
    word = _cut(part, 60) if re.fullmatch(r"[\w<-]+", part) else _cut(repr(part), 60)
    return f"{path}.{word}" if path else word


def _listed(values: Sequence[object]) -> str:
    words = [str(value) for value in values]
    return ("one of " if len(words) > 1 else "") + ", ".join(words[:30]) + (", ..." if len(words) > 30 else "")


def _did_you_mean(name: str | None) -> str:
    return f" (did you mean `{name}`?)" if name else ""


_UNIT = re.compile(
    r"(?:[numckg]?(?:g|m|s|n|j|w|v|a|pa|hz|rad)|per|rpm|rps|turns|orders|deg|degc|[ckfthdl]|min|inch|ft|bar|db|pct|percent"
    r"|ppm|bits?|lsb|(?:sq)?rthz)[234]?"
)


def _stem_and_unit(key: str) -> tuple[str, str]:
    """`unbalance_g_mm` -> `unbalance`, `g_mm`."""
    words = key.split("_")
    end = len(words)
    while end > 1 and _UNIT.fullmatch(words[end - 1]):
        end -= 1
    return "_".join(words[:end]), "_".join(words[end:])


@lru_cache(maxsize=1000)
def _nearest(key: str, allowed: tuple[str, ...]) -> tuple[str | None, str]:
    """The key that was probably meant, and what is wrong with the unit if that is the mistake."""
    key = re.sub(r"\W+", "_", key[:200]).lower()
    stem, unit = _stem_and_unit(key)
    stems: dict[str, list[str]] = {}
    for name in allowed:
        stems.setdefault(_stem_and_unit(name)[0], []).append(name)
    found = (
        get_close_matches(key, stems.get(stem, []), 1, cutoff=0)
        or get_close_matches(key, allowed, 1, cutoff=0.65)
        or [stems[near][0] for near in get_close_matches(stem, stems, 1, cutoff=0.75)]
    )
    if not found:
        return None, ""
    right_stem, right_unit = _stem_and_unit(found[0])
    if unit == right_unit or SequenceMatcher(None, stem, right_stem).ratio() < 0.75:
        return found[0], ""
    mistake = "wrong unit" if unit else "the unit is missing"
    return found[0], f"; {mistake}: this key is in {right_unit}" if right_unit else "; this key takes no unit"


def _number_hint(node: _Node, distribution: bool) -> str:
    """For what stands where a number belongs, or also a `distribution`."""
    if isinstance(node.value, dict) and len(node.value) == 1:
        near = get_close_matches(next(iter(node.value))[:200], DISTRIBUTIONS, 1)
        if near and not distribution:
            return "; this key takes no distribution"
        return _did_you_mean(near[0]) if near and near[0] not in node.value else ""
    if not isinstance(node.value, str) or not re.match(r"[-+.]?\d", node.value):
        return ""
    if node.quoted and not isinstance(_resolve(node.value), str):
        return "; remove the quotes"
    return "; write digits alone: the unit is part of the key, and there are no separators"


def _reworded(error: ErrorDetails, node: _Node, place: _Place) -> str:
    """What is allowed, from an error of pydantic about a value that is there."""
    kind, message = error["type"], " ".join(error["msg"].split())
    if place.choices() and kind in ("literal_error", "enum", "union_tag_invalid", "union_tag_not_found"):
        near = get_close_matches(node.text[:200], [str(choice) for choice in place.choices()], 1)
        return f"must be {_listed(place.choices())}{_did_you_mean(near[0] if near else None)}"
    hint = _number_hint(node, kind == "quantity") if kind in ("quantity", "int_type", "float_type") else ""
    if kind.endswith("_type") or kind in ("int_from_float", "finite_number"):
        return f"must be {place.allowed()}{hint}"
    if kind == "quantity":
        message = message.replace("a finite number", place.allowed(), 1)
    message = re.sub(r"^(Value error|Assertion failed), ", "", message)
    return re.sub(r"^Input should (be )?", r"must \1", message) + hint


def _locate(tree: _Node, root: _Place, loc: tuple[str | int, ...]) -> tuple[str, _Node, _Place]:
    """Key path, value and expectation at a location of pydantic's; for what is missing, those of its mapping."""
    path, node, place, in_branch = "", tree, root, False
    for part in loc:
        if place.branches and not in_branch:
            in_branch = True  # pydantic puts the name of the branch of a union here
        elif (child := node.child(part)) is not None:
            path, node, place, in_branch = _join(path, part), child, place.chosen(node).child(part), False
    return path, node, place


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


@dataclass
class _Session:
    """One reading: the files, how much was read, and the mistakes so far."""

    files: dict[str, str] = field(default_factory=dict)
    _trees: dict[str, _Node] = field(default_factory=dict)
    _order: list[str] = field(default_factory=list)
    _problems: dict[tuple[str, int, str], str] = field(default_factory=dict)
    _size: int = 0

    def report(self, node: _Node, path: str, text: str, with_value: bool = True) -> None:
        """Note a mistake at a value; of several at one place the first counts."""
        subject = f"{path} = {node.show()}: " if with_value and path else f"{path}: " if path else ""
        self._problems.setdefault((node.file, node.line, path), subject + text)

    def failure(self, name: str = "", fault: _Unreadable | None = None) -> ScenarioError:
        """All mistakes so far, with the one that ended the reading of the file `name`."""
        if fault and fault.line is None:
            return ScenarioError(_one_line(f"{name or repr(name)}: {fault.text}"))
        if fault and fault.line is not None:
            self._problems[name, fault.line, ""] = fault.text
        found = sorted(self._problems.items(), key=lambda item: (self._order.index(item[0][0]), item[0][1]))
        lines = [_one_line(f"{file}:{line}: {text}") for (file, line, _), text in found[:MAX_PROBLEMS]]
        more = [f"... and {len(found) - MAX_PROBLEMS} more"] if len(found) > MAX_PROBLEMS else []
        return ScenarioError("\n".join(lines + more))

    def open(self, name: str, path: str, opened: tuple[str, ...]) -> tuple[_Node, tuple[str, ...]]:
        """The tree of a file that stands at `path` of the scenario, and the chain of files `opened` with this one."""
        try:
            real = os.path.realpath(name)
            if real in opened:
                raise _Unreadable(None, "includes itself")
            if len(opened) > MAX_INCLUDES:
                raise _Unreadable(None, f"more than {MAX_INCLUDES} files included by each other")
            if real not in self._trees:
                with open(name, "rb") as file:
                    data = file.read(MAX_BYTES + 1)
                if len(data) > MAX_BYTES:
                    raise _Unreadable(None, f"larger than {MAX_BYTES >> 20} MiB, which no scenario is")
                self.files[name] = sha256(data).hexdigest()
                self._order.append(name)
                self._trees[real] = self.compose(data.decode(), name, path)
        except OSError as error:
            raise _Unreadable(None, f"cannot be read: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise _Unreadable(data.count(b"\n", 0, error.start) + 1, "not UTF-8 text") from None
        except ValueError:
            raise _Unreadable(None, "not a possible file name") from None
        self._size += self._trees[real].size
        if self._size > MAX_NODES:
            raise _Unreadable(None, f"more than {MAX_NODES} keys and values with all included files")
        return self._trees[real], (*opened, real)

    def compose(self, text: str, name: str, path: str) -> _Node:
        """The tree of a YAML text."""
        if name not in self._order:
            self._order.append(name)
        text = text.removeprefix("\ufeff")
        if bad := _FORBIDDEN.search(text):
            line = text.count("\n", 0, bad.start()) + 1
            raise _Unreadable(line, f"the character U+{ord(bad.group()):04X} is not allowed")
        try:
            return _Composer(text, name, self).document(path)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line if mark is not None else 0
            indent = re.match(r"[\s-]*", (text.splitlines() + [""] * 2)[line])
            hint = "; indent with spaces, not tabs" if indent and "\t" in indent.group() else ""
            what = ", ".join(part for part in (error.problem, error.context) if part)
            raise _Unreadable(line + 1, f"not valid YAML: {what}{hint}") from None

    def validated(self, root: _Node, model: type[S], opened: tuple[str, ...]) -> S:
        """The model, or all mistakes at once. Strict, as JSON: a text is no number, a list is a tuple."""
        tree = self._resolved(root, _Place(model), "", opened)
        try:
            result = model.model_validate_json(json.dumps(tree.plain()), strict=True)
        except ValidationError as error:
            self._explain(error.errors(include_url=False, include_input=False), tree, _Place(model))
            raise self.failure() from None
        if self._problems:
            raise self.failure()
        return result

    def _explain(self, errors: list[ErrorDetails], tree: _Node, root: _Place) -> None:
        """Note pydantic's errors in our words."""
        meant: set[str] = set()
        unknown = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]
        for count, loc in enumerate(unknown):
            path, parent, place = _locate(tree, root, loc[:-1])
            key, keys = str(loc[-1]), tuple(place.chosen(parent).keys())
            # A search takes a millisecond: not for every key of a megabyte of nonsense.
            name, unit = _nearest(key, keys) if count < 100 else (None, "")
            if name:
                meant.add(_join(path, name))
            text = f"unknown key{unit}{_did_you_mean(name)}" if name else f"unknown key; must be {_listed(keys)}"
            self.report(parent.child(key) or parent, _join(path, key), text)
        for error in errors:
            kind, loc = error["type"], error["loc"]
            path, node, place = _locate(tree, root, loc)
            wanted = ""
            if kind == "missing":
                path, wanted = _join(path, loc[-1]), place.chosen(node).child(loc[-1]).allowed()
            elif kind in ("union_tag_invalid", "union_tag_not_found") and place.discriminator:
                path, tag = _join(path, place.discriminator), node.child(place.discriminator)
                node, wanted = tag or node, "" if tag else _listed(place.choices())
            if wanted and path not in meant:  # else it is there, under a wrong name
                self.report(node, path, f"missing; needs {wanted}", with_value=False)
            elif kind.endswith("_type") and place.branches and place.chosen(node).model:
                continue  # a branch that was not meant; the one that was has its own mistakes
            # A default that depends on a key that is wrong itself is no mistake of its own.
            elif not wanted and kind not in ("extra_forbidden", "default_factory_not_called"):
                whole = kind in ("value_error", "assertion_error") and isinstance(node.value, dict | list)
                self.report(node, path, _reworded(error, node, place), with_value=not whole)

    def _resolved(self, node: _Node, place: _Place, path: str, opened: tuple[str, ...]) -> _Node:
        """The tree with included files in their places."""
        if Include() in place.marks and isinstance(node.value, str) and node.value.lower().endswith((".yaml", ".yml")):
            node, opened = self._included(node, path, opened)
        place = place.chosen(node)
        if place.type is Any or not isinstance(node.value, dict | list):
            return node
        value = [self._resolved(c, place.child(k), _join(path, k), opened) for k, c in node.children()]
        return replace(node, value=dict(zip(node.value, value, strict=True)) if isinstance(node.value, dict) else value)

    def _included(self, node: _Node, path: str, opened: tuple[str, ...]) -> tuple[_Node, tuple[str, ...]]:
        """The root of the file that `node` names, or `node` itself after a mistake was noted."""
        name = os.path.join(os.path.dirname(node.file), str(node.value))
        try:
            return self.open(name, path, opened)
        except _Unreadable as fault:
            if fault.line is not None:
                raise self.failure(name, fault) from None
            self.report(node, path, f"{name}: {fault.text}")
            return node, opened
