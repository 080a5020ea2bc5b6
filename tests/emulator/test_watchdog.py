"""Watchdogs, software resets and what outlives them."""

import pytest

from emulator.errors import MachineError
from emulator.machine import Machine
from tests.emulator.programs import program

RTC_ON = "REG(RTC + 0xA8) = 0x50D83AA1; REG(RTC + 0x94) = 6800; REG(RTC + 0x90) = 1u << 31 | {action}u << 28;"
TIMG_ON = """REG(TIMG0 + 0x4C) = 40000u << 16; REG(TIMG0 + 0x50) = 200;
             REG(TIMG0 + 0x48) = 1u << 31 | 1u << 22 | {action}u << 29;"""
BOOT = 'line("cause", REG(RTC + 0x38) & 0x3F); line("kept", REG(RTC + 0x50)); REG(RTC + 0x50) = 0x5EED;'


@pytest.mark.parametrize(
    ("start", "action", "seconds", "cause", "kept"),
    [
        # Stage 0 of the RTC's watchdog counts twice its setting (eFuse WDT_DELAY_SEL 0) at 136 kHz.
        (RTC_ON, 2, 2 * 6800 / 136e3, 0x0D, 0x5EED),
        (RTC_ON, 3, 2 * 6800 / 136e3, 0x09, 0x5EED),
        (RTC_ON, 4, 2 * 6800 / 136e3, 0x10, 0),  # the RTC itself is reset: its registers are lost
        (TIMG_ON, 2, 200 * 40000 / 80e6, 0x0B, 0x5EED),
        (TIMG_ON, 3, 200 * 40000 / 80e6, 0x07, 0x5EED),
    ],
)
def test_a_watchdog_that_is_not_fed_resets(start: str, action: int, seconds: float, cause: int, kept: int) -> None:
    main = (
        f"int main(void) {{ {BOOT} if ((REG(RTC + 0x38) & 0x3F) == 1) {{ {start.format(action=action)} }} for (;;); }}"
    )
    machine = Machine(program(main))
    assert machine.run_until_line("cause", 0.1) == f"cause {1:08x}"
    assert machine.run_until_line("kept", 0.1) == "kept 00000000"
    started_s = machine.virtual_time_s
    assert machine.run_until_line("cause", 0.5) == f"cause {cause:08x}"
    assert machine.run_until_line("kept", 0.1) == f"kept {kept:08x}"
    [(at_s, why)] = machine.resets
    assert why.value == cause
    assert at_s - started_s == pytest.approx(seconds, abs=3e-3)  # the line before it takes 1.1 ms


@pytest.mark.parametrize(
    ("start", "feed"),
    [(RTC_ON, "REG(RTC + 0xA4) = 1u << 31;"), (TIMG_ON, "REG(TIMG0 + 0x60) = 1;")],
)
def test_feeding_keeps_it_quiet_until_it_stops(start: str, feed: str) -> None:
    main = f"""int main(void) {{
        {start.format(action=3)} every(50000); interrupts_on();
        while (ticks < 20) {{ wait(); {feed} }} text("tired\\n"); for (;;) wait();
    }}"""
    machine = Machine(program(main))
    machine.run_until_line("tired", 1.5)
    assert machine.resets == []
    machine.run(0.15)
    [(at_s, _)] = machine.resets
    assert at_s == pytest.approx(20 * 0.05 + 0.1, abs=1e-3)


def test_stages_follow_each_other_first_an_interrupt_then_a_reset() -> None:
    trap = """
    volatile uint32_t ticks;
    uint32_t trap(uint32_t cause, uint32_t epc) { line("warned", cause & 31); REG(TIMG0 + 0x7C) = 2; return epc; }"""
    main = """int main(void) {
        route(TG0_WDT_SOURCE, 6, 4); REG(TIMG0 + 0x70) = 2; interrupts_on();
        REG(TIMG0 + 0x4C) = 40000u << 16; REG(TIMG0 + 0x50) = 100; REG(TIMG0 + 0x54) = 60;
        REG(TIMG0 + 0x48) = 1u << 31 | 1u << 22 | 1u << 29 | 3u << 27;
        for (;;) wait();
    }"""
    machine = Machine(program(main, trap=trap))
    assert machine.run_until_line("warned", 0.2) == f"warned {6:08x}"
    assert machine.virtual_time_s == pytest.approx(0.05, abs=3e-3)
    machine.run(0.04)
    assert [(round(at_s, 3), cause.name) for at_s, cause in machine.resets] == [(0.08, "CORE_TIMG0_WDT")]


@pytest.mark.parametrize(("bit", "cause"), [(31, 0x03), (5, 0x0C)])
def test_software_resets(bit: int, cause: int) -> None:
    main = f"int main(void) {{ {BOOT} if ((REG(RTC + 0x38) & 0x3F) == 1) REG(RTC) |= 1u << {bit}; for (;;) wait(); }}"
    machine = Machine(program(main))
    # What is still in the FIFO is lost with a reset of the core, not with one of the processor.
    machine.run(0.1)
    assert f"cause {cause:08x}\nkept {0x5EED:08x}\n" in machine.uart_output().decode()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("REG(RTC + 0x90) = 0;", "RTC_CNTL.WDTCONFIG0: write-protected"),
        ("REG(RTC + 0xAC) = 1u << 30;", "RTC_CNTL.SWD_CONF: write-protected"),
        ("REG(TIMG0 + 0x64) = 0; REG(TIMG0 + 0x60) = 1;", "TIMG0.WDTFEED: write-protected"),
    ],
)
def test_locked_settings_are_an_error(wrong: str, message: str) -> None:
    with pytest.raises(MachineError, match=message):
        Machine(program(f"int main(void) {{ {wrong} for (;;) wait(); }}")).run(0.01)


def test_mac_is_in_the_efuses() -> None:
    main = 'int main(void) { line("low", REG(0x60008844)); line("high", REG(0x60008848) & 0xFFFF); for (;;) wait(); }'
    machine = Machine(program(main), mac=bytes.fromhex("7cdfa1b2c3d4"))
    assert machine.run_until_line("low", 0.1) == "low a1b2c3d4"
    assert machine.run_until_line("high", 0.1) == "high 00007cdf"
