"""One model and one port to firmware: an ELF for a chip, a shared library for this machine, a project for ESP-IDF."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from zlib import crc32

from firmware.compiler import GENERATED, STRICT, CompilerName, PortName, compile_all, compiler_for, link
from firmware.errors import FirmwareError
from models.artifact import open_artifact
from sim import __version__
from sim.dataset.manifest import MANIFEST

HERE = Path(__file__).parent
CORE = HERE / "core"
PRODUCTS: dict[PortName, str] = {"esp32c3": "firmware.elf", "esp32": "firmware.elf", "host": "firmware.so"}
SHARED: dict[PortName, tuple[str, ...]] = {"esp32c3": ("espressif",), "esp32": ("espressif",)}
"""Folders of `ports` whose sources belong to a port besides its own."""
ESP_IDF = HERE / "ports" / "esp-idf"
MODEL_C, MODEL_H, IDENTITY_H = "model.c", "model.h", "build_identity.h"


@dataclass(frozen=True)
class Built:
    """Firmware that was built.

    Attributes:
        port: which.
        product: the ELF, the library, or the project's folder.
        objects: the object files it was linked from, for `firmware.size`.
        build_id: first eight digits of the SHA-256 over sources, model, flags and compiler; the hello frame carries it.
        compiler: name and version.
    """

    port: PortName
    product: Path
    objects: tuple[Path, ...]
    build_id: str
    compiler: str


def build(
    model: Path, out: Path, port: PortName = "esp32c3", compiler: CompilerName | None = None, *, sanitize: bool = False
) -> Built:
    """Build the firmware into the folder `out`, which is made; what an earlier build left there is replaced.

    Args:
        model: folder that holds model.c and model.h: an artifact of `simtwin export`, whose files are then checked, or a
            model alone.
        out: gets the product and a folder `objects`.
        port: which.
        compiler: which; default: the port's, see `firmware.compiler.DEFAULT`.
        sanitize: see `compiler_for`.

    Raises:
        FirmwareError: no model there, a compiler that is missing or fails.
        ArtifactError: an artifact that was altered.
    """
    if (model / MANIFEST).is_file():
        open_artifact(model)
    for name in (MODEL_C, MODEL_H):
        if not (model / name).is_file():
            raise FirmwareError(f"{model}: no {name} in it; export the run again (simtwin export writes it)")
    if port == "esp-idf":
        return _project(model, out)
    chosen = compiler_for(port, compiler, sanitize=sanitize)
    folders = [HERE / "ports" / name for name in (*SHARED.get(port, ()), port)]
    sources = [*sorted(CORE.glob("*.c")), *(each for folder in folders for each in sorted(folder.glob("*.[cS]")))]
    headers = [*sorted(CORE.glob("include/*.h")), *(each for folder in folders for each in sorted(folder.glob("*.h")))]
    scripts = sorted((HERE / "ports" / port).glob("*.ld"))
    model_c, model_h = (model / name for name in (MODEL_C, MODEL_H))
    flags = (chosen.version, chosen.flags, chosen.link, chosen.backend, STRICT)
    build_id = _identity(flags, [*sources, *headers, *scripts, model_c, model_h])
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as name:
        work = Path(name) / "objects"
        work.mkdir()
        (work / IDENTITY_H).write_text(_identity_header(build_id, model_c))
        include = [f"-I{work}", f"-I{CORE / 'include'}", *(f"-I{folder}" for folder in folders), f"-I{model}"]
        own = [*STRICT, *include]
        # Where this machine keeps things is no business of who gets the product.
        places = [f"-ffile-prefix-map={place}=." for place in (HERE.parent, Path.cwd(), work, model.resolve())]
        sets = [*((source, [*own, *places]) for source in sources), (model_c, [*GENERATED, *include, *places])]
        objects = compile_all(chosen, sets, work)
        product = Path(name) / PRODUCTS[port]
        link(chosen, objects, [f"-T{script}" for script in scripts], product)
        if port in SHARED:
            _seal(product)
        target, kept = out / product.name, out / "objects"
        shutil.rmtree(kept, ignore_errors=True)
        os.replace(work, kept)
        os.replace(product, target)
    return Built(port, target, tuple(kept / each.name for each in objects), build_id, chosen.version)


def _seal(elf: Path) -> None:
    """Put the CRC-32 of code and constants where the firmware looks for it (ports/espressif/image.c)."""
    from elftools.elf.elffile import ELFFile  # the port `host` is built without

    with elf.open("r+b") as file:
        sections = {section.name: section for section in ELFFile(file).iter_sections()}
        crc = crc32(sections[".rodata"].data(), crc32(sections[".text"].data()))
        file.seek(sections[".image_crc"]["sh_offset"])
        file.write(crc.to_bytes(4, "little"))


def _project(model: Path, out: Path) -> Built:
    """The project for ESP-IDF, with core and model in it."""
    if out.exists():
        raise FirmwareError(f"{out}: exists already and is not overwritten; choose another --out or remove it")
    component = Path("components") / "simtwin"
    model_c, model_h = (model / name for name in (MODEL_C, MODEL_H))
    files = [path for path in sorted(ESP_IDF.rglob("*")) if path.is_file()]
    core = [*sorted(CORE.glob("*.c")), *sorted(CORE.glob("include/*.h"))]
    build_id = _identity((), [*files, *core, model_c, model_h])
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as name:
        project = Path(name) / "project"
        shutil.copytree(ESP_IDF, project)
        shutil.copytree(CORE, project / component / "core")
        (project / component / "model").mkdir()
        for path in (model_c, model_h):
            shutil.copy(path, project / component / "model")
        (project / component / "core" / "include" / IDENTITY_H).write_text(_identity_header(build_id, model_c))
        os.replace(project, out)
    return Built("esp-idf", out, (), build_id, "to be built by idf.py")


def _identity(flags: tuple[object, ...], files: list[Path]) -> str:
    digest = sha256(repr(flags).encode())
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:8]


def _identity_header(build_id: str, model_c: Path) -> str:
    numbers = ", ".join(__version__.split(".")[:3])
    has_gyro = "MODEL_UNIT_DPS" in model_c.read_text()  # angular rates are kept only where the model has one
    return f"""#ifndef BUILD_IDENTITY_H
#define BUILD_IDENTITY_H
#define BUILD_VERSION "{__version__}"
#define BUILD_VERSION_BYTES {numbers}
#define BUILD_ID 0x{build_id}u
#define SENSOR_CHANNELS {6 if has_gyro else 3}
#endif
"""
