"""The hook's compilation: once, kept by content, and a clear word where it cannot be had."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import native
from emulator.errors import MachineError


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    native.library.cache_clear()
    yield tmp_path / "simtwin"
    native.library.cache_clear()


def test_it_is_compiled_once_and_again_when_its_source_changes(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    native.library()
    [first] = empty_cache.iterdir()
    made = first.stat().st_mtime_ns
    native.library.cache_clear()
    native.library()
    assert first.stat().st_mtime_ns == made
    changed = tmp_path / "block_hook.c"
    changed.write_text(native.SOURCE.read_text() + "/* changed */\n")
    monkeypatch.setattr(native, "SOURCE", changed)
    native.library.cache_clear()
    native.library()
    assert len(list(empty_cache.iterdir())) == 2


def test_a_compiler_that_fails_is_one_line_and_leaves_nothing(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "block_hook.c"
    broken.write_text("int main(void) { return }\n")
    monkeypatch.setattr(native, "SOURCE", broken)
    with pytest.raises(
        MachineError, match=r"^block_hook\.c cannot be compiled \(.*\); install ziglang .*hook='python'$"
    ):
        native.library()
    assert list(empty_cache.iterdir()) == []


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    native.library.cache_clear()
    with pytest.raises(MachineError, match=r"cannot be written .*XDG_CACHE_HOME"):
        native.library()
    native.library.cache_clear()
