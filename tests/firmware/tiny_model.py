"""A model small enough to be read: the firmware's tests that are not about networks run it.

Its classes are `normal`, `low` and `high`. The level follows the mean magnitude of the input: every step of it above 8 is
four steps of 256; `high` when the mean square of neighbours' differences outweighs that of the samples.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.preprocessing import Preprocessing

CLASSES = ("normal", "low", "high")
THRESHOLD = 127
SHA256 = bytes(range(0xA0, 0xC0))
ACCEL_LSB_G, GYRO_LSB_DPS = 0.000488, 0.0175

MODEL_C = """#include "model.h"

static const char *const classes[] = {"normal", "low", "high"};
static const struct model_channel channels[] = {%(channels)s};
static const int16_t taps[] = {%(taps)s};
const struct model_description model_description = {
    .sha256 = {%(sha)s}, .architecture = "tiny", .classes = classes, .channels = channels, .taps = taps,
    .threshold_int8 = %(threshold)d, .rate_millihz = %(rate)d, .window = MODEL_WINDOW, .hop = MODEL_HOP,
    .input_size = MODEL_INPUT_SIZE, .output_size = MODEL_OUTPUT_SIZE, .scratch_size = MODEL_SCRATCH_SIZE,
    .length = MODEL_LENGTH, .decimation = MODEL_DECIMATION, .tap_count = MODEL_TAPS, .channel_count = MODEL_CHANNELS,
    .class_count = 3, .format = SIMTWIN_MODEL_FORMAT, .kind = MODEL_CLASSIFIER, .scaling = %(scaling)s,
    .detrend = %(detrend)d,
};

void model_infer(const int8_t input[MODEL_INPUT_SIZE], int8_t output[MODEL_OUTPUT_SIZE], model_scratch_t *scratch) {
    int32_t sum = 0, squares = 0, changes = 0;
    (void)scratch;
    for (int32_t i = 0; i < MODEL_INPUT_SIZE; i++) {
        int32_t change = i < MODEL_CHANNELS ? 0 : input[i] - input[i - MODEL_CHANNELS];
        sum += input[i] < 0 ? -input[i] : input[i];
        squares += input[i] * input[i] / 16;
        changes += change * change / 16;
    }
    int32_t level = 4 * (sum / MODEL_INPUT_SIZE - 8);
    level = level < 0 ? 0 : level > 255 ? 255 : level;
    output[0] = (int8_t)(127 - level);
    output[1] = (int8_t)((changes > squares ? 0 : level) - 128);
    output[2] = (int8_t)((changes > squares ? level : 0) - 128);
}
"""

MODEL_H = """#ifndef MODEL_H
#define MODEL_H
#include "simtwin_model.h"
#define MODEL_WINDOW %(window)d
#define MODEL_HOP %(hop)d
#define MODEL_LENGTH %(length)d
#define MODEL_CHANNELS %(channel_count)d
#define MODEL_DECIMATION %(decimation)d
#define MODEL_TAPS %(tap_count)d
#define MODEL_CLASSES 3
#define MODEL_INPUT_SIZE (MODEL_LENGTH * MODEL_CHANNELS)
#define MODEL_OUTPUT_SIZE MODEL_CLASSES
#define MODEL_SCRATCH_SIZE 4
typedef struct { uint32_t unused; } model_scratch_t;
void model_infer(const int8_t input[MODEL_INPUT_SIZE], int8_t output[MODEL_OUTPUT_SIZE], model_scratch_t *scratch);
extern const struct model_description model_description;
#endif
"""


def preprocessing(*, gyro: bool = False, **changed: object) -> Preprocessing:
    """3332 Hz, windows of 1024 x 3 (or 6), one hop a window; a level of 100 counts becomes some 30 of the input."""
    names = [f"accel_{axis}_g" for axis in "xyz"] + ([f"gyro_{axis}_dps" for axis in "xyz"] if gyro else [])
    n = len(names)
    plain: dict[str, object] = {
        "channels": tuple(names), "lsb": (ACCEL_LSB_G,) * 3 + (GYRO_LSB_DPS,) * (n - 3), "rate_hz": 3332.0, "window": 1024,
        "hop": 1024, "length": 1024, "offset": (0,) * n, "scaling": "log", "knee": (4,) * n, "gain": (3000,) * n,
        "shift": (16,) * n,
    }  # fmt: skip
    return Preprocessing.model_validate(plain | changed)


def write(folder: Path, pre: Preprocessing) -> Path:
    """model.c and model.h, as `simtwin export` lays them out."""
    units = ["MODEL_UNIT_G" if name.endswith("_g") else "MODEL_UNIT_DPS" for name in pre.channels]
    channels = [
        f'{{"{name}", {round(lsb * 1e9)}, {offset}, {gain}, {shift}, {knee}, {unit}}}'
        for name, lsb, offset, gain, shift, knee, unit in zip(
            pre.channels, pre.lsb, pre.offset, pre.gain, pre.shift, pre.knee, units, strict=True
        )
    ]
    values = {
        "channels": ", ".join(channels), "taps": ", ".join(map(str, pre.taps or (0,))), "sha": ", ".join(map(str, SHA256)),
        "threshold": THRESHOLD, "rate": round((pre.rate_hz or 0) * 1000), "scaling": f"MODEL_SCALING_{pre.scaling.upper()}",
        "detrend": pre.detrend, "window": pre.window, "hop": pre.hop, "length": pre.length,
        "channel_count": len(pre.channels), "decimation": pre.decimation, "tap_count": len(pre.taps),
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.c").write_text(MODEL_C % values)
    (folder / "model.h").write_text(MODEL_H % values)
    return folder


def infer(inputs: NDArray[np.int8]) -> NDArray[np.int8]:
    """The same of windows (n, length, channels), in Python: outputs (n, 3)."""
    x = inputs.astype(np.int32)
    level = np.clip(4 * (np.abs(x).reshape(len(x), -1).sum(axis=1) // x[0].size - 8), 0, 255)
    changes, squares = (np.diff(x, axis=1) ** 2 // 16).sum(axis=(1, 2)), (x**2 // 16).sum(axis=(1, 2))
    high = changes > squares
    return np.stack([127 - level, np.where(high, 0, level) - 128, np.where(high, level, 0) - 128], axis=1).astype(
        np.int8
    )


HALF = """void model_infer(const int8_t input[MODEL_INPUT_SIZE], int8_t output[MODEL_OUTPUT_SIZE], model_scratch_t *scratch) {
    (void)scratch;
    for (int32_t i = 0; i < MODEL_INPUT_SIZE; i++) {
        output[i] = (int8_t)(input[i] / 2);
    }
}
"""
"""An autoencoder's part: gives half of what it gets."""
