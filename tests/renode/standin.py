"""A stand-in for Renode's Robot server, so that `tests/renode.resource` and `run.py` are exercised where Renode is not.

It answers the keywords and monitor commands that those use, with the names and arguments of Renode 1.16.1, and runs the
built-in emulator behind them; a command it does not know is an error. Called as Renode is: `renode --robot-server-port PORT`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xmlrpc.server import SimpleXMLRPCServer

from renode.keywords import Keywords
from renode.lsm6dso import RenodeLsm6dso
from renode.resd import SampleType, read

KEYWORDS_RESOURCE = """*** Variables ***
${SKIP_RUNNING_SERVER}    False
${PORT_NUMBER}            9999

*** Keywords ***
Setup
    Should Be Equal    ${SKIP_RUNNING_SERVER}    True
    Wait Until Keyword Succeeds    60s    0.2s    Import Library    Remote    http://127.0.0.1:${PORT_NUMBER}/

Teardown
    No Operation

Test Teardown
    Reset Emulation
"""
"""What of Renode's tests/renode-keywords.robot the suites use."""

FED = {
    "FeedAccelerationSamplesFromRESD": SampleType.ACCELERATION_UG,
    "FeedAngularRateSamplesFromRESD": SampleType.ANGULAR_RATE_1E5_RAD_S,
    "FeedTemperatureSamplesFromRESD": SampleType.TEMPERATURE_MILLI_C,
}


def lay_out(folder: Path) -> Path:
    """A folder that looks like a Renode: the program and its keywords."""
    (folder / "tests").mkdir(parents=True)
    (folder / "tests" / "renode-keywords.robot").write_text(KEYWORDS_RESOURCE)
    program = folder / "renode"
    root = Path(__file__).parents[2]
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(root)!r})\n"
        "from tests.renode.standin import main\nmain(sys.argv[1:])\n"
    )
    program.chmod(0o755)
    return folder


class Server:
    """Robot's remote interface."""

    def __init__(self) -> None:
        self._engine = Keywords("/")
        self._variables: dict[str, str] = {}
        self._files: dict[int, tuple[Path, int]] = {}
        path = r"@((?:\\ |[^\s;])+)"  # as Renode's tokenizer has it
        self.commands: list[tuple[str, Callable[..., str]]] = [
            (rf"\$(\w+)={path}", self._set),
            (rf"include {path}", self._include),
            (rf"sysbus\.uart(\d) CreateFileBackend {path} true", self._log_to),
            (rf"sysbus\.uart(\d) CloseFileBackend {path}", self._close_log),
            (rf"sysbus\.spi2\.imu(\d) (Feed\w+FromRESD) {path} 0( 0 CurrentVirtualTime (\d+))?", self._feed),
            (r'emulation RunFor "([\d.]+)"', lambda seconds: self._engine.pass_time(float(seconds))),
            (r"sysbus\.spi2 Cut (\d)", lambda n: self._engine.cut_wire(int(n))),
            (r"sysbus\.spi2 Mend (\d)", lambda n: self._engine.mend_wire(int(n))),
            (r"sysbus WriteDoubleWord (\w+) (\w+)", self._engine.write_register),
            (r"sysbus ReadDoubleWord (\w+)", lambda at: f"0x{self._machine.read_register(int(at, 0)):08X}"),
            (r"sysbus\.intmatrix Asserted", lambda: f"0x{self._machine.interrupt_line:08X}"),
            (r"sysbus\.uart(\d) WriteChar (\d+)", lambda n, v: self._machine.write_uart(int(n), bytes([int(v)]))),
            (r"sysbus\.cpu ExecutedInstructions", lambda: f"0x{self._machine.instructions:016X}"),
        ]

    def get_keyword_names(self) -> list[str]:
        return [
            "ExecuteCommand", "ResetEmulation", "CreateTerminalTester", "WaitForLineOnUart", "WriteLineToUart",
            "RegisterFailingUartString",
        ]  # fmt: skip

    def run_keyword(self, name: str, arguments: list[Any]) -> dict[str, Any]:
        """Renode takes `name=value` among plain arguments."""
        plain = [a for a in arguments if not re.match(r"^[a-zA-Z]+=", str(a))]
        named = dict(str(a).split("=", 1) for a in arguments if a not in plain)
        try:
            return {"status": "PASS", "return": getattr(self, f"_{name}")(*plain, **named)}
        except Exception as error:
            return {"status": "FAIL", "error": str(error)}
        finally:
            for uart, (path, start) in self._files.items():
                path.write_bytes(self._engine._running().written[uart][start:])

    @property
    def _machine(self) -> Any:
        return self._engine._running().machine

    def _ExecuteCommand(self, command: str) -> str:
        for pattern, act in self.commands:
            found = re.fullmatch(pattern, command)
            if found:
                # A space in a path is escaped
                given = [group and group.replace("\\ ", " ") for group in found.groups()]
                return f"{act(*given) or ''}\n"
        raise ValueError(f"There was an error executing command '{command}'")

    def _ResetEmulation(self) -> str:
        self._files.clear()
        self._engine.reset_emulation()
        return ""

    def _CreateTerminalTester(self, uart: str, timeout: str, defaultPauseEmulation: str) -> int:
        assert (uart, defaultPauseEmulation) == ("sysbus.uart0", "true")
        return 0

    def _WaitForLineOnUart(self, content: str, timeout: str = "10", treatAsRegex: str = "false") -> dict[str, Any]:
        result = self._engine.wait_for_line_on_uart(content, float(timeout), treatAsRegex=treatAsRegex == "true")
        return {"Line": result.Line, "Timestamp": result.Timestamp, "Groups": result.Groups}

    def _WriteLineToUart(self, content: str, waitForEcho: str) -> str:
        self._engine.write_line_to_uart(content, waitForEcho=waitForEcho != "false")
        return ""

    def _RegisterFailingUartString(self, pattern: str) -> str:
        self._engine.register_failing_uart_string(pattern)
        return ""

    def _set(self, name: str, value: str) -> str:
        self._variables[name] = value
        return ""

    def _include(self, script: str) -> str:
        text = Path(script).read_text()
        assert "macro reset" in text
        for line in re.findall(r"\$ORIGIN/(\S+)", text):
            assert (Path(script).parent / line).is_file(), line
        elf = Path(self._variables["bin"])
        self._engine._work = elf.parents[2]
        self._engine.create_machine(elf.stem)
        return ""

    def _log_to(self, uart: str, path: str) -> str:
        if Path(path).exists() or int(uart) in self._files:
            raise ValueError(f"{path} is there")
        self._files[int(uart)] = (Path(path), len(self._engine._running().written[int(uart)]))
        return ""

    def _close_log(self, uart: str, path: str) -> str:
        if self._files.pop(int(uart))[0] != Path(path):
            raise ValueError(f"no file backend for {path}")
        return ""

    def _feed(self, imu: str, method: str, path: str, offset: str | None, half_ns: str | None) -> str:
        assert (offset is None) == (method == "FeedTemperatureSamplesFromRESD")
        sensor = self._machine.sensors[int(imu)]
        assert isinstance(sensor, RenodeLsm6dso)
        blocks = [block for block in read(Path(path)) if block.type is FED[method]]
        if not blocks:
            raise ValueError(f"Provided RESD file doesn't contain data for {method}")
        assert half_ns is None or int(half_ns) == 10**9 // 3330 // 2
        sensor.feed(blocks)
        return ""


def main(arguments: list[str]) -> None:
    """Serve until stopped."""
    port = int(arguments[arguments.index("--robot-server-port") + 1])
    server = SimpleXMLRPCServer(("127.0.0.1", port), logRequests=False, allow_none=True)
    server.register_instance(Server())
    server.serve_forever()
