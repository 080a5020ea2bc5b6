"""Peak memory of `simtwin augment` against the number of windows: it must not grow with it.

`python -m benchmarks.memory 1000000` makes a million windows (25 GB of disk while it runs).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

_SCENARIO = Path(__file__).parent / "throughput.yaml"


def _tree(pid: int) -> list[int]:
    """A process and all its descendants that are still there."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            found += [p for child in (task / "children").read_text().split() for p in _tree(int(child))]
        except OSError:
            continue
    return found


def _peak_mb(pid: int) -> float:
    """Largest resident size so far of a process, MB; 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024.0 for line in lines if line.startswith("VmHWM")), 0.0)


def measure(windows: int, workers: int = 2) -> tuple[float, float, float]:
    """Peak of the largest process and sum of all processes' peaks (MB), and windows/s, of one run."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "sim.cli", "augment", str(_SCENARIO), "--out", f"{folder}/dataset"]
        command += ["--windows", str(windows), "--workers", str(workers)]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        peaks: dict[int, float] = {}
        while process.poll() is None:
            for pid in _tree(process.pid):
                peaks[pid] = max(peaks.get(pid, 0.0), _peak_mb(pid))
            time.sleep(0.1)
        seconds = time.perf_counter() - started
        if process.returncode != 0:
            raise SystemExit(f"augment ended with {process.returncode}")
    return max(peaks.values()), sum(peaks.values()), windows / seconds


def run(sizes: tuple[int, ...] = (4_000, 40_000)) -> dict[str, float | str]:
    """Measure runs of several sizes."""
    figures: dict[str, float | str] = {}
    for windows in sizes:
        largest, total, rate = measure(windows)
        figures[f"{windows} windows: largest process, MB"] = largest
        figures[f"{windows} windows: all processes, MB"] = total
        figures[f"{windows} windows: windows/s"] = rate
    return figures


def main(sizes: tuple[int, ...] = (4_000, 40_000)) -> None:
    """Print the figures."""
    for name, value in run(sizes).items():
        print(f"{name:45s} {value:12.2f}")


if __name__ == "__main__":
    main(tuple(int(size) for size in sys.argv[1:]) or (4_000, 40_000))
