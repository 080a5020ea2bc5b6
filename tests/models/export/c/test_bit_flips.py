"""A bit that turns over in a network's constants may change its answer, but never what memory it touches."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="no TensorFlow: pip install simtwin[train]")
pytest.importorskip("tflite_micro", reason="no TensorFlow Lite Micro: pip install simtwin[train]")

from models.architectures import ARCHITECTURES
from models.export.c.generate import generate
from models.export.c.library import INCLUDE, compiler, write
from models.export.interpreters import Micro
from tests.models.export.c.host import description
from tests.models.export.conftest import Made
from tests.models.export.made import CHANNELS, CLASSES, LENGTH, MIXED, windows

FLIPS = 250

# The arrays lose their `const`, so that they can be changed in place. Sums may overflow by a flipped bias; the chip's wrap.
_SANITIZERS = ("-fsanitize=address,bounds", "-fno-sanitize-recover=all", "-fwrapv", "-Dconst=")
_MAIN = """#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "model.c"

static const struct { void *bytes; size_t size; } arrays[] = {%s};

int main(void)
{
    const size_t n = sizeof arrays / sizeof *arrays;
    size_t total = 0, changed = 0;
    for (size_t i = 0; i < n; i++)
        total += arrays[i].size;
    int8_t *input = malloc(MODEL_INPUT_SIZE), *sound = malloc(MODEL_OUTPUT_SIZE), *output = malloc(MODEL_OUTPUT_SIZE);
    model_scratch_t *scratch = malloc(sizeof *scratch);
    if (fread(input, 1, MODEL_INPUT_SIZE, stdin) != MODEL_INPUT_SIZE)
        return 2;
    model_infer(input, sound, scratch);
    for (unsigned flip = 0; flip < %d; flip++) {
        size_t bit = (size_t)((flip + 0.5) * 8.0 * (double)total / %d) / 8 * 8 + flip %% 8, i = 0;
        for (; bit >= 8 * arrays[i].size; i++)
            bit -= 8 * arrays[i].size;
        unsigned char *byte = (unsigned char *)arrays[i].bytes + bit / 8;
        *byte ^= (unsigned char)(1 << bit %% 8);
        model_infer(input, output, scratch);
        changed += memcmp(sound, output, MODEL_OUTPUT_SIZE) != 0;
        *byte ^= (unsigned char)(1 << bit %% 8);
    }
    model_infer(input, output, scratch);
    printf("%%zu %%d", changed, memcmp(sound, output, MODEL_OUTPUT_SIZE));
    free(input), free(sound), free(output), free(scratch);
    return 0;
}
"""


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_no_flip_of_a_constant_leads_out_of_bounds(name: str, exports: Callable[[str], Made], tmp_path: Path) -> None:
    """Numbers alone: pointers and sizes of the operators are the linker's and the compiler's, and not flipped here."""
    content = exports(name).exported.converted.int8
    source = generate(content, description(name, LENGTH, CHANNELS, CLASSES))
    write(source, tmp_path)
    arrays = re.findall(r"^static const (?:int|uint)\d+_t (\w+)\[", source.code, re.MULTILINE)
    assert len(arrays) > 5
    table = ", ".join(f"{{{array}, sizeof {array}}}" for array in arrays)
    (tmp_path / "main.c").write_text(_MAIN % (table, FLIPS, FLIPS))
    subprocess.run(
        [compiler(), "-std=c11", "-O1", "-g", *_SANITIZERS, f"-I{INCLUDE}", "main.c", "-o", "flips"],
        cwd=tmp_path,
        check=True,
    )
    x = windows(100, seed=5, level=MIXED)[0]
    window = x[
        Micro(content).run(x).reshape(len(x), -1).max(axis=1).argmin()
    ]  # the least certain: it is changed soonest
    done = subprocess.run([tmp_path / "flips"], input=window.tobytes(), capture_output=True, check=False)
    assert not done.returncode, done.stderr.decode()[:2000]
    changed, after = (int(each) for each in done.stdout.split())
    assert after == 0
    assert changed > 10
