"""A scenario as a source: twin, firmware on the emulated chip, console, alert with its spectrum."""

from pathlib import Path

import pytest

from gateway.errors import GatewayError
from gateway.service import Gateway
from gateway.sources import open_source
from gateway.store import Filter, Store
from models.artifact import ArtifactError
from sim.errors import ScenarioError
from tests.emulator.programs import program
from tests.firmware import tiny_model
from tests.gateway.devices import ADDRESS, KEY, hci_advertise, hci_data, packet
from tests.gateway.test_service import run, store, until  # noqa: F401

pytest.importorskip("unicorn", reason="no Unicorn: pip install simtwin[firmware]")
pytest.importorskip("ziglang", reason="no compiler: pip install simtwin[firmware]")

SPEED_RPM = 1300
TEXT = f"""
name: fan
machine: {Path.cwd()}/scenarios/machines/desk_fan.yaml
operation: {{speed_rpm: {SPEED_RPM}, load: 1, duration_s: 6}}
sensors: [{{id: a, device: lsm6dso, odr_hz: 3332, range_g: 16, range_dps: 500, mount: drive_end}}]
faults: [{{kind: imbalance, unbalance_g_mm: 1000, onset_s: 3}}]
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "fan.yaml"
    path.write_text(TEXT)
    return path


def test_from_a_scenario_to_an_alert_with_its_spectrum(store: Store, scenario: Path) -> None:  # noqa: F811
    model = tiny_model.write(scenario.parent / "model", tiny_model.preprocessing())
    source = open_source(f"scenario:{scenario}?model={model}&seed=1&speed=0")

    async def body(gateway: Gateway) -> None:
        await until(lambda: gateway.sources[source.name] == "the scenario is over", 300)

    gateway = run(store, body, source, classes=list(tiny_model.CLASSES))
    assert "damaged" not in gateway.counts.total
    (alert,) = store.alerts(Filter(kind="machine"), 9)
    assert (alert.device, alert.state) in (("scenario:fan", "high"), ("scenario:fan", "low"))
    assert alert.level is not None
    assert alert.threshold == tiny_model.THRESHOLD
    assert alert.level > alert.threshold
    assert alert.window is not None
    assert alert.window * 1024 / 3332 > 3  # healthy first
    spectrum = store.spectrum(alert.id)
    assert spectrum is not None
    amplitudes = spectrum.amplitude_g
    peak_hz = amplitudes.index(max(amplitudes)) * spectrum.frequency_step_hz
    assert peak_hz == pytest.approx(SPEED_RPM / 60, abs=spectrum.frequency_step_hz)  # imbalance turns with the shaft


@pytest.mark.parametrize(("options", "complaint"), [
    ("?model=/tmp&firmware=/tmp", "give one of firmware and model"),
    ("?key=231d", "'key=231d': allowed are"),
    ("?mac=7cdf", "'mac=7cdf': allowed are"),
    ("?key=" + 32 * "x", "allowed are"),
    ("?model=/nowhere", "scenario: /nowhere: not there"),
    ("?model=/tmp&seed=-1", "'seed=-1': allowed are"),
    ("?model=/tmp&speed=nan", "'speed=nan': allowed are"),
    ("?model=/tmp&speed=inf", "'speed=inf': allowed are"),
    ("?model=/tmp&via=radio", "'via=radio': allowed are"),
    ("?model=/tmp&more=1", "'more=1': allowed are"),
])  # fmt: skip
def test_options_that_are_not_allowed(scenario: Path, options: str, complaint: str) -> None:
    with pytest.raises(GatewayError, match=complaint):
        open_source(f"scenario:{scenario}{options}")


def test_the_default_model_is_the_reference_and_must_fit(scenario: Path) -> None:
    with pytest.raises(ArtifactError, match=r"made for 1666 Hz; sensor a of fan has 3332 Hz"):
        open_source(f"scenario:{scenario}")
    scenario.write_text(TEXT.replace(str(Path.cwd() / "scenarios/machines/desk_fan.yaml"), str(copied(scenario))))
    with pytest.raises(ArtifactError, match="no reference model for machine 'own_fan'; there are bearing_rig"):
        open_source(f"scenario:{scenario}")


def copied(scenario: Path) -> Path:
    """A machine of a name that the project does not know."""
    path = scenario.parent / "own_fan.yaml"
    path.write_text(
        (Path.cwd() / "scenarios/machines/desk_fan.yaml").read_text().replace("id: desk_fan", "id: own_fan")
    )
    return path


def test_three_imus_and_a_key_are_made_known_to_the_firmware(store: Store, scenario: Path) -> None:  # noqa: F811
    from emulator.machine import Machine
    from gateway.sources.scenario import ScenarioSource

    model = tiny_model.write(scenario.parent / "model", tiny_model.preprocessing())
    sensor = TEXT[TEXT.index("{id: a") : TEXT.index("]\nfaults")]
    three = ", ".join(sensor.replace("id: a", f"id: {name}") for name in "abc")
    scenario.write_text(TEXT.replace(sensor, three).replace("duration_s: 6", "duration_s: 2"))
    source = open_source(f"scenario:{scenario}?model={model}&speed=0&via=ble&key={KEY.hex()}&mac=7cdfa1c0ffee")
    boards: list[Machine] = []
    assert isinstance(source, ScenarioSource)
    source.started = lambda board, _: boards.append(board)

    async def body(gateway: Gateway) -> None:
        await until(lambda: gateway.sources[source.name] == "the scenario is over", 300)

    device = "FC:DF:A1:C0:FF:EE"
    gateway = run(store, body, source, devices=[{"id": device, "name": "fan", "key": KEY.hex()}])
    assert b"ready imus 3" in boards[0].uart_output(0)
    assert gateway.counts.by_device[device]["received"] >= 1
    assert set(gateway.counts.total) <= {"received", "duplicate"}


def test_a_scenario_that_is_not_valid(scenario: Path) -> None:
    scenario.write_text(TEXT.replace("load:", "lod:"))
    with pytest.raises(ScenarioError, match=r"fan\.yaml:4: .*lod"):
        open_source(f"scenario:{scenario}?model=/tmp")


def test_a_model_that_is_none(store: Store, scenario: Path, tmp_path: Path) -> None:  # noqa: F811
    source = open_source(f"scenario:{scenario}?model={tmp_path}")

    async def body(gateway: Gateway) -> None:
        await until(lambda: "no model.c in it" in gateway.sources[source.name], 10)

    run(store, body, source)


# Sends HCI commands on UART1, and waits for the answer to each: Command Complete with status 0.
HCI_SENDER = """
static const uint8_t commands[] = {BYTES};
int main(void) {
    every(20000); interrupts_on();
    for (uint32_t at = 0; at < sizeof commands;) {
        for (uint32_t end = at + 4 + commands[at + 3]; at < end; at++) REG(UART1) = commands[at];
        uint8_t answer[7];
        for (uint32_t n = 0; n < sizeof answer;) {
            if (REG(UART1 + 0x1C) & 0x3FFu) answer[n++] = (uint8_t)REG(UART1); else wait();
        }
        line("status", answer[0] << 16 | answer[1] << 8 | answer[6]);
        for (uint32_t until = ticks + 1; ticks < until;) wait();
    }
    for (;;) wait();
}"""


def test_hci_of_the_emulated_chip_reaches_the_gateway(store: Store, scenario: Path) -> None:  # noqa: F811
    packets = [packet(n, machine_alert=3 <= n < 6, machine_state=1) for n in range(8)]
    commands = b"".join([*hci_advertise(ADDRESS, packets[0]), *map(hci_data, packets[1:])])
    elf = program(HCI_SENDER.replace("BYTES", ", ".join(map(str, commands))))
    scenario.write_text(TEXT.replace("duration_s: 6", "duration_s: 2"))
    source = open_source(f"scenario:{scenario}?firmware={elf}&speed=0&via=ble")

    async def body(gateway: Gateway) -> None:
        await until(lambda: gateway.sources[source.name] == "the scenario is over", 60)

    devices = [{"id": ADDRESS, "name": "fan", "key": KEY.hex()}]
    gateway = run(store, body, source, devices=devices, classes=["normal", "imbalance"])
    assert gateway.counts.total["received"] == len(packets)
    assert gateway.counts.total["missed"] == 0
    (alert,) = store.alerts(Filter(), 9)
    assert (alert.device, alert.kind, alert.state, alert.repeats) == (ADDRESS, "machine", "imbalance", 2)
    assert alert.cleared_s is not None
