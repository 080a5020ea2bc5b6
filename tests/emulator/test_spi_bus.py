"""Several sensors on one bus, and wires that fail, as the firmware sees them."""

import numpy as np
import pytest

from emulator.errors import MachineError
from emulator.machine import Machine, Sensor
from emulator.sources import ArraySource
from emulator.spi_bus import BusFault
from sim.errors import ParameterError
from tests.emulator.programs import program

WHO = """int main(void) {
    spi_init(); every(10000); interrupts_on();
    for (;;) {
        wait();
        for (uint32_t n = 0; n < 4; n++) { spi_select(n); hex(imu_read(0x0F)); put(n < 3 ? ' ' : '\\n'); }
    }
}"""

FIFO = """int main(void) {
    spi_init(); imu_write(0x12, 0x44); imu_write(0x10, 0x84); imu_write(0x09, 0x08); imu_write(0x0A, 0x06);
    every(10000); interrupts_on();
    uint32_t expected = 0, n = 0, wrong = 0, overruns = 0;
    while (ticks < 150) {
        wait();
        if (ticks == 100) { uint32_t from = ticks; while (ticks < from + 40) wait(); }
        uint8_t s[4] = {0x80 | 0x3A}; spi(s, 3);
        if (s[2] & 0x08) overruns++;
        for (uint32_t words = s[1] | (s[2] & 3u) << 8; words != 0;) {
            uint8_t burst[64] = {0x80 | 0x78};
            uint32_t take = words < 8 ? words : 8;
            spi(burst, 1 + 7 * take);
            for (uint32_t k = 0; k < take; k++) {
                uint32_t x = burst[2 + 7 * k] | (uint32_t)burst[3 + 7 * k] << 8;
                if (n++ && x != expected) { wrong++; line("gap", x - expected); }
                expected = (x + 1) & 0xFFFF;
            }
            words -= take;
        }
    }
    line("samples", n); line("wrong", wrong); line("overruns", overruns); for (;;) wait();
}"""


def still() -> ArraySource:
    return ArraySource(np.zeros((1, 6), dtype=int), 1666.0)


def test_each_sensor_answers_to_its_chip_select_and_nobody_reads_ff() -> None:
    machine = Machine(program(WHO), [Sensor(still(), line=n) for n in (0, 2, 3)])
    assert machine.run_until_line("", 0.1) == "0000006c 000000ff 0000006c 0000006c"


def test_bursts_read_every_sample_once_and_a_late_reader_sees_the_overrun() -> None:
    ramp = np.zeros((3000, 6), dtype=np.int64)
    ramp[:, 0] = np.arange(3000)
    machine = Machine(program(FIFO), [Sensor(ArraySource(ramp, 1666.0))])
    machine.run_until_line("overruns", 2.0)
    # After 40 alarms without a reader 666 samples came, and 512 were kept.
    output = machine.uart_output().decode().splitlines()
    said = {name: int(value, 16) for name, value in (text.split() for text in output)}
    assert said["wrong"] == 1
    assert said["gap"] == machine.sensors[0].words_lost == pytest.approx(0.41 * 1666 - 512, abs=2)
    assert said["overruns"] == 1
    assert said["samples"] == pytest.approx(1.5 * 1666 - said["gap"], abs=17)


FAULTS = {
    "cut_high": (BusFault("cut_high", 0.035, 0.065), 0xFF),
    "cut_low": (BusFault("cut_low", 0.035, 0.065), 0x00),
    "stuck_bit_low": (BusFault("stuck_bit_low", 0.035, 0.065, bit=3), 0x64),
    "stuck_bit_high": (BusFault("stuck_bit_high", 0.035, 0.065, bit=0), 0x6D),
    "no_select": (BusFault("no_select", 0.035, 0.065), 0xFF),
    "bit_flips": (BusFault("bit_flips", 0.035, 0.065, probability=1.0), 0x93),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_faults_of_a_wire_come_and_go(kind: str) -> None:
    fault, wrong = FAULTS[kind]
    machine = Machine(program(WHO), [Sensor(still()), Sensor(still(), faults=[fault])])
    machine.run(0.105)
    answers = [line.split() for line in machine.uart_output().decode().splitlines()]
    assert [int(a[0], 16) for a in answers] == [0x6C] * len(answers)
    assert [int(a[1], 16) for a in answers[:9]] == [0x6C] * 3 + [wrong] * 3 + [0x6C] * 3


def test_flips_are_as_many_as_asked_for_and_the_same_in_every_run() -> None:
    def run() -> list[int]:
        fault = BusFault("bit_flips", probability=0.05, seed=3)
        machine = Machine(program(WHO.replace("10000", "1000")), [Sensor(still(), faults=[fault])])
        machine.run(1.0)
        return [int(line.split()[0], 16) for line in machine.uart_output().decode().splitlines()]

    answers = run()
    flipped = sum((answer ^ 0x6C).bit_count() for answer in answers) / (8 * len(answers))
    # Binomial: three standard deviations.
    assert flipped == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / (8 * len(answers))))
    assert run() == answers


def test_chip_select_by_a_pin() -> None:
    main = """int main(void) {
        spi_init(); REG(SPI2 + 0x20) = 0x3F;
        REG(GPIO + 0x08) = 1u << 10; REG(GPIO + 0x24) = 1u << 10;
        hex(imu_read(0x0F)); REG(GPIO + 0x0C) = 1u << 10; put(' '); hex(imu_read(0x0F)); REG(GPIO + 0x08) = 1u << 10;
        put('\\n'); for (;;) wait();
    }"""
    machine = Machine(program(main), [Sensor(still(), pin=10)])
    assert machine.run_until_line("", 0.1) == "000000ff 0000006c"


def test_two_at_once_are_an_error() -> None:
    main = "int main(void) { spi_init(); REG(SPI2 + 0x20) = 0x3C; imu_read(0x0F); for (;;) wait(); }"
    with pytest.raises(MachineError, match="2 devices selected at once"):
        Machine(program(main), [Sensor(still()), Sensor(still())]).run(0.01)


def test_a_transfer_takes_the_time_of_its_bits_and_can_interrupt() -> None:
    trap = """
    volatile uint32_t ticks;
    uint32_t trap(uint32_t cause, uint32_t epc) { (void)cause; REG(SPI2 + 0x38) = 1u << 12; ticks++; return epc; }"""
    main = """int main(void) {
        spi_init(); route(SPI2_SOURCE, 5, 2); REG(SPI2 + 0x34) = 1u << 12; interrupts_on();
        REG(SPI2 + 0x1C) = 64 * 8 - 1; REG(SPI2) = 1u << 23;
        uint64_t from = now(); REG(SPI2) = 1u << 24; while (!ticks) wait();
        line("ticks", (uint32_t)(now() - from)); for (;;) wait();
    }"""
    machine = Machine(program(main, trap=trap))
    took = int(machine.run_until_line("ticks", 0.1).split()[1], 16) / 16e6
    assert took == pytest.approx(64 * 8 / 10e6, abs=1e-6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("REG(SPI2 + 0xE8) = 0; REG(SPI2) = 1u << 24;", "USR set without a clock"),
        ("spi_init(); REG(SPI2) = 1u << 24;", "USR set before CMD.UPDATE"),
        ("spi_init(); uint8_t b[4] = {0}; spi(b, 4); REG(SPI2 + 0x1C) = 65 * 8 - 1; REG(SPI2) = 1u << 23;"
         "REG(SPI2) = 1u << 24;", "65 bytes of data"),
        ("spi_init(); REG(SPI2) = 1u << 23; REG(SPI2 + 0x1C) = 511; REG(SPI2) = 1u << 23; REG(SPI2) = 1u << 24;"
         "REG(SPI2 + 0x98) = 0;", "SPI2.W0 written while a transaction runs"),
    ],
)  # fmt: skip
def test_what_would_hang_or_garble_on_the_chip_is_an_error(wrong: str, message: str) -> None:
    with pytest.raises(MachineError, match=message):
        Machine(program(f"int main(void) {{ {wrong} for (;;) wait(); }}")).run(0.01)


def test_faults_are_checked() -> None:
    with pytest.raises(ParameterError, match="unknown bus fault 'melted'; allowed: cut_high"):
        BusFault("melted")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="onset_s >= 0 and before clear_s"):
        BusFault("cut_low", 2.0, 1.0)
