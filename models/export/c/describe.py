"""The description of a model in C: what firmware/core/include/simtwin_model.h declares."""

from __future__ import annotations

from dataclasses import dataclass

from models.artifact import AUTOENCODER
from models.export.c.code import wrapped
from models.export.convert import ExportError
from models.preprocessing import Preprocessing

_UNITS = {"_g": "MODEL_UNIT_G", "_dps": "MODEL_UNIT_DPS"}
_WORD = 2**32 - 1


@dataclass(frozen=True)
class Description:
    """What the firmware must know beside the network.

    Attributes:
        architecture: name in models.architectures.
        classes: names, normal first.
        threshold_int8: see models.export.run.int8_level.
        preprocessing: from counts to the input.
    """

    architecture: str
    classes: tuple[str, ...]
    threshold_int8: int
    preprocessing: Preprocessing

    def check(self, inputs: int, outputs: int) -> None:
        """ExportError unless it fits a network of so many inputs and outputs, and the header's types."""
        p = self.preprocessing
        wanted = inputs if self.architecture == AUTOENCODER else len(self.classes)
        asked = [
            ("input", p.length * len(p.channels), inputs, inputs),
            ("output", outputs, wanted, wanted),
            ("channels", len(p.channels), 1, 255),
            ("classes", len(self.classes), 2, 255),
            ("decimation", p.decimation, 1, 65535),
            ("taps", len(p.taps), 0, 65535),
            ("window", p.window, 1, _WORD),
            ("hop", p.hop, 1, _WORD),
            ("threshold_int8", self.threshold_int8, 0, _WORD),
            ("rate_hz", round((p.rate_hz or 0) * 1000), 0, _WORD),
            *(
                (f"lsb of {name}, 1e-9", round(lsb * 1e9), 1, _WORD)
                for name, lsb in zip(p.channels, p.lsb, strict=True)
            ),
        ]
        for name, value, low, high in asked:
            if not low <= value <= high:
                raise ExportError(f"no C for a model whose {name} is {value}; allowed is {low} to {high}")


def macros(description: Description) -> str:
    """The sizes that model.h defines, one a line."""
    p = description.preprocessing
    sizes = {
        "WINDOW": p.window, "HOP": p.hop, "LENGTH": p.length, "CHANNELS": len(p.channels), "DECIMATION": p.decimation,
        "TAPS": len(p.taps), "CLASSES": len(description.classes),
    }  # fmt: skip
    return "".join(f"#define MODEL_{name} {size}\n" for name, size in sizes.items())


def definition(description: Description, hashed: bytes) -> str:
    """The constant model_description, and what it points to."""
    p = description.preprocessing
    channels = []
    for at, name in enumerate(p.channels):
        unit = next((unit for end, unit in _UNITS.items() if name.endswith(end)), "MODEL_UNIT_OTHER")
        channels.append(
            f"    {{.name = {quoted(name)}, .lsb_nano = {round(p.lsb[at] * 1e9)}u, .offset = {p.offset[at]},"
            f" .gain = {p.gain[at]},\n     .shift = {p.shift[at]}, .knee = {p.knee[at]}, .unit = {unit}}},\n"
        )
    taps = f"static const int16_t taps[MODEL_TAPS] = {{\n{wrapped(map(str, p.taps))}\n}};\n\n" if p.taps else ""
    kind = "MODEL_AUTOENCODER" if description.architecture == AUTOENCODER else "MODEL_CLASSIFIER"
    scaling = "MODEL_SCALING_LOG" if p.scaling == "log" else "MODEL_SCALING_LINEAR"
    return f"""static const char *const classes[MODEL_CLASSES] = {{
{wrapped(map(quoted, description.classes))}
}};

static const struct model_channel channels[MODEL_CHANNELS] = {{
{"".join(channels)}}};

{taps}const struct model_description model_description = {{
    .sha256 = {{
{wrapped(f"0x{each:02x}" for each in hashed)}
    }},
    .architecture = {quoted(description.architecture)},
    .classes = classes,
    .channels = channels,
    .taps = {"taps" if p.taps else "0"},
    .threshold_int8 = {description.threshold_int8}u,
    .rate_millihz = {round((p.rate_hz or 0) * 1000)}u,
    .window = MODEL_WINDOW,
    .hop = MODEL_HOP,
    .input_size = MODEL_INPUT_SIZE,
    .output_size = MODEL_OUTPUT_SIZE,
    .scratch_size = sizeof(model_scratch_t),
    .length = MODEL_LENGTH,
    .decimation = MODEL_DECIMATION,
    .tap_count = MODEL_TAPS,
    .channel_count = MODEL_CHANNELS,
    .class_count = MODEL_CLASSES,
    .format = SIMTWIN_MODEL_FORMAT,
    .kind = {kind},
    .scaling = {scaling},
    .detrend = {int(p.detrend)},
}};
"""


def quoted(text: str) -> str:
    """A C string literal; bytes outside printable ASCII as octal."""
    plain = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f"\\{byte:03o}" for byte in text.encode()
    )
    return f'"{plain}"'
