"""What the emulated ESP32 must do, register by register; see conformance.py.

Run on the C# peripherals under a stub of Renode, and, as `tests/conformance_esp32.robot`, on Renode. Expected values are the
ESP32 Technical Reference Manual's (chapter in each script's `source`).
"""

from __future__ import annotations

from renode.conformance import ALL_BITS, WATCHDOG_KEY, Cut, Line, Pass, Read, Receive, Script, Sent, Step, Write

DPORT, UART0, UART1, FLASH, GPIO = 0x3FF00000, 0x3FF40000, 0x3FF50000, 0x3FF42000, 0x3FF44000
RTC, IO_MUX, EFUSE, TIMG0, TIMG1, SPI2 = 0x3FF48000, 0x3FF49000, 0x3FF5A000, 0x3FF5F000, 0x3FF60000, 0x3FF64000
FIFO0 = 0x60000000
"""UART0's FIFO on the other bus."""

EN, UP, RELOAD, PER_US, LEVEL, ALARM = 1 << 31, 1 << 30, 1 << 29, 80 << 13, 1 << 11, 1 << 10


def _route(source: int, line: int) -> Step:
    return Write(DPORT + 0x104 + 4 * source, line)


def _transfer(select: int, length: int) -> list[Step]:
    """A full-duplex transaction of SPI2."""
    return [
        Write(SPI2 + 0x34, 7 & ~(1 << select)),
        Write(SPI2 + 0x28, 8 * length - 1),
        Write(SPI2 + 0x2C, 8 * length - 1),
        Write(SPI2, 1 << 18),
        Pass(0.0001),
        Read(SPI2, 0, 1 << 18),
    ]


_SPI_ON: list[Step] = [Write(SPI2 + 0x1C, 1 << 27 | 1 << 28 | 1)]


def _flash(command: int, address: int | None = None, out: int = 0, back: int = 0) -> list[Step]:
    """A user-defined transaction of the flash controller."""
    user = 1 << 31 | (address is not None) << 30 | (out > 0) << 27 | (back > 0) << 28
    return [
        Write(FLASH + 0x1C, user),
        Write(FLASH + 0x20, 23 << 26),
        Write(FLASH + 0x24, 7 << 28 | command),
        Write(FLASH + 0x04, (address or 0) << 8),
        Write(FLASH + 0x28, max(0, 8 * out - 1)),
        Write(FLASH + 0x2C, max(0, 8 * back - 1)),
        Write(FLASH, 1 << 18),
        Pass(0.0001),
        Read(FLASH, 0, 1 << 18),
    ]


def _now(timer: int, value: int, group: int = TIMG0) -> list[Step]:
    """A timer's counter must be at a value."""
    at = group + 0x24 * timer
    return [Write(at + 0x0C, 1 << 31), Read(at + 0x04, value), Read(at + 0x08, 0)]


SCRIPTS = [
    Script(
        "GPIO And IO MUX", "ESP32 TRM, chapter 4",
        [
            Write(GPIO + 0x24, 0b1110), Write(GPIO + 0x28, 0b0100), Read(GPIO + 0x20, 0b1010), Write(GPIO + 0x08, 0b0110),
            Write(GPIO + 0x0C, 0b0010), Read(GPIO + 0x04, 0b0100), Read(GPIO + 0x530 + 4 * 5, 0x100),
            Write(GPIO + 0x530 + 4 * 5, 11), Read(GPIO + 0x530 + 4 * 5, 11), Write(GPIO + 0x130 + 4 * 9, 0x93),
            Read(GPIO + 0x130 + 4 * 9, 0x93), Write(IO_MUX + 0x74, 2 << 12 | 1 << 9), Read(IO_MUX + 0x74, 2 << 12 | 1 << 9),
        ],
    ),
    Script(
        "Interrupt Matrix Routes A Level", "ESP32 TRM, chapters 2 and 5: sources 24 and 25 are FROM_CPU 0 and 1",
        [
            Read(DPORT + 0x104 + 4 * 24, 16), Write(DPORT + 0xDC, 1), Line(0), _route(24, 2), Line(2), _route(24, 13),
            Line(13), _route(25, 12), Write(DPORT + 0xE0, 1), Line(12), Write(DPORT + 0xE0, 0), Line(13),
            _route(24, 16), Line(0),
            _route(24, 13), Write(DPORT + 0xDC, 0), Line(0),
        ],
    ),
    Script(
        "Timer Counts", "ESP32 TRM, chapter 18: 80 MHz through the divider; read after a capture; loaded by software",
        [
            Write(TIMG0 + 0x24, EN | UP | PER_US), Pass(0.01), Read(TIMG0 + 0x28, 0), *_now(1, 10_000),
            Write(TIMG0 + 0x3C, 500), Write(TIMG0 + 0x44, 1), *_now(1, 500), Pass(0.001), *_now(1, 1500),
            Write(TIMG0 + 0x24, UP | PER_US), Pass(0.01), *_now(1, 1500), Write(TIMG0 + 0x24, EN | UP | 8 << 13), Pass(0.001),
            *_now(1, 11_500), *_now(0, 0),
        ],
    ),
    Script(
        "Timer Alarm That Reloads", "ESP32 TRM, chapter 18: every alarm clears ALARM_EN; source 14",
        [
            _route(14, 2), Write(TIMG0, UP | RELOAD | PER_US), Write(TIMG0 + 0x10, 1000), Write(TIMG0 + 0x20, 1),
            Write(TIMG0 + 0x98, 1), Write(TIMG0, EN | UP | RELOAD | PER_US | LEVEL | ALARM), Line(0), Pass(0.0009), Line(0),
            Pass(0.0003), Line(2), Read(TIMG0 + 0x9C, 1), Read(TIMG0 + 0xA0, 1), Read(TIMG0, 0, ALARM), *_now(0, 200),
            Write(TIMG0 + 0xA4, 1), Line(0), Write(TIMG0, EN | UP | RELOAD | PER_US | LEVEL | ALARM), Pass(0.0007), Line(0),
            Pass(0.0002), Line(2), *_now(0, 100), Write(TIMG0 + 0xA4, 1), Pass(0.003), Line(0),
        ],
    ),
    Script(
        "Timer Alarm Once", "ESP32 TRM, chapter 18: without reload the counter goes on; source 15",
        [
            _route(15, 17), Write(TIMG0 + 0x34, 2000), Write(TIMG0 + 0x98, 2),
            Write(TIMG0 + 0x24, EN | UP | PER_US | LEVEL | ALARM), Pass(0.0019), Line(0), Pass(0.0002), Line(17),
            *_now(1, 2100), Write(TIMG0 + 0xA4, 2), Line(0), Pass(0.005), Line(0),
        ],
    ),
    Script(
        "UART Sends", "ESP32 TRM, chapter 13: the FIFO drains at the baud rate, 87 us a byte at 115200; both buses",
        [
            Write(UART0 + 0x14, 694 | 7 << 20), Write(FIFO0, 0x48), Write(FIFO0, 0x69), Write(UART0, 0x0A),
            Read(UART0 + 0x1C, 3 << 16, 0xFF << 16), Pass(0.0001), Read(UART0 + 0x1C, 2 << 16, 0xFF << 16),
            Pass(0.001), Read(UART0 + 0x1C, 0, 0xFF << 16), Sent(0, b"Hi\n"), Read(UART0 + 0x04, 1 << 14, 1 << 14),
        ],
    ),
    Script(
        "UART Receives And Interrupts", "ESP32 TRM, chapter 13: RXFIFO_FULL, RXFIFO_TOUT, the FIFO's ends; source 35",
        [
            _route(35, 13), Write(UART1 + 0x14, 694 | 7 << 20), Write(UART1 + 0x24, 1 << 31 | 2 << 24 | 2),
            Write(UART1 + 0x10, 0x101), Write(UART1 + 0x0C, 0x101), Line(0), Receive(1, b"\x04\xff"), Pass(0.0005), Line(13),
            Read(UART1 + 0x08, 1 << 8), Read(UART1 + 0x1C, 2, 0xFF), Read(UART1 + 0x60, 2 << 13), Read(UART1, 0x04),
            Read(UART1 + 0x60, 2 << 13 | 1 << 2), Read(UART1, 0xFF), Read(UART1 + 0x60, 2 << 13 | 2 << 2),
            Read(UART1 + 0x1C, 0, 0xFF), Write(UART1 + 0x10, 0x101), Line(0), Receive(1, b"abc"), Pass(0.0005),
            Read(UART1 + 0x04, 1, 1), Read(UART1, 0x61),
            Read(UART1, 0x62), Read(UART1, 0x63), Write(UART1 + 0x10, 0x101), Line(0), Read(UART1 + 0x04, 0, 0x101),
        ],
    ),
    Script(
        "SPI2 Reads A Sensor", "ESP32 TRM, chapter 7; LSM6DSO datasheet, WHO_AM_I; PIN's chip selects are disables",
        [
            *_SPI_ON, Write(SPI2 + 0x80, 0x8F), *_transfer(0, 2), Read(SPI2 + 0x80, 0x6C00, 0xFF00),
            Write(SPI2 + 0x80, 0x8F), *_transfer(2, 2), Read(SPI2 + 0x80, 0x6C00, 0xFF00),
            Write(SPI2 + 0x80, 0x8F), *_transfer(3, 2), Read(SPI2 + 0x80, 0xFF00, 0xFF00),
            Write(SPI2 + 0x80, 0x8410), *_transfer(1, 2),  # CTRL1_XL: 1660 Hz, 16 g
            Write(SPI2 + 0x80, 0x90), *_transfer(1, 2), Read(SPI2 + 0x80, 0x8400, 0xFF00),
        ],
    ),
    Script(
        "SPI2 Interrupts", "ESP32 TRM, chapter 7: TRANS_DONE and its enable in SLAVE; source 30",
        [
            _route(30, 9), *_SPI_ON, Write(SPI2 + 0x38, 1 << 9), Line(0), Write(SPI2 + 0x80, 0x8F), *_transfer(0, 2), Line(9),
            Read(SPI2 + 0x38, 1 << 4, 1 << 4), Write(SPI2 + 0x38, 1 << 9), Line(0),
        ],
    ),
    Script(
        "A Cut Wire Reads All Ones", "MISO is pulled up",
        [
            *_SPI_ON, Cut(0), Write(SPI2 + 0x80, 0x8F), *_transfer(0, 2), Read(SPI2 + 0x80, 0xFFFF, 0xFFFF),
            Write(SPI2 + 0x80, 0x8F), *_transfer(1, 2), Read(SPI2 + 0x80, 0x6C00, 0xFF00),
            Cut(0, mend=True), Write(SPI2 + 0x80, 0x8F), *_transfer(0, 2), Read(SPI2 + 0x80, 0x6C00, 0xFF00),
        ],
    ),
    Script(
        "Flash Erases And Programs", "ESP32 TRM, chapter 7: the address from the top; W25Q32JV datasheet",
        [
            *_flash(0x9F, back=3), Read(FLASH + 0x80, 0x1640EF, 0xFFFFFF), *_flash(0x06), *_flash(0x05, back=1),
            Read(FLASH + 0x80, 2, 3), *_flash(0x20, 0x3FE000), *_flash(0x05, back=1), Read(FLASH + 0x80, 1, 0x01), Pass(0.5),
            *_flash(0x05, back=1), Read(FLASH + 0x80, 0, 0x03), *_flash(0x06), Write(FLASH + 0x80, 0x12345678),
            *_flash(0x02, 0x3FE0FE, out=4), Pass(0.01), *_flash(0x03, 0x3FE0FC, back=4), Read(FLASH + 0x80, 0x5678FFFF),
            *_flash(0x03, 0x3FE000, back=4), Read(FLASH + 0x80, 0xFFFF1234),  # it wraps within the page
            *_flash(0x03, 0x3FF000, back=4), Read(FLASH + 0x80, ALL_BITS),
        ],
    ),
    Script(
        "RTC Watchdog Interrupts And Is Fed", "ESP32 TRM, chapters 11 and 31: 150 kHz; source 46",
        [
            _route(46, 18), Write(RTC + 0x3C, 1 << 3), Write(RTC + 0xA4, WATCHDOG_KEY), Write(RTC + 0x90, 15000),
            Write(RTC + 0x8C, 1 << 31 | 1 << 28), Write(RTC + 0xA0, 1 << 31), Pass(0.08), Line(0), Write(RTC + 0xA0, 1 << 31),
            Pass(0.08), Line(0), Pass(0.0205), Line(18), Read(RTC + 0x44, 1 << 3), Write(RTC + 0x48, 1 << 3), Line(0),
            Write(RTC + 0x8C, 0), Write(RTC + 0xA4, 0), Pass(0.5), Line(0),
        ],
    ),
    Script(
        "RTC Watchdog Resets The System", "ESP32 TRM, chapters 9 and 11: cause 0x10; STORE registers are lost",
        [
            Read(RTC + 0x34, 0x01, 0x3F), Write(RTC + 0x4C, 0x5A5A5A5A), Write(GPIO + 0x24, 4), Write(RTC + 0x90, 15000),
            Write(RTC + 0x8C, 1 << 31 | 4 << 28), Write(RTC + 0xA0, 1 << 31), Pass(0.2), Read(RTC + 0x34, 0x10, 0x3F),
            Read(RTC + 0x4C, 0), Read(GPIO + 0x20, 0),
        ],
    ),
    Script(
        "Software Reset", "ESP32 TRM, chapter 9: OPTIONS0 bit 31, cause 0x03; STORE registers stay",
        [
            Write(RTC + 0x50, 0x12345678), Write(GPIO + 0x24, 4), Write(RTC, 1 << 31), Pass(0.05),
            Read(RTC + 0x34, 0x03, 0x3F), Read(RTC + 0x50, 0x12345678), Read(GPIO + 0x20, 0), Read(RTC, 0, 1 << 31),
        ],
    ),
    Script(
        "Timer Group Watchdog", "ESP32 TRM, chapter 18: 80 MHz through the prescaler; cause 0x08 of group 1; source 16",
        [
            _route(16, 19), Write(TIMG0 + 0x98, 4), Write(TIMG0 + 0x4C, 8000 << 16), Write(TIMG0 + 0x50, 100),
            Write(TIMG0 + 0x48, 1 << 31 | 1 << 29), Pass(0.0099), Line(0), Pass(0.0002), Line(19), Read(TIMG0 + 0xA0, 4),
            Write(TIMG0 + 0xA4, 4), Line(0), Write(TIMG0 + 0x48, 0), Write(TIMG1 + 0x4C, 8000 << 16), Write(TIMG1 + 0x50, 100),
            Write(TIMG1 + 0x48, 1 << 31 | 3 << 29), Pass(0.05), Read(RTC + 0x34, 0x08, 0x3F),
        ],
    ),
    Script(
        "EFuse Holds The MAC Address", "ESP32 TRM, chapter 20: BLK0_RDATA1 and 2",
        [Read(EFUSE + 0x04, 0xA1000001), Read(EFUSE + 0x08, 0x7CDF, 0xFFFF), Read(EFUSE + 0x0C, 0)],
    ),
    Script(
        "A Peripheral's Reset", "ESP32 TRM, chapter 5: PERIP_RST_EN",
        [
            Read(DPORT + 0xC0, 0xF9C1E06F), Write(SPI2 + 0x28, 15), Read(SPI2 + 0x28, 15), Write(DPORT + 0xC4, 1 << 6),
            Read(SPI2 + 0x28, 0), Write(DPORT + 0xC4, 0), Read(DPORT + 0xC4, 0),
        ],
    ),
]  # fmt: skip
"""All scripts."""
