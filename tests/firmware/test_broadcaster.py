"""When the firmware broadcasts what: a packet a console frame, the controller's commands, counters never used twice."""

from __future__ import annotations

import random
import struct
from binascii import crc32
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bthome_ble", reason="no bthome-ble: pip install simtwin[gateway]")

from firmware.fifo_imu import FifoImu
from firmware.frames import FrameType
from firmware.host import FLASH_BYTES, HCI, End, Host
from gateway import bthome
from gateway.bthome import Report
from tests.firmware import machine
from tests.firmware.bluetooth import (
    ADDRESS,
    DATA,
    PARAMETERS,
    RESET,
    SET_UP,
    Controller,
    attach,
    commands_in,
    complete,
    reports,
    status,
)  # fmt: skip

KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
OWN = bytes.fromhex("FCDFA1000001")  # of the chip's 7C:DF:A1:00:00:01
STEP = 1021
HELLO = Report(0, False, False, 0, machine_state=None)


def started(
    library: Path, *streams: np.ndarray, flash: bytearray | None = None, key: bytes | None = None, **config: int
) -> tuple[Host, Controller]:
    """A device that was given its settings in an earlier life, just started with a controller; each setting is one packet."""
    flash = bytearray(b"\xff" * FLASH_BYTES) if flash is None else flash
    streams = streams or (machine.samples(60),)
    if config or key:
        earlier = machine.device(library, streams[0][:1], flash=flash)
        lines = [f"config {name} {value}" for name, value in config.items()]
        for line in [*lines, *([f"bindkey {key.hex()}"] if key else [])]:
            assert earlier.command(line)[-1].startswith("ok"), line
    host = Host(library, flash=flash)
    host.imus = [FifoImu(each, lambda: host.time_us) for each in streams]
    controller = attach(host)
    assert host.start() == End.RUNS
    return host, controller


def counters(packets: list[bytes]) -> list[int]:
    """Of encrypted packets."""
    assert all(packet[0] == bthome.ENCRYPTED for packet in packets)
    return [int.from_bytes(packet[-8:-4], "little") for packet in packets]


def test_the_commands_that_begin_it(library: Path) -> None:
    """Byte by byte, and as Bumble reads them."""
    host, controller = started(library)
    host.run(0.3)
    assert bytes(host.sent[HCI]) == bytes.fromhex(
        "01 030C 00"
        "01 0520 06 010000A1DFFC"
        "01 0620 0F 4001 4001 03 01 00 000000000000 07 00"
        "01 0820 20 15 020106 11 16 D2FC 40 0000 2600 2C00 510000 5402 8FFF 00000000000000000000"
        "01 0A20 01 01".replace(" ", "")
    )
    hci = pytest.importorskip("bumble.hci", reason="no Bumble: pip install simtwin[gateway]")
    sent = [
        hci.HCI_Command.from_bytes(struct.pack("<BHB", 1, opcode, len(parameters)) + parameters)
        for opcode, parameters in controller.commands
    ]
    assert [type(each).__name__ for each in sent] == [
        "HCI_Reset_Command", "HCI_LE_Set_Random_Address_Command", "HCI_LE_Set_Advertising_Parameters_Command",
        "HCI_LE_Set_Advertising_Data_Command", "HCI_LE_Set_Advertising_Enable_Command",
    ]  # fmt: skip
    assert sent[1].random_address.to_string(False) == "FC:DF:A1:00:00:01"
    assert sent[1].random_address.is_static
    assert (sent[2].advertising_interval_min, sent[2].advertising_interval_max) == (320, 320)  # 200 ms
    assert sent[2].advertising_type == hci.HCI_LE_Set_Advertising_Parameters_Command.AdvertisingType.ADV_NONCONN_IND
    assert sent[2].own_address_type == hci.OwnAddressType.RANDOM
    assert (sent[2].advertising_channel_map, sent[2].advertising_filter_policy) == (7, 0)
    assert sent[4].advertising_enable == 1
    assert controller.packets == [bthome.service_data(HELLO)]


@pytest.mark.parametrize("mac", ["00000000002a", "7fffffffffff", "b00000000000"])
def test_the_address_is_the_chips_with_two_bits_set(library: Path, mac: str) -> None:
    host = Host(library)
    host.mac = bytes.fromhex(mac)
    controller = attach(host)
    host.start()
    host.run(0.3)
    address = bytes(reversed(controller.commands[1][1]))
    assert address[0] == host.mac[0] | 0xC0
    assert address[1:] == host.mac[1:]
    assert f"address {address.hex(':').upper()} plain" in host.command("status")[-2]


def story() -> tuple[np.ndarray, ...]:
    """Three IMUs: all sound, then the machine ails; then, while it does, one sensor sticks and another is cut off."""
    streams = [machine.samples(40, level=3000, axes=3, onset_s=6, seed=seed) for seed in range(3)]
    rate = machine.RATE_HZ
    for stream in streams:
        stream[round(24 * rate) :] = machine.samples(16, seed=9)
    streams[1][round(12 * rate) : round(20 * rate)] = 700
    streams[2][round(14 * rate) : round(18 * rate)] = np.clip(
        streams[2][round(14 * rate) : round(18 * rate)], -900, 900
    )
    return tuple(streams)


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "encrypted"])
def test_a_packet_for_every_frame_but_those_of_windows(library: Path, key: bytes | None) -> None:
    host, controller = started(library, *story(), key=key, sensors=3, report_windows=1, heartbeat_s=3, alert_repeat_s=4)
    host.imus[0].temperature_c = 30.5  # type: ignore[attr-defined]
    host.run(40)
    expected = list(reports(host.frames))
    kinds = {frame.type for frame in host.frames}
    assert kinds >= set(FrameType) - {FrameType.MACHINE_CHANGED, FrameType.SENSOR_CHANGED}
    assert {report.sensor for report in expected} >= {None, 1}
    assert any(report.machine_alert and report.sensor_alert for report in expected)
    packets = [bthome.service_data(report, key, OWN, 1 + number) for number, report in enumerate(expected)]
    if key is None:
        packets = [bthome.service_data(report) for report in expected]
    assert controller.packets == packets
    assert controller.opcodes == [*SET_UP, *[DATA] * (len(packets) - 1)]


def test_packets_made_at_one_moment_are_each_on_the_air_for_an_interval(library: Path) -> None:
    host, controller = started(library, *story(), sensors=3, alert_repeat_s=4)
    at_s = [0.0] * len(controller.commands)
    host.on_hci = lambda packet: (at_s.append(host.time_us / 1e6), controller(packet))[1]
    host.run(40)
    handed_s = [time_s for time_s, opcode in zip(at_s, controller.opcodes, strict=True) if opcode == DATA]
    gaps_s = np.diff(handed_s)
    assert min(gaps_s) >= 0.21  # an interval and the random delay of up to 10 ms
    assert np.count_nonzero(gaps_s < 0.3) >= 2  # there were such moments
    assert len(controller.packets) == sum(frame.type != FrameType.WINDOW for frame in host.frames)


def test_switched_off_nothing_is_sent(library: Path) -> None:
    host, controller = started(library, bluetooth=0, heartbeat_s=1)
    host.run(5)
    assert controller.commands == []
    assert "bluetooth off" in host.command("status")[-2]


def test_without_a_controller_it_begins_again_with_every_packet(library: Path) -> None:
    """And the rest goes on as ever: heartbeats at their times, the watchdog fed at every tick."""
    host, controller = started(library, heartbeat_s=3, report_windows=1)
    controller.mute = True
    for _ in range(600):
        host.run(0.02)
        assert host.fed_us is not None
        assert host.time_us - host.fed_us <= 20_000
    beats = [frame.uptime_ms for frame in host.frames if frame.type == FrameType.HEARTBEAT]
    assert beats == pytest.approx([3000, 6000, 9000, 12000], abs=25)
    # It fell silent in the middle of what the hello began.
    assert controller.opcodes == [RESET, ADDRESS, PARAMETERS, RESET, RESET, RESET, RESET]
    assert "bluetooth no-controller" in host.command("status")[-2]
    controller.mute = False
    host.run(3.5)
    assert controller.opcodes[7:] == list(SET_UP)
    assert controller.packets == [bthome.service_data(list(reports(host.frames))[-1])]  # the latest alone
    assert "bluetooth on" in host.command("status")[-2]


@pytest.mark.parametrize("failing", SET_UP, ids=hex)
@pytest.mark.parametrize("answer", [
    lambda opcode: b"", lambda opcode: complete(opcode, status=0x0C), lambda opcode: status(opcode, 0x01),
    lambda opcode: b"\x04\x10\x01\x42",
], ids=["silence", "refused", "unknown", "hardware error"])  # fmt: skip
def test_a_command_that_fails(library: Path, failing: int, answer: Callable[[int], bytes]) -> None:
    """Nothing more is sent until the next packet, which begins anew."""
    host, controller = started(library, heartbeat_s=2)
    failed = []

    def answered(packet: bytes) -> bytes:
        ((opcode, _),) = commands_in(packet)
        if opcode == failing and not failed:
            failed.append(opcode)
            controller(packet)
            return answer(opcode)
        return controller(packet)

    host.sent[HCI].clear()
    controller.commands.clear()
    host.on_hci = answered
    assert host.start() == End.RUNS
    host.run(1.9)
    done = SET_UP.index(failing) + 1
    assert controller.opcodes == list(SET_UP[:done])
    host.run(0.5)
    assert controller.opcodes[done:] == list(SET_UP)


def test_command_status_and_flow_control(library: Path) -> None:
    """Command Status 0 is no answer yet; a controller that allows no command is not given one."""
    host, controller = started(library)
    controller.commands.clear()
    host.on_hci = lambda packet: (controller(packet), b"")[1]
    host.start()
    host.type(status(RESET), HCI)
    host.run(0.2)
    assert controller.opcodes == [RESET]
    host.type(complete(RESET, allowed=0), HCI)
    host.run(0.2)
    assert controller.opcodes == [RESET]
    host.type(complete(0, allowed=1)[:6].replace(b"\x04\x0e\x04", b"\x04\x0e\x03"), HCI)
    host.run(0.2)
    assert controller.opcodes == [RESET, ADDRESS]
    host.type(complete(PARAMETERS) + complete(RESET), HCI)  # answers to what was not asked
    host.run(0.2)
    assert controller.opcodes == [RESET, ADDRESS]
    for byte in b"\x04\x3e\x02\x01\x02" + complete(ADDRESS):  # another event, and cut anywhere
        host.type(bytes([byte]), HCI)
        host.run(0.02)
    assert controller.opcodes == [RESET, ADDRESS, PARAMETERS]


def test_noise_from_the_controller(library: Path) -> None:
    """Whatever comes, packets go on once it answers properly again."""
    draws = random.Random(3)
    host, controller = started(library, heartbeat_s=1, report_windows=1)
    for _ in range(150):
        noise = (
            draws.randbytes(draws.randrange(1, 90)) if draws.random() < 0.7 else complete(DATA, draws.randrange(256))
        )
        host.type(noise, HCI)
        assert host.run(0.1) == End.RUNS
    host.run(3)  # what is left of a broken event is forgotten with the next Reset
    before = len(controller.packets)
    host.run(5)
    assert len(controller.packets) >= before + 4
    assert controller.packets[-1] == bthome.service_data(list(reports(host.frames))[-1])


# ---- the bind key ----


def test_the_key_is_set_and_cleared_and_never_told(library: Path) -> None:
    host, controller = started(library, heartbeat_s=1)
    host.run(0.3)
    assert host.command("bindkey") == ["ok bindkey none"]
    for wrong in ("", KEY.hex()[:-1], KEY.hex() + "0", "x" * 32, KEY.hex()[:-1] + "g", KEY.hex()[:-1] + "@", "NONE"):
        if wrong:
            assert host.command(f"bindkey {wrong}") == ["error the key must be 32 hexadecimal digits, or none"]
    assert host.command(f"bindkey {KEY.hex().upper()}") == ["ok bindkey set"]
    assert host.command("bindkey") == ["ok bindkey set"]
    host.run(1.5)
    assert counters(controller.packets[-1:]) == [1]
    assert host.command("defaults")[-1].startswith("ok")
    for line in ("status", "config", "help", "version", "bindkey"):
        host.command(line)
    text = host.text.lower()
    assert KEY.hex() not in text
    assert KEY.hex()[:8] not in text
    again, controller = started(library, flash=host.flash)
    again.run(0.3)
    assert counters(controller.packets) == [STEP + 1]
    assert again.command("bindkey none") == ["ok bindkey none"]
    assert KEY not in _newest(again.flash)
    last, controller = started(library, flash=again.flash)
    last.run(0.3)
    assert controller.packets == [bthome.service_data(HELLO)]


def test_a_key_that_could_not_be_saved_is_not_used(library: Path) -> None:
    host, controller = started(library, heartbeat_s=1)
    host.run(0.3)
    host.flash_is_broken = True
    assert host.command(f"bindkey {KEY.hex()}") == ["error flash: not saved"]
    assert host.command("bindkey") == ["ok bindkey none"]
    host.run(2)
    assert controller.packets[-1][0] == bthome.PLAIN


# ---- the counter ----


def _newest(flash: bytearray) -> bytes:
    at = max(
        (slot for slot in range(0, FLASH_BYTES, 256) if flash[slot : slot + 4] == b"STC2"),
        key=lambda slot: struct.unpack_from("<I", flash, slot + 4),
    )
    return bytes(flash[at : at + 256])


def test_counters_go_on_by_one_and_after_a_start_above_the_bound(library: Path) -> None:
    flash = bytearray(b"\xff" * FLASH_BYTES)
    started(library, flash=flash, key=KEY, heartbeat_s=1)[0].run(0.1)
    for start in range(1, 40):  # more than fill both sectors
        host, controller = started(library, machine.samples(4), flash=flash)
        host.run(3.2)
        first = STEP * start + 1
        assert counters(controller.packets) == [first + n for n in range(4)], start


def test_the_bound_moves_before_the_counter_gets_there(library: Path) -> None:
    host, controller = started(library, machine.samples(1), key=KEY, heartbeat_s=1, batch_ms=50, silent_ms=5000)
    host.run(2100)
    sent = counters(controller.packets)
    assert sent == list(range(sent[0], sent[0] + len(sent)))
    assert len(sent) > 2 * STEP - 50
    assert struct.unpack_from("<I", _newest(host.flash), 12)[0] > sent[-1]
    again, controller = started(library, flash=host.flash)
    again.run(0.3)
    assert counters(controller.packets)[0] > sent[-1]
    # Receivers tell the start from lost packets: number and counter no longer go together.
    assert (counters(controller.packets)[0] - sent[-1]) % 256 != (0 - (len(sent) - 1)) % 256


def test_a_power_cut_at_every_flash_write(library: Path) -> None:
    """Lives of a device whose power goes at every byte of every write of the bound: no counter comes twice."""
    flash = bytearray(b"\xff" * FLASH_BYTES)
    started(library, flash=flash, key=KEY, heartbeat_s=1)
    used: list[int] = []
    ends = set()
    for spend in range(420):
        host = Host(library, flash=flash)
        host.imus = [FifoImu(machine.samples(3), lambda host=host: host.time_us)]  # type: ignore[misc]
        controller = attach(host)
        host.spend = spend % 210
        end = host.start()
        if end == End.RUNS:
            end = host.run(1.3 if spend % 3 else 0.1)
        ends.add(end)
        used += counters(controller.packets)
    assert ends == {End.RUNS, End.POWER_CUT}
    assert len(used) > 100
    assert used == sorted(set(used))


def test_a_power_cut_while_the_bound_moves_on_the_run(library: Path) -> None:
    """The first packet after the key was set moves it."""
    cuts = 0
    for spend in range(200):
        host, controller = started(library, machine.samples(3), heartbeat_s=1)
        host.run(0.3)
        host.command(f"bindkey {KEY.hex()}")
        controller.commands.clear()
        host.spend = spend
        end = host.run(1.2)
        used = counters(controller.packets)
        again, controller = started(library, machine.samples(3), flash=host.flash)
        again.run(0.3)
        assert not set(used) & set(counters(controller.packets))
        assert (end == End.POWER_CUT) == (used == [])
        cuts += end == End.POWER_CUT
        if end == End.RUNS:
            break
    assert 100 < cuts < 199


def test_damage_to_the_newest_record_lets_no_counter_come_twice(library: Path) -> None:
    flash = bytearray(b"\xff" * FLASH_BYTES)
    used: list[int] = []
    draws = random.Random(5)
    started(library, flash=flash, key=KEY, heartbeat_s=1)
    for life in range(80):
        host, controller = started(library, machine.samples(3), flash=flash)
        host.run(1.2)
        sent = counters(controller.packets)
        assert not set(sent) & set(used)
        used += sent
        at = flash.index(_newest(flash))
        if life % 2:  # every other life ends so
            flash[at + draws.randrange(150)] ^= 1 << draws.randrange(8)
    assert len(used) == 160


def test_flash_that_takes_nothing_silences_an_encrypted_device(library: Path) -> None:
    """Sending with a counter that is not in flash could mean to use it twice."""
    flash = bytearray(b"\xff" * FLASH_BYTES)
    started(library, flash=flash, key=KEY, heartbeat_s=1)
    host = Host(library, flash=flash)
    host.flash_is_broken = True
    host.imus = [FifoImu(machine.samples(10), lambda: host.time_us)]
    controller = attach(host)
    assert host.start() == End.RUNS
    host.run(4)
    assert controller.commands == []
    assert host.lines.count("bluetooth: silent, for its counter could not be saved") == 1
    assert sum(frame.type == FrameType.HEARTBEAT for frame in host.frames) >= 3


@pytest.mark.parametrize(("bound", "expected"), [
    (2**32 - 4, [2**32 - 3, 2**32 - 2]), (2**32 - 2, []), (2**32 - 1, []),
    (2**32 - 1 - STEP, [2**32 - STEP + n for n in range(6)]),
])  # fmt: skip
def test_at_its_end_the_counter_does_not_begin_again(library: Path, bound: int, expected: list[int]) -> None:
    body = b"STC2" + struct.pack("<IIII", 7, 3, bound, 1) + KEY + struct.pack("<I", 0)
    flash = bytearray((body + struct.pack("<I", crc32(body))).ljust(FLASH_BYTES, b"\xff"))
    host, controller = started(library, flash=flash)
    for _ in range(5):
        host.command("config heartbeat_s 1")
        host.run(1)
    assert counters(controller.packets)[: len(expected)] == expected
    if len(expected) < 5:
        assert len(controller.packets) == len(expected)
        assert "bluetooth: silent, for its counter is at its end" in host.lines
