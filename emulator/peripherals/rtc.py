"""RTC controller (TRM chapter 9): watchdog, software resets, reset cause, slow timer, registers that outlive a reset."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import ClassVar

from emulator.clock import CPU_HZ, Clock
from emulator.errors import AccessError
from emulator.peripherals.base import Interrupt, Peripheral, Register
from emulator.peripherals.watchdog import KEY, Action, Stage, Watchdog

SLOW_HZ = 136_000
"""RC_SLOW, nominal."""


class ResetCause(IntEnum):
    """Why the chip started (TRM table 6-1)."""

    POWER_ON = 0x01
    CORE_SOFTWARE = 0x03
    CORE_TIMG0_WDT = 0x07
    CORE_TIMG1_WDT = 0x08
    CORE_RTC_WDT = 0x09
    CPU_TIMG0_WDT = 0x0B
    CPU_SOFTWARE = 0x0C
    CPU_RTC_WDT = 0x0D
    SYSTEM_RTC_WDT = 0x10
    CPU_TIMG1_WDT = 0x11

    @property
    def is_of_cpu(self) -> bool:
        """Only the processor starts anew."""
        return self in (self.CPU_TIMG0_WDT, self.CPU_SOFTWARE, self.CPU_RTC_WDT, self.CPU_TIMG1_WDT)

    @property
    def is_of_system(self) -> bool:
        """The RTC starts anew too."""
        return self in (self.POWER_ON, self.SYSTEM_RTC_WDT)


RequestReset = Callable[[ResetCause], None]

_OPTIONS0, _RESET_STATE, _WDT0, _WDT_FEED, _WDT_PROTECT = 0x00, 0x38, 0x90, 0xA4, 0xA8
_SWD_CONF, _SWD_PROTECT, _SWD_KEY = 0xAC, 0xB0, 0x8F1D312A
_INT_ENA, _WDT_INT = 0x40, 1 << 3
_STORES = (0x50, 0x54, 0x58, 0x5C, 0xB8, 0xBC, 0xC0, 0xC4)
_CAUSES = {
    Action.RESET_CPU: ResetCause.CPU_RTC_WDT,
    Action.RESET_CORE: ResetCause.CORE_RTC_WDT,
    Action.RESET_SYSTEM: ResetCause.SYSTEM_RTC_WDT,
}


class Rtc(Peripheral):
    """Not modelled: sleep modes, brown-out, and the super watchdog, whose settings are stored.

    After a reset the watchdog is off, as a boot loader hands over; the ROM itself leaves it running.

    Args:
        clock: virtual time.
        interrupt: RTC_CORE.
        request_reset: resets the chip.
    """

    SIZE: ClassVar = 0x800
    REGISTERS: ClassVar = {
        _OPTIONS0: Register("OPTIONS0", 0x1C00A000),
        0x0C: Register("TIME_UPDATE"),
        0x10: Register("TIME_LOW0", read_only=True),
        0x14: Register("TIME_HIGH0", read_only=True),
        0x1C: Register("TIMER1", 0x28140403),
        0x34: Register("ANA_CONF", 0x00C40000),
        _RESET_STATE: Register("RESET_STATE", 0x3000),
        _INT_ENA: Register("INT_ENA_RTC", refused=~_WDT_INT),
        0x44: Register("INT_RAW_RTC", read_only=True),
        0x48: Register("INT_ST_RTC", read_only=True),
        0x4C: Register("INT_CLR_RTC"),
        **{offset: Register(f"STORE{n}") for n, offset in enumerate(_STORES)},
        0x70: Register("CLK_CONF", 0x11583218),
        0x74: Register("SLOW_CLK_CONF", 0x00400000),
        _WDT0: Register("WDTCONFIG0", 0x00012214),
        0x94: Register("WDTCONFIG1", 0x00030D40),
        0x98: Register("WDTCONFIG2", 0x00013880),
        0x9C: Register("WDTCONFIG3", 0xFFF),
        0xA0: Register("WDTCONFIG4", 0xFFF),
        _WDT_FEED: Register("WDTFEED"),
        _WDT_PROTECT: Register("WDTWPROTECT"),
        _SWD_CONF: Register("SWD_CONF", 0x04B00000),
        _SWD_PROTECT: Register("SWD_WPROTECT"),
        0x1FC: Register("DATE", 0x02007270, read_only=True),
    }

    def __init__(self, clock: Clock, interrupt: Interrupt, request_reset: RequestReset) -> None:
        self._interrupt, self._request_reset = interrupt, request_reset
        self.cause = ResetCause.POWER_ON
        super().__init__("RTC_CNTL", 0x60008000, clock)
        self.reset()

    def reset(self) -> None:
        """All but the STORE registers as after reset; those too after a reset of the whole system."""
        stores = {offset: self.values[offset] for offset in _STORES}
        self.clear()
        if not self.cause.is_of_system:
            self.values.update(stores)
        self._raw = 0
        self._ticks = 0
        self._watchdog = Watchdog(self.clock, self._act)
        self._signal()

    def advance(self, now: int) -> None:
        """Let the watchdog act."""
        self._watchdog.advance(now)

    def next_event(self) -> int | None:
        """End of the watchdog's stage."""
        return self._watchdog.next_event()

    def write(self, offset: int, value: int) -> None:
        """Write a register; protected ones must be unlocked first."""
        for register, key_register, key in (
            (_SWD_CONF, _SWD_PROTECT, _SWD_KEY),
            *((r, _WDT_PROTECT, KEY) for r in (_WDT0, 0x94, 0x98, 0x9C, 0xA0, _WDT_FEED)),
        ):
            if offset == register and self.values[key_register] != key:
                name = self.REGISTERS[offset].name
                raise AccessError(f"RTC_CNTL.{name}: write-protected, the chip ignores {value:#x}")
        super().write(offset, value)
        if _WDT0 <= offset <= 0xA0:
            self._configure()

    def _configure(self) -> None:
        conf = self.values[_WDT0]
        holds = [self.values[0x94 + 4 * n] for n in range(4)]
        holds[0] <<= 1  # by the eFuse WDT_DELAY_SEL, 0 here
        stages = [Stage(_action(conf >> (28 - 3 * n) & 7), holds[n]) for n in range(4)]
        self._watchdog.configure(enabled=bool(conf >> 31), stages=stages, tick_hz=SLOW_HZ)

    def _act(self, action: Action) -> None:
        if action is Action.INTERRUPT:
            self._raw |= _WDT_INT
            self._signal()
        else:
            self._request_reset(_CAUSES[action])

    def _signal(self) -> None:
        self._interrupt(bool(self._raw & self.values[_INT_ENA]))

    def write_options0(self, value: int) -> None:
        """OPTIONS0: software resets."""
        self.values[_OPTIONS0] = value & ~(1 << 31 | 1 << 5)
        if value >> 31:
            self._request_reset(ResetCause.CORE_SOFTWARE)
        elif value >> 5 & 1:
            self._request_reset(ResetCause.CPU_SOFTWARE)

    def write_time_update(self, value: int) -> None:
        """TIME_UPDATE: take the slow timer's value."""
        if value >> 31:
            self._ticks = self.clock.now * SLOW_HZ // CPU_HZ

    def read_time_low0(self) -> int:
        """TIME_LOW0: bits 31 to 0."""
        return self._ticks & 0xFFFFFFFF

    def read_time_high0(self) -> int:
        """TIME_HIGH0: bits 47 to 32."""
        return self._ticks >> 32 & 0xFFFF

    def read_reset_state(self) -> int:
        """RESET_STATE: cause of the last reset."""
        return self.values[_RESET_STATE] & ~0x3F | self.cause

    def write_wdtfeed(self, value: int) -> None:
        """WDTFEED: bit 31 feeds."""
        if value >> 31:
            self._watchdog.feed()

    def write_int_ena_rtc(self, value: int) -> None:
        """INT_ENA_RTC."""
        self.values[_INT_ENA] = value
        self._signal()

    def read_int_raw_rtc(self) -> int:
        """INT_RAW_RTC."""
        return self._raw

    def read_int_st_rtc(self) -> int:
        """INT_ST_RTC."""
        return self._raw & self.values[_INT_ENA]

    def write_int_clr_rtc(self, value: int) -> None:
        """INT_CLR_RTC: write 1 to clear."""
        self._raw &= ~value
        self._signal()


def _action(code: int) -> Action:
    if code > Action.RESET_SYSTEM.value:
        raise AccessError(f"RTC_CNTL.WDTCONFIG0: stage action {code} is not one of 0 to 4")
    return Action(code)
