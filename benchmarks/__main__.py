"""Run every benchmark, one after the other."""

from __future__ import annotations

from benchmarks import (
    alert_delay,
    bearing_contact,
    bit_flips,
    calibration,
    emulator,
    end_to_end,
    gateway,
    hybrid,
    inference,
    memory,
    rotor_time_response,
    throughput,
    training,
)


def main() -> None:
    """Print all figures."""
    for module in (
        throughput,
        calibration,
        hybrid,
        memory,
        bearing_contact,
        rotor_time_response,
        training,
        inference,
        emulator,
        gateway,
        end_to_end,
        alert_delay,
        bit_flips,
    ):
        print(f"== {module.__name__.removeprefix('benchmarks.')}")
        module.main()
        print()


if __name__ == "__main__":
    main()
