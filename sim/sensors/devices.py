"""Sensors by name: the figures of their datasheets, each with its unit and its place in the datasheet.

What a datasheet does not state is an assumption and is listed in `Device.assumed`, so that nobody takes it for a
published figure. Sources:

- [DS12140] STMicroelectronics, LSM6DSO datasheet, Rev 2/3: Table 2 mechanical characteristics, Table 18 gyroscope LPF2
  bandwidth, Table 65 accelerometer bandwidth, Figure 17 accelerometer filter chain.
- [ADXL356] Analog Devices, ADXL356/ADXL357 datasheet, Rev 0 (2017) and Rev A (2020): features, Table 1.
- [ADI set] SampleMotorDataLimerick recordings of an ADXL356C (github.com/analogdevicesinc/CbM-Datasets).
- [PS-MPU-6000A] InvenSense, MPU-6000/MPU-6050 product specification, Rev 3.4, sections 6.1 and 6.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Tolerances:
    """Typical deviation of one specimen from the nominal device: one standard deviation, per axis.

    ST defines its typical offset tolerance as the standard deviation over a group of sensors (LIS3DH datasheet, section
    3.1.2); the other plus/minus typical figures are read the same way. The names are those of the keys of `ImuSpec`.
    """

    accel_scale_error_pct: float = 0.0
    gyro_scale_error_pct: float = 0.0
    accel_scale_drift_pct_per_c: float = 0.0
    gyro_scale_drift_pct_per_c: float = 0.0
    cross_axis_pct: float = 0.0
    zero_g_offset_mg: float = 0.0
    zero_rate_offset_dps: float = 0.0
    zero_g_drift_mg_per_c: float = 0.0
    zero_rate_drift_dps_per_c: float = 0.0
    rate_error_ppm: float = 0.0


@dataclass(frozen=True)
class Device:
    """Datasheet figures of one sensor. Mappings lead from full-scale range (g, deg/s) or ODR (Hz) to the figure."""

    name: str
    source: str
    odrs_hz: tuple[float, ...]
    """Output data rates; empty for an analogue sensor, which any converter can sample."""
    accel_lsb_mg: Mapping[float, float]
    accel_noise_ug_per_sqrt_hz: Mapping[float, float]
    gyro_lsb_mdps: Mapping[float, float] = field(default_factory=dict)
    """Empty for a sensor without gyroscope."""
    gyro_noise_mdps_per_sqrt_hz: float = 0.0
    accel_bias_instability_ug: float = 0.0
    """B of IEEE Std 952-1997: the floor of the Allan deviation is 0.664 B."""
    gyro_bias_instability_deg_per_h: float = 0.0
    accel_random_walk_ug_per_sqrt_s: float = 0.0
    gyro_random_walk_mdps_per_sqrt_s: float = 0.0
    accel_resonance_hz: float | None = None
    """Second-order mechanical or analogue response, always in the signal's way; None: flat."""
    accel_quality: float = 0.7071
    gyro_resonance_hz: float | None = None
    gyro_quality: float = 0.7071
    accel_bandwidth_hz: Mapping[float, float] = field(default_factory=dict)
    """-3 dB of the anti-alias low-pass by ODR; ODRs not listed: ODR / 2."""
    gyro_bandwidth_hz: Mapping[float, float] = field(default_factory=dict)
    anti_alias_order: int = 4
    reference_temperature_c: float = 25.0
    typical: Tolerances = field(default_factory=Tolerances)
    assumed: tuple[str, ...] = ()
    """Names of the figures that no datasheet states."""

    @property
    def has_gyro(self) -> bool:
        """Whether the device measures angular rate."""
        return bool(self.gyro_lsb_mdps)

    def bandwidths_hz(self, odr_hz: float) -> tuple[float, float]:
        """Cutoff of the anti-alias filter of accelerometer and gyroscope at this ODR (Hz)."""
        half = odr_hz / 2
        return self.accel_bandwidth_hz.get(odr_hz, half), self.gyro_bandwidth_hz.get(odr_hz, half)

    def noise(self, range_g: float) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float]]:
        """White density, bias instability and random walk, each of accelerometer (g) and gyroscope (deg/s)."""
        return (
            (self.accel_noise_ug_per_sqrt_hz[range_g] * 1e-6, self.gyro_noise_mdps_per_sqrt_hz * 1e-3),
            (self.accel_bias_instability_ug * 1e-6, self.gyro_bias_instability_deg_per_h / 3600),
            (self.accel_random_walk_ug_per_sqrt_s * 1e-6, self.gyro_random_walk_mdps_per_sqrt_s * 1e-3),
        )


LSM6DSO = Device(
    name="lsm6dso",
    source="ST DS12140 Rev 2/3",
    odrs_hz=(12.5, 26.0, 52.0, 104.0, 208.0, 416.0, 833.0, 1666.0, 3332.0, 6664.0),  # Table 2, LA_ODR and G_ODR
    accel_lsb_mg={2.0: 0.061, 4.0: 0.122, 8.0: 0.244, 16.0: 0.488},  # Table 2, LA_So
    accel_noise_ug_per_sqrt_hz={2.0: 70.0, 4.0: 75.0, 8.0: 80.0, 16.0: 110.0},  # Table 2, An, high-performance mode
    gyro_lsb_mdps={125.0: 4.375, 250.0: 8.75, 500.0: 17.5, 1000.0: 35.0, 2000.0: 70.0},  # Table 2, G_So
    gyro_noise_mdps_per_sqrt_hz=3.8,  # Table 2, Rn, high-performance mode, independent of ODR and range
    accel_bias_instability_ug=40.0,  # assumed: the usual order for ST's consumer and automotive 6-axis modules
    gyro_bias_instability_deg_per_h=3.0,  # assumed: likewise
    accel_resonance_hz=4000.0,  # assumed: above the widest filter (ODR / 2 = 3332 Hz), so that it never limits it
    gyro_resonance_hz=4000.0,  # assumed: likewise
    gyro_bandwidth_hz={  # Table 18, LPF2 alone; the accelerometer's LPF1 is at ODR / 2 (Figure 17 note 1, Table 65)
        12.5: 4.2,
        26.0: 8.3,
        52.0: 16.6,
        104.0: 33.0,
        208.0: 66.8,
        416.0: 135.9,
        833.0: 295.5,
        1666.0: 1108.1,
        3332.0: 1320.7,
        6664.0: 1441.8,
    },
    anti_alias_order=4,  # assumed
    typical=Tolerances(
        accel_scale_error_pct=1.0,  # Table 2 states +-1 % once (G_So%); the accelerometer's is taken to be the same
        gyro_scale_error_pct=1.0,  # Table 2, G_So%
        accel_scale_drift_pct_per_c=0.01,  # Table 2, LA_SoDr
        gyro_scale_drift_pct_per_c=0.007,  # Table 2, G_SoDr
        cross_axis_pct=1.0,  # assumed
        zero_g_offset_mg=20.0,  # Table 2, LA_TyOff
        zero_rate_offset_dps=1.0,  # Table 2, G_TyOff
        zero_g_drift_mg_per_c=0.1,  # Table 2, LA_OffDr
        zero_rate_drift_dps_per_c=0.01,  # Table 2, G_OffDr
        rate_error_ppm=10000.0,  # assumed: free-running oscillator; INTERNAL_FREQ_FINE reports it in steps of 0.15 %
    ),
    assumed=(
        "accel_bias_instability_ug",
        "gyro_bias_instability_deg_per_h",
        "accel_resonance_hz",
        "gyro_resonance_hz",
        "anti_alias_order",
        "accel_scale_error_pct",
        "cross_axis_pct",
        "rate_error_ppm",
    ),
)

ADXL356 = Device(
    name="adxl356",
    source="Analog Devices ADXL356/ADXL357 Rev 0 and Rev A; resonance from the ADI set",
    odrs_hz=(),
    # An analogue output behind an external converter. The ADI set is rounded to 2^-11 g, which at +-40 g needs 17 bits;
    # here the range is spread over int16 (1.22 mg at 40 g, far below the 8 mg rms of noise in 10 kHz).
    accel_lsb_mg={10.0: 1e4 / 32768, 40.0: 4e4 / 32768},  # ranges of the ADXL356C (80 and 20 mV/g, Table 1)
    accel_noise_ug_per_sqrt_hz={10.0: 80.0, 40.0: 80.0},  # features, Rev 0; Rev A states 75
    accel_bias_instability_ug=30.0,  # assumed
    accel_resonance_hz=5500.0,  # datasheet figure from memory; the ADI set peaks at 5.63, 5.53, 5.36 kHz on x, y, z
    accel_quality=15.0,  # fitted to the ADI set: 17, 21, 10 on x, y, z (its structure's own response is in it)
    anti_alias_order=4,  # assumed: filter of the converter
    typical=Tolerances(
        accel_scale_error_pct=4.0,  # Table 1 limits 73.6 to 86.4 mV/g, +-8 %, read as two standard deviations
        accel_scale_drift_pct_per_c=0.01,  # Table 1, from memory
        cross_axis_pct=1.0,  # Table 1, from memory
        zero_g_offset_mg=125.0,  # Table 1, from memory; the ADI set's residual offsets reach 360 mg
        zero_g_drift_mg_per_c=0.25,  # features state 0.75 mg/C maximum, read as three standard deviations
        rate_error_ppm=20.0,  # assumed: crystal of the converter
    ),
    assumed=(
        "accel_lsb_mg",
        "accel_bias_instability_ug",
        "accel_resonance_hz",
        "accel_quality",
        "anti_alias_order",
        "accel_scale_error_pct",
        "accel_scale_drift_pct_per_c",
        "cross_axis_pct",
        "zero_g_offset_mg",
        "zero_g_drift_mg_per_c",
        "rate_error_ppm",
    ),
)

MPU6050 = Device(
    name="mpu6050",
    source="InvenSense PS-MPU-6000A-00 Rev 3.4 (figures from memory)",
    odrs_hz=(50.0, 100.0, 200.0, 500.0, 1000.0),  # 1 kHz over the sample-rate divider
    accel_lsb_mg={r: r * 1000 / 32768 for r in (2.0, 4.0, 8.0, 16.0)},  # 6.2: 16384 to 2048 LSB/g
    accel_noise_ug_per_sqrt_hz=dict.fromkeys((2.0, 4.0, 8.0, 16.0), 400.0),  # 6.2
    gyro_lsb_mdps={250.0: 1000 / 131, 500.0: 1000 / 65.5, 1000.0: 1000 / 32.8, 2000.0: 1000 / 16.4},  # 6.1
    gyro_noise_mdps_per_sqrt_hz=5.0,  # 6.1, at 10 Hz
    accel_bias_instability_ug=100.0,  # assumed
    gyro_bias_instability_deg_per_h=10.0,  # assumed
    accel_bandwidth_hz={50.0: 21.0, 100.0: 44.0, 200.0: 94.0, 500.0: 184.0, 1000.0: 184.0},  # DLPF_CFG of the registers
    gyro_bandwidth_hz={50.0: 20.0, 100.0: 42.0, 200.0: 98.0, 500.0: 188.0, 1000.0: 188.0},
    anti_alias_order=4,  # assumed
    typical=Tolerances(
        accel_scale_error_pct=3.0,  # 6.2
        gyro_scale_error_pct=3.0,  # 6.1
        accel_scale_drift_pct_per_c=0.02,  # 6.2
        gyro_scale_drift_pct_per_c=0.02,  # 6.1: +-2 % over -40 to 85 C
        cross_axis_pct=2.0,  # 6.1, 6.2
        zero_g_offset_mg=50.0,  # 6.2, x and y
        zero_rate_offset_dps=20.0,  # 6.1
        zero_g_drift_mg_per_c=0.5,  # 6.2: +-35 mg (x, y), +-60 mg (z) over 0 to 70 C
        zero_rate_drift_dps_per_c=0.2,  # 6.1: +-20 deg/s over -40 to 85 C
        rate_error_ppm=10000.0,  # 6.5: internal clock +-1 % at 25 C
    ),
    assumed=("accel_bias_instability_ug", "gyro_bias_instability_deg_per_h", "anti_alias_order"),
)

IDEAL = Device(
    name="ideal",
    source="no noise, no errors, flat to the anti-alias filter; only the rounding to 16 bits remains",
    odrs_hz=(),
    accel_lsb_mg={r: r * 1000 / 32767 for r in (2.0, 4.0, 8.0, 16.0, 40.0)},
    accel_noise_ug_per_sqrt_hz=dict.fromkeys((2.0, 4.0, 8.0, 16.0, 40.0), 0.0),
    gyro_lsb_mdps={r: r * 1000 / 32767 for r in (125.0, 250.0, 500.0, 1000.0, 2000.0)},
)

DEVICES: Mapping[str, Device] = {d.name: d for d in (LSM6DSO, ADXL356, MPU6050, IDEAL)}
