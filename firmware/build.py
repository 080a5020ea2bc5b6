"""One model and one port to firmware: an ELF for a chip, a shared library for the host."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from firmware.compiler import GENERATED, STRICT, Compiler, CompilerName, PortName, compile_all, compiler_for, link
from firmware.errors import FirmwareError
from models.artifact import open_artifact
from sim import __version__
from sim.dataset.manifest import MANIFEST

HERE = Path(__file__).parent
CORE = HERE / "core"
PRODUCTS: dict[PortName, str] = {"esp32c3": "firmware.elf", "host": "firmware.so"}
MODEL_C, MODEL_H = "model.c", "model.h"


@dataclass(frozen=True)
class Built:
    """Firmware that was built.

    Attributes:
        port: which.
        product: the ELF or the library.
        objects: the object files it was linked from, with their stack usage beside them (.su), for `firmware.size`.
        build_id: first eight digits of the SHA-256 over sources, model, flags and compiler; the hello frame carries it.
        compiler: name and version.
    """

    port: PortName
    product: Path
    objects: tuple[Path, ...]
    build_id: str
    compiler: str


def build(
    model: Path, out: Path, port: PortName = "esp32c3", compiler: CompilerName = "zig", *, sanitize: bool = False
) -> Built:
    """Build the firmware into the folder `out`, which is made; what an earlier build left there is replaced.

    Args:
        model: folder that holds model.c and model.h: an artifact of `simtwin export`, whose files are then checked, or a
            model alone.
        out: gets the product and a folder `objects`.
        port: which.
        compiler: which.
        sanitize: see `compiler_for`.

    Raises:
        FirmwareError: no model there, a compiler that is missing or fails.
        ArtifactError: an artifact that was altered.
    """
    if (model / MANIFEST).is_file():
        open_artifact(model)
    for name in (MODEL_C, MODEL_H):
        if not (model / name).is_file():
            raise FirmwareError(f"{model}: no {name} in it, so it is no exported model")
    chosen = compiler_for(port, compiler, sanitize=sanitize)
    sources = [*sorted(CORE.glob("*.c")), *sorted((HERE / "ports" / port).glob("*.[cS]"))]
    headers = [*sorted(CORE.glob("include/*.h")), *sorted((HERE / "ports" / port).glob("*.h"))]
    scripts = sorted((HERE / "ports" / port).glob("*.ld"))
    model_c, model_h = (model / name for name in (MODEL_C, MODEL_H))
    build_id = _identity(chosen, [*sources, *headers, *scripts, model_c, model_h])
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as name:
        work = Path(name) / "objects"
        work.mkdir()
        (work / "build_identity.h").write_text(_identity_header(build_id))
        channels = 6 if "MODEL_UNIT_DPS" in model_c.read_text() else 3
        include = [f"-I{work}", f"-I{CORE / 'include'}", f"-I{HERE / 'ports' / port}", f"-I{model}"]
        own = [*STRICT, f"-DSENSOR_CHANNELS={channels}", *include]
        objects = compile_all(chosen, [*((source, own) for source in sources), (model_c, [*GENERATED, *include])], work)
        product = Path(name) / PRODUCTS[port]
        link(chosen, objects, [f"-T{script}" for script in scripts], product)
        target, kept = out / product.name, out / "objects"
        shutil.rmtree(kept, ignore_errors=True)
        os.replace(work, kept)
        os.replace(product, target)
    return Built(port, target, tuple(kept / each.name for each in objects), build_id, chosen.version)


def _identity(compiler: Compiler, files: list[Path]) -> str:
    digest = sha256(repr((compiler.version, compiler.flags, compiler.link, STRICT)).encode())
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:8]


def _identity_header(build_id: str) -> str:
    numbers = ", ".join(__version__.split(".")[:3])
    return f'#define BUILD_VERSION "{__version__}"\n#define BUILD_VERSION_BYTES {numbers}\n#define BUILD_ID 0x{build_id}u\n'
