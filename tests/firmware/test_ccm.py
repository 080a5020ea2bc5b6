"""AES-128 and its CCM mode: against the standard's vector and OpenSSL."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from firmware.host import Core

pytest.importorskip("cryptography", reason="no cryptography: pip install simtwin[gateway]")

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM


@pytest.fixture(scope="module")
def core(library: Path) -> Core:
    return Core(library)


def test_the_standards_vectors(core: Core) -> None:
    """FIPS 197, appendices B and C.1."""
    for key, plain, cipher in (
        ("2b7e151628aed2a6abf7158809cf4f3c", "3243f6a8885a308d313198a2e0370734", "3925841d02dc09fbdc118597196a0b32"),
        ("000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff", "69c4e0d86a7b0430d8cdb78070b4c55a"),
    ):
        assert core.aes128(bytes.fromhex(key), bytes.fromhex(plain)).hex() == cipher


def test_aes_is_openssls(core: Core) -> None:
    draws = random.Random(1)
    for _ in range(3000):
        key, block = draws.randbytes(16), draws.randbytes(16)
        encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
        assert core.aes128(key, block) == encryptor.update(block)


def test_ccm_is_openssls(core: Core) -> None:
    """Every length that is allowed, and many random messages of the length that is sent."""
    draws = random.Random(2)
    for length in [*range(256), *[15] * 2000, *[13] * 500]:
        key, nonce, plain = draws.randbytes(16), draws.randbytes(13), draws.randbytes(length)
        assert core.ccm(key, nonce, plain) == AESCCM(key, tag_length=4).encrypt(nonce, plain, None)


def test_what_is_too_long_is_refused(core: Core) -> None:
    assert core.ccm(bytes(16), bytes(13), bytes(256)) is None


def test_bthomes_published_example(core: Core) -> None:
    """https://bthome.io/encryption: temperature 25.06 C, humidity 50.55 %, counter 00112233."""
    key, address = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932"), bytes.fromhex("5448E68F80A5")
    nonce = address + bytes.fromhex("D2FC41") + bytes.fromhex("00112233")
    sealed = core.ccm(key, nonce, bytes.fromhex("02CA0903BF13"))
    assert sealed == bytes.fromhex("a47266c95f73") + bytes.fromhex("78237214")
