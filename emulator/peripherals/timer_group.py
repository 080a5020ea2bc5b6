"""Timer groups (TRM chapter 11, 12): their watchdogs. The general-purpose timers are not modelled."""

from __future__ import annotations

from typing import ClassVar

from emulator.clock import Clock
from emulator.errors import AccessError
from emulator.peripherals.base import Interrupt, Peripheral, Register
from emulator.peripherals.rtc import RequestReset, ResetCause
from emulator.peripherals.watchdog import KEY, Action, Stage, Watchdog

_WDT0, _WDT1, _HOLDS, _FEED, _PROTECT = 0x48, 0x4C, 0x50, 0x60, 0x64
_INT_ENA, _WDT_INT = 0x70, 2
_EN, _UPDATE, _USE_XTAL = 1 << 31, 1 << 22, 1 << 21
_APB_HZ, _XTAL_HZ = 80e6, 40e6
_CAUSES = (
    {Action.RESET_CPU: ResetCause.CPU_TIMG0_WDT, Action.RESET_CORE: ResetCause.CORE_TIMG0_WDT},
    {Action.RESET_CPU: ResetCause.CPU_TIMG1_WDT, Action.RESET_CORE: ResetCause.CORE_TIMG1_WDT},
)


class TimerGroup(Peripheral):
    """The watchdog of a timer group; its settings take effect with CONF_UPDATE_EN.

    After a reset it is off, as a boot loader hands over.

    Args:
        number: 0 or 1.
        clock: virtual time.
        interrupt: TGn_WDT.
        request_reset: resets the chip.
    """

    REGISTERS: ClassVar = {
        _WDT0: Register("WDTCONFIG0", 0x00048000),
        _WDT1: Register("WDTCONFIG1", 0x00010000),
        _HOLDS: Register("WDTCONFIG2", 0x018CBA80),
        0x54: Register("WDTCONFIG3", 0x07FFFFFF),
        0x58: Register("WDTCONFIG4", 0x000FFFFF),
        0x5C: Register("WDTCONFIG5", 0x000FFFFF),
        _FEED: Register("WDTFEED"),
        _PROTECT: Register("WDTWPROTECT", KEY),
        _INT_ENA: Register("INT_ENA_TIMERS", refused=~_WDT_INT),
        0x74: Register("INT_RAW_TIMERS", read_only=True),
        0x78: Register("INT_ST_TIMERS", read_only=True),
        0x7C: Register("INT_CLR_TIMERS"),
        0xF8: Register("NTIMG_DATE", 0x02006191, read_only=True),
        0xFC: Register("REGCLK", 0x60000000),
    }

    def __init__(self, number: int, clock: Clock, interrupt: Interrupt, request_reset: RequestReset) -> None:
        self._number, self._interrupt, self._request_reset = number, interrupt, request_reset
        super().__init__(f"TIMG{number}", (0x6001F000, 0x60020000)[number], clock)
        self.reset()

    def reset(self) -> None:
        """Off."""
        self.clear()
        self._raw = 0
        self._watchdog = Watchdog(self.clock, self._act)
        self._signal()

    def advance(self, now: int) -> None:
        """Let the watchdog act."""
        self._watchdog.advance(now)

    def next_event(self) -> int | None:
        """End of the watchdog's stage."""
        return self._watchdog.next_event()

    def write(self, offset: int, value: int) -> None:
        """Write a register; those of the watchdog must be unlocked first."""
        if _WDT0 <= offset <= _FEED and self.values[_PROTECT] != KEY and offset in self.REGISTERS:
            raise AccessError(
                f"{self.name}.{self.REGISTERS[offset].name}: write-protected, the chip ignores {value:#x}"
            )
        super().write(offset, value)

    def write_wdtconfig0(self, value: int) -> None:
        """WDTCONFIG0: CONF_UPDATE_EN takes over all settings."""
        self.values[_WDT0] = value & ~_UPDATE
        if value & _UPDATE:
            source_hz = _XTAL_HZ if value & _USE_XTAL else _APB_HZ
            self._watchdog.configure(
                enabled=bool(value & _EN),
                stages=[Stage(Action(value >> (29 - 2 * n) & 3), self.values[_HOLDS + 4 * n]) for n in range(4)],
                tick_hz=source_hz / max(1, self.values[_WDT1] >> 16),
            )

    def write_wdtfeed(self, value: int) -> None:
        """WDTFEED: any value feeds."""
        self._watchdog.feed()

    def write_int_ena_timers(self, value: int) -> None:
        """INT_ENA_TIMERS."""
        self.values[_INT_ENA] = value
        self._signal()

    def read_int_raw_timers(self) -> int:
        """INT_RAW_TIMERS."""
        return self._raw

    def read_int_st_timers(self) -> int:
        """INT_ST_TIMERS."""
        return self._raw & self.values[_INT_ENA]

    def write_int_clr_timers(self, value: int) -> None:
        """INT_CLR_TIMERS: write 1 to clear."""
        self._raw &= ~value
        self._signal()

    def _act(self, action: Action) -> None:
        if action is Action.INTERRUPT:
            self._raw |= _WDT_INT
            self._signal()
        else:
            self._request_reset(_CAUSES[self._number][action])

    def _signal(self) -> None:
        self._interrupt(bool(self._raw & self.values[_INT_ENA]))
