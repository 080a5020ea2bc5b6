"""Generated C on this machine as programs: one with sanitizers that reads windows, one that prints the description."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.export.c.describe import Description
from models.export.c.generate import Source
from models.export.c.library import INCLUDE, WARNINGS, compiler, write
from models.preprocessing import Preprocessing

Int8 = NDArray[np.int8]

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")

_MAIN = """#include <stdio.h>
#include <stdlib.h>
#include "model.h"

int main(void)
{
    /* Each in memory of its own, so that the sanitizer sees the first byte beside it. */
    int8_t *input = malloc(MODEL_INPUT_SIZE), *output = malloc(MODEL_OUTPUT_SIZE);
    model_scratch_t *scratch = malloc(sizeof *scratch);
    while (fread(input, 1, MODEL_INPUT_SIZE, stdin) == MODEL_INPUT_SIZE) {
        for (size_t i = 0; i < sizeof *scratch; i++)
            ((unsigned char *)scratch)[i] = 0x5a;
        model_infer(input, output, scratch);
        fwrite(output, 1, MODEL_OUTPUT_SIZE, stdout);
    }
    free(input), free(output), free(scratch);
    return 0;
}
"""

_PRINT = """#include <stdio.h>
#include "model.h"

int main(void)
{
    const struct model_description *d = &model_description;
    for (int i = 0; i < SIMTWIN_MODEL_HASH_SIZE; i++)
        printf("%02x", d->sha256[i]);
    printf("\\n%s\\n", d->architecture);
    for (int i = 0; i < d->class_count; i++)
        printf("%s%c", d->classes[i], i + 1 == d->class_count ? '\\n' : ' ');
    printf("%u %u\\n", d->threshold_int8, d->rate_millihz);
    printf("%u %u %d %d\\n", d->window, d->hop, d->length, d->decimation);
    printf("%u %u %u\\n", d->input_size, d->output_size, d->scratch_size);
    printf("%d %d %d %d\\n", d->kind, d->scaling, d->detrend, d->format);
    for (int i = 0; i < d->channel_count; i++) {
        const struct model_channel *c = &d->channels[i];
        printf("%s %u %d %d %d %d %d\\n", c->name, c->lsb_nano, c->offset, c->gain, c->shift, c->knee, c->unit);
    }
    for (int i = 0; i < d->tap_count; i++)
        printf("%d%c", d->taps[i], i + 1 == d->tap_count ? '\\n' : ' ');
    return 0;
}
"""


def printed_description(source: Source, folder: Path) -> str:
    """What a program that includes the headers finds in a model's description."""
    write(source, folder)
    (folder / "print.c").write_text(_PRINT)
    command = [compiler(), *WARNINGS, f"-I{INCLUDE}", "model.c", "print.c", "-o", "print"]
    subprocess.run(command, cwd=folder, check=True)
    return subprocess.run([folder / "print"], capture_output=True, text=True, check=True).stdout


def description(name: str, length: int, channels: int, classes: int) -> Description:
    """One that fits a network; for an autoencoder `classes` is not used."""
    names = tuple(f"channel{number}_g" for number in range(channels))
    each = (0,) * channels
    made = Preprocessing(
        channels=names, lsb=(122e-6,) * channels, rate_hz=3332.0, window=length, hop=length, length=length, offset=each,
        scaling="log", knee=each, gain=(1,) * channels, shift=(1,) * channels,
    )  # fmt: skip
    labels = ("normal", "anomaly") if name == "autoencoder" else tuple(f"class{number}" for number in range(classes))
    return Description(name, labels, 10, made)


class Sanitized:
    """A model's C as a program that stops at the first wrong access and the first undefined operation."""

    def __init__(self, source: Source, folder: Path) -> None:
        write(source, folder)
        self._outputs = source.outputs
        (folder / "main.c").write_text(_MAIN)
        command = [compiler(), "-O1", "-g", *WARNINGS, *SANITIZERS, f"-I{INCLUDE}", "model.c", "main.c", "-o", "model"]
        subprocess.run(command, cwd=folder, check=True)
        self._program = folder / "model"

    def run(self, windows: Int8) -> Int8:
        """Outputs (n, outputs) of windows (n, ...)."""
        done = subprocess.run([self._program], input=windows.tobytes(), capture_output=True, check=False)
        if done.returncode or done.stderr:
            raise AssertionError(f"the sanitizers found: {done.stderr.decode()[:2000]}")
        return np.frombuffer(done.stdout, np.int8).reshape(len(windows), self._outputs)
