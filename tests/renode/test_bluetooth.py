"""The suites' own idea of a packet, against the reference encoder, OpenSSL and the firmware's frames on this machine."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="no cryptography: pip install simtwin[gateway]")
pytest.importorskip("ziglang", reason="no zig: pip install simtwin[firmware]")

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from firmware.build import build
from gateway import bthome
from renode.tests.bluetooth import ADDRESS, advertisement_of_the_last_frame, aes128, frames_in, objects_of, sealed
from tests.firmware import tiny_model
from tests.firmware.bluetooth import reports


def test_aes_is_openssls() -> None:
    draws = random.Random(1)
    for _ in range(200):
        key, block = draws.randbytes(16), draws.randbytes(16)
        assert aes128(key, block) == Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


@pytest.mark.parametrize("length", [13, 15, 16, 17, 40])
def test_encryption_is_that_of_the_reference_encoder(length: int) -> None:
    draws = random.Random(length)
    for counter in (1, 1022, 2**32 - 2):
        key, plain = draws.randbytes(16), draws.randbytes(length)
        assert sealed(plain, key, counter) == bthome.encrypted(plain, key, ADDRESS, counter)


def test_packets_of_a_whole_story(tmp_path: Path) -> None:
    """Frame by frame what `tests.firmware.bluetooth`, which the firmware is held to, makes of them."""
    from firmware.frames import frames_in as decoded
    from tests.firmware.test_broadcaster import started, story

    model = tiny_model.write(tmp_path / "model", tiny_model.preprocessing())
    library = build(model, tmp_path / "out", "host").product
    host, _ = started(library, *story(), sensors=3, report_windows=1, heartbeat_s=3, alert_repeat_s=4)
    host.run(30)
    told = [bthome.objects(report) for report in reports(decoded(host.text))]
    lines = host.text.splitlines(keepends=True)
    found, seen = [], 0
    for number in range(len(lines)):
        frames = frames_in("".join(lines[: number + 1]))
        said = sum(raw[1] != 11 for raw in frames)
        if said > seen:
            seen = said
            found.append(objects_of(frames))
    assert found == told
    log = tmp_path / "console.log"
    log.write_text(host.text)
    whole = bytes.fromhex(advertisement_of_the_last_frame(str(log)))
    assert whole[:4] == bytes.fromhex("01082020")
    assert whole[5 : 5 + whole[4]] == bthome.advertisement(b"\x40" + told[-1])
