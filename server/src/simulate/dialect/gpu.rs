//! The page of NVIDIA's DCGM exporter with its default fields, on a Kubernetes node.
//!
//! The labels `container`, `namespace`, `pod` say which pod uses the GPU and are empty when none
//! does. The exporter writes its pages itself; their numbers have Go's layout.

use super::super::family::{Dialect, Each, Family, Kind, Labels};
use super::super::measure::Measure;
use super::super::number::Style;

/// The DCGM exporter.
pub(crate) static GPU: Dialect =
    Dialect { style: Style::Go, content_type: "text/plain; charset=utf-8", families: FAMILIES };

const DEVICE: Labels = &[
    ("gpu", "$gpu"),
    ("UUID", "$uuid"),
    ("device", "$device"),
    ("modelName", "$gpu_model"),
    ("Hostname", "$node"),
    ("container", "$container"),
    ("namespace", "$namespace"),
    ("pod", "$pod"),
];

const FAMILIES: &[Family] = &[
    gpu(
        "DCGM_FI_DEV_SM_CLOCK",
        Kind::Gauge,
        Measure::GpuClock,
        "Clock of the multiprocessors in MHz.",
    ),
    gpu(
        "DCGM_FI_DEV_MEM_CLOCK",
        Kind::Gauge,
        Measure::GpuMemoryClock,
        "Clock of the memory in MHz.",
    ),
    gpu(
        "DCGM_FI_DEV_MEMORY_TEMP",
        Kind::Gauge,
        Measure::GpuMemoryTemperature,
        "Temperature of the memory in degrees Celsius.",
    ),
    gpu(
        "DCGM_FI_DEV_GPU_TEMP",
        Kind::Gauge,
        Measure::GpuTemperature,
        "Temperature of the GPU in degrees Celsius.",
    ),
    gpu("DCGM_FI_DEV_POWER_USAGE", Kind::Gauge, Measure::GpuPower, "Power drawn in watts."),
    gpu(
        "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
        Kind::Counter,
        Measure::GpuEnergy,
        "Energy used since boot in millijoules.",
    ),
    gpu(
        "DCGM_FI_DEV_PCIE_REPLAY_COUNTER",
        Kind::Counter,
        Measure::Zero,
        "PCIe packets sent again.",
    ),
    gpu(
        "DCGM_FI_DEV_GPU_UTIL",
        Kind::Gauge,
        Measure::GpuUtilisation,
        "Busy share of time in percent.",
    ),
    gpu(
        "DCGM_FI_DEV_MEM_COPY_UTIL",
        Kind::Gauge,
        Measure::GpuCopyUtilisation,
        "Busy share of the memory's time in percent.",
    ),
    gpu("DCGM_FI_DEV_XID_ERRORS", Kind::Gauge, Measure::Zero, "Code of the last XID error."),
    gpu("DCGM_FI_DEV_FB_FREE", Kind::Gauge, Measure::GpuMemoryFree, "Free memory in MiB."),
    gpu("DCGM_FI_DEV_FB_USED", Kind::Gauge, Measure::GpuMemoryUsed, "Used memory in MiB."),
    gpu(
        "DCGM_FI_DEV_FB_RESERVED",
        Kind::Gauge,
        Measure::GpuMemoryReserved,
        "Memory reserved by the driver in MiB.",
    ),
    gpu(
        "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL",
        Kind::Counter,
        Measure::GpuNvlink,
        "Bytes over all NVLinks since boot.",
    ),
    gpu(
        "DCGM_FI_PROF_GR_ENGINE_ACTIVE",
        Kind::Gauge,
        Measure::GpuEngineActive,
        "Share of time in which the engine was active.",
    ),
    gpu(
        "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE",
        Kind::Gauge,
        Measure::GpuTensorActive,
        "Share of cycles in which the tensor cores were active.",
    ),
    gpu(
        "DCGM_FI_PROF_DRAM_ACTIVE",
        Kind::Gauge,
        Measure::GpuMemoryActive,
        "Share of cycles in which the memory was active.",
    ),
    gpu(
        "DCGM_FI_PROF_PCIE_TX_BYTES",
        Kind::Gauge,
        Measure::GpuPcieSent,
        "Bytes per second sent over PCIe.",
    ),
    gpu(
        "DCGM_FI_PROF_PCIE_RX_BYTES",
        Kind::Gauge,
        Measure::GpuPcieReceived,
        "Bytes per second received over PCIe.",
    ),
];

const fn gpu(name: &'static str, kind: Kind, measure: Measure, help: &'static str) -> Family {
    Family::new(name, kind, measure, help).labels(DEVICE).each(Each::Gpu)
}
