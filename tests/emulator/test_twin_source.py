"""A scenario streamed into the sensors: the samples of `simulate`, made when they are needed."""

import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from emulator.machine import Machine, Sensor
from emulator.twin_source import TwinRun
from sim.errors import ParameterError
from sim.scenario.reader import Loaded, read_text
from sim.scenario.realise import plan
from sim.scenario.schema import Scenario
from sim.simulate import simulate
from tests.emulator.programs import program

TEXT = """
name: streamed
machine: scenarios/machines/bearing_rig.yaml
operation: {speed_rpm: 1800, load: 0.5, duration_s: DURATION}
sensors:
  - {id: a, device: lsm6dso, odr_hz: 1666, range_g: 16, range_dps: 500, mount: drive_end,
     faults: [{kind: stuck, onset_s: 0.5, clear_s: 0.7}, {kind: rate_skew, skew_ppm: 50000, onset_s: 0.8}]}
  - {id: b, device: lsm6dso, odr_hz: 1666, range_g: 16, range_dps: 500, mount: drive_end, rotation_deg: [0, 0, 90]}
faults: [{kind: imbalance, unbalance_g_mm: 800, onset_s: 0.4}]
"""

# Sends the x axis of every FIFO word of both sensors; the accelerometer alone.
READER = """int main(void) {
    spi_init();
    for (uint32_t n = 0; n < 2; n++) {
        spi_select(n); imu_write(0x12, 0x44); imu_write(0x10, 0x84); imu_write(0x09, 0x08); imu_write(0x0A, 0x06);
    }
    every(20000); interrupts_on();
    for (;;) {
        wait();
        for (uint32_t n = 0; n < 2; n++) {
            spi_select(n);
            uint8_t s[4] = {0x80 | 0x3A}; spi(s, 3);
            for (uint32_t words = s[1] | (s[2] & 3u) << 8; words--;) {
                uint8_t f[8] = {0x80 | 0x78}; spi(f, 8);
                REG(0x3FCC0000 + 4 * used[n] + 0x8000 * n) = f[2] | (uint32_t)f[3] << 8; used[n]++;
            }
        }
    }
}"""


def scenario(duration_s: float) -> Loaded[Scenario]:
    text = TEXT.replace("DURATION", f"{duration_s:g}").replace("scenarios/", f"{Path.cwd()}/scenarios/")
    return Loaded(read_text(text, Scenario), {})


def realised(loaded: Loaded[Scenario], seed: int) -> Scenario:
    return plan(loaded.model).draw(seed, loaded.model.name, 0)


def test_samples_are_those_that_simulate_writes(tmp_path: Path) -> None:
    loaded = scenario(1.2)
    simulate(loaded, tmp_path / "run", 5, plots=False)
    run = TwinRun(realised(loaded, 5), 5)
    for source, sensor in zip(run.sources, run.twin.sensors, strict=True):
        table = pq.read_table(tmp_path / "run" / f"{sensor.id}.parquet").to_pandas()
        counts = np.concatenate([block.counts for block in source.blocks()])
        written = table[list(sensor.channel_names)].to_numpy()
        np.testing.assert_array_equal(sensor.to_units(counts), written)
        assert len(counts) > 1.1 * 1666


def test_firmware_reads_them_all_sensor_faults_included() -> None:
    loaded = scenario(1.2)
    run = TwinRun(realised(loaded, 5), 5)
    machine = Machine(program("static uint32_t used[2];" + READER), [Sensor(source) for source in run.sources])
    machine.run_until(1.19)
    again = TwinRun(realised(loaded, 5), 5)
    for n, source in enumerate(again.sources):
        counts = np.concatenate([block.counts for block in source.blocks()])
        words = np.frombuffer(machine.read_memory(0x3FCC0000 + 0x8000 * n, 4 * 2200), dtype="<u4")
        times = np.concatenate([block.time_s for block in TwinRun(realised(loaded, 5), 5).sources[n].blocks()])
        first = int(np.searchsorted(times, 0.001)) - 1
        read = words.astype(np.uint16).view(np.int16)
        offsets = [k for k in range(first + 1) if np.array_equal(read[:50], counts[k : k + 50, 0])]
        assert offsets, "the first samples read are not in the stream"
        upto = int(np.searchsorted(times, 1.18)) - offsets[0]
        np.testing.assert_array_equal(read[:upto], counts[offsets[0] : offsets[0] + upto, 0])
        assert machine.sensors[n].words_lost == machine.sensors[n].resampled == 0
    # The first sensor froze between 0.5 and 0.7 s and ran 5 % fast from 0.8 s on.
    counts = np.concatenate([block.counts for block in TwinRun(realised(loaded, 5), 5).sources[0].blocks()])
    assert (np.diff(counts[int(0.55 * 1666) : int(0.65 * 1666)], axis=0) == 0).all()
    assert len(counts) > 1.2 * 1666


def test_an_unread_sensor_and_a_long_run_need_no_more_memory() -> None:
    peaks = []
    for duration_s in (8.0, 20.0):
        run = TwinRun(realised(scenario(duration_s), 1), 1)
        machine = Machine(program("int main(void) { for (;;) wait(); }"), [Sensor(s) for s in run.sources])
        machine.run_until(1.5)  # compiled code and caches are there
        tracemalloc.start()
        machine.run_until(duration_s - 0.1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


def test_only_an_lsm6dso_fits_the_board() -> None:
    text = TEXT.replace("DURATION", "1").replace("scenarios/", f"{Path.cwd()}/scenarios/")
    text = text.replace(
        "id: b, device: lsm6dso, odr_hz: 1666, range_g: 16, range_dps: 500",
        "id: b, device: adxl356, range_g: 40, odr_hz: 1666",
    )
    with pytest.raises(ParameterError, match="sensor b is an adxl356"):
        TwinRun(realised(Loaded(read_text(text, Scenario), {}), 1), 1)
