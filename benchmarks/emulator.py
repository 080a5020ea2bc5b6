"""How fast the emulated chip runs: plain Unicorn, with the hook in C, with the hook in Python; and against real time.

    python -m benchmarks.emulator

Compute: int8 products and sums as a network has them, and a loop of three instructions as the worst case: the hook costs
the same for every block of instructions, however short. Plain Unicorn runs the same program without
counting, events or registers: it is the bound, and its rate uses the count of the others. Reading: accelerometer and
gyroscope at 3332 Hz, read from the FIFO over SPI by bursts of 63 bytes every 10 ms, the processor asleep between. Times are
CPU seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import unicorn
from unicorn import riscv_const

from emulator.chip import Chip
from emulator.cpu import Hook
from emulator.elf import Image
from emulator.machine import Machine, Sensor
from emulator.sources import ArraySource
from tests.emulator.programs import program

PRODUCTS = """
static int8_t weights[4096], inputs[4096]; volatile int32_t result;
int main(void) {
    for (uint32_t i = 0; i < 4096; i++) { weights[i] = (int8_t)(i * 7); inputs[i] = (int8_t)(i * 13); }
    int32_t sum = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < 4096; i++) sum += weights[i] * inputs[(i + round) & 4095];
        result = sum;
    }
    wait(); for (;;) wait();
}"""
TIGHT = """
int main(void) {
    for (uint32_t n = ROUNDS; n; n--)
        __asm__ volatile("li t0, 10000\\n1: addi t0, t0, -1\\n add t1, t1, t0\\n bnez t0, 1b" ::: "t0", "t1");
    wait(); for (;;) wait();
}"""
READING = """
int main(void) {
    spi_init(); imu_write(0x12, 0x44); imu_write(0x10, 0x94); imu_write(0x11, 0x9C); imu_write(0x09, 0x99); imu_write(0x0A, 6);
    every(10000); interrupts_on();
    for (;;) {
        wait();
        uint8_t s[4] = {0x80 | 0x3A}; spi(s, 3);
        for (uint32_t words = s[1] | (s[2] & 3u) << 8; words != 0;) {
            uint8_t burst[64] = {0x80 | 0x78};
            uint32_t take = words < 9 ? words : 9;
            spi(burst, 1 + 7 * take); words -= take;
        }
    }
}"""
READING_S = 10.0
_JOBS = {"products": PRODUCTS, "tight loop": TIGHT}
_ROUNDS: dict[Hook, int] = {"native": 10_000, "python": 100}


def run() -> dict[str, float]:
    """Million instructions a second by way of running, and virtual seconds a second."""
    figures: dict[str, float] = {}
    for job, source in _JOBS.items():
        for hook, rounds in _ROUNDS.items():
            elf = program(source.replace("ROUNDS", str(rounds)))
            machine = Machine(elf, hook=hook)
            seconds = _seconds(lambda m=machine: m.run(10.0))  # type: ignore[misc]
            figures[f"{job}, hook in {hook}"] = machine.instructions / seconds / 1e6
            if hook == "native":
                figures[f"{job}, plain Unicorn"] = machine.instructions / _plain(elf) / 1e6
    counts = np.zeros((int(READING_S * 3332), 6), dtype=np.int64)
    for hook in _ROUNDS:
        machine = Machine(program(READING), [Sensor(ArraySource(counts, 3332.0))], hook=hook)
        figures[f"reading, hook in {hook}"] = READING_S / _seconds(lambda m=machine: m.run(READING_S))  # type: ignore[misc]
        if machine.sensors[0].words_lost:
            raise RuntimeError("the reader lost samples: the figure would be of another job")
    return figures


def _seconds(call: Callable[[], None]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def _plain(elf: Path) -> float:
    """CPU seconds of plain Unicorn on the program, until its first WFI."""
    chip = Chip(Image.load(elf))
    uc = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
    for memory in chip.memories:
        uc.mem_map(memory.base, memory.size)
        uc.mem_write(memory.base, memory.read(memory.base, memory.size))
    started = time.process_time()
    uc.emu_start(chip.image.entry, 0xFFFFFFFE)
    seconds = time.process_time() - started
    pc = uc.reg_read(riscv_const.UC_RISCV_REG_PC)
    if bytes(uc.mem_read(pc - 4, 4)) != (0x10500073).to_bytes(4, "little"):
        raise RuntimeError("the program did not come to its end")
    return seconds


def main() -> None:
    """Print the figures."""
    figures = run()
    for job in _JOBS:
        plain = figures[f"{job}, plain Unicorn"]
        for way in ("plain Unicorn", "hook in native", "hook in python"):
            rate = figures[f"{job}, {way}"]
            ratios = f"{rate / plain:8.3f} of plain Unicorn {rate / 160:8.2f} times real time"
            print(f"{job + ', ' + way:<32}{rate:9.1f} MIPS {ratios}")
    for name in ("reading, hook in native", "reading, hook in python"):
        print(f"{name:<32}{figures[name]:9.1f} times real time")


if __name__ == "__main__":
    main()
