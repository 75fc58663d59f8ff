//! The GPUs of the node: they follow what their engines do, with the inertia of real ones.
//!
//! Every step the busy share, smoothed over seconds, gives clocks and activity; power follows it,
//! temperature follows power slowly, energy is power over time. An H100 SXM is the model.

use super::engine::Effort;
use super::ledger::Ledger;
use super::measure::Measure;

/// Watts without and with full load.
const IDLE_W: f64 = 72.0;
const FULL_W: f64 = 690.0;

/// Degrees Celsius without load, and more at full load: chip, memory.
const COOL_C: [f64; 2] = [31.0, 36.0];
const WARMER_C: [f64; 2] = [38.0, 46.0];

/// Seconds in which activity, power and temperature follow (time constants of first-order lags).
const ACTIVITY_LAG_S: f64 = 2.0;
const POWER_LAG_S: f64 = 0.7;
const HEAT_LAG_S: f64 = 45.0;

/// MiB of memory: usable, reserved by the driver.
const MEMORY_MIB: f64 = 81_007.0;
const RESERVED_MIB: f64 = 551.0;

/// MiB more that an engine's activations take at full load.
const ACTIVATIONS_MIB: f64 = 1800.0;

/// MHz of the memory, and of the multiprocessors without and with load.
const MEMORY_MHZ: f64 = 2619.0;
const IDLE_MHZ: f64 = 345.0;
const LOAD_MHZ: f64 = 1980.0;

/// MHz by which full power slows the multiprocessors down.
const THROTTLED_MHZ: f64 = 240.0;

/// Share of time in iterations in which the tensor cores, the memory work: prompts, tokens.
const TENSOR: [f64; 2] = [0.55, 0.07];
const MEMORY: [f64; 2] = [0.28, 0.66];

/// Bytes over PCIe per token, and per second without load.
const PCIE_TOKEN_BYTES: f64 = 5200.0;
const PCIE_IDLE_BYTES: f64 = 61_000.0;

/// Bytes over NVLink per token.
const NVLINK_TOKEN_BYTES: f64 = 160_000.0;

#[derive(Debug, Clone, Copy, Default)]
struct Gpu {
    /// Busy share, the part of it for prompts, tokens per second.
    busy: f64,
    prompt: f64,
    tokens: f64,
    watts: f64,
    heat: f64,
    joules: f64,
    nvlink: f64,
    /// MiB held by the engine; 0 for a GPU that nobody uses.
    held_mib: f64,
}

/// The GPUs of the node.
#[derive(Debug)]
pub(crate) struct Gpus {
    gpus: Vec<Gpu>,
    /// What their exporter shows.
    pub(crate) ledger: Ledger,
}

impl Gpus {
    /// Idle GPUs, on which engines hold so many MiB.
    pub(crate) fn new(held_mib: &[f64], ledger: Ledger) -> Gpus {
        let gpu = |held_mib: &f64| Gpu { watts: IDLE_W, held_mib: *held_mib, ..Gpu::default() };
        let mut gpus = Gpus { gpus: held_mib.iter().map(gpu).collect(), ledger };
        gpus.show();
        gpus
    }

    /// Goes `step_s` seconds on to `now_s` (Unix seconds); GPUs beyond `efforts` stay idle.
    pub(crate) fn advance(&mut self, efforts: &[Effort], step_s: f64, now_s: f64) {
        self.ledger.at(now_s);
        for (position, gpu) in self.gpus.iter_mut().enumerate() {
            gpu.advance(efforts.get(position).copied().unwrap_or_default(), step_s);
        }
        self.show();
    }

    fn show(&mut self) {
        for (position, gpu) in self.gpus.iter().enumerate() {
            gpu.show(position, &mut self.ledger);
        }
    }
}

impl Gpu {
    fn advance(&mut self, effort: Effort, step_s: f64) {
        // An iteration may run over the step's end: its step then counts more than its length, the
        // next one nothing, and the lag evens it out.
        follow(&mut self.busy, effort.busy_s / step_s, step_s / ACTIVITY_LAG_S);
        follow(&mut self.prompt, effort.prompt_s / step_s, step_s / ACTIVITY_LAG_S);
        follow(&mut self.tokens, effort.tokens / step_s, step_s / ACTIVITY_LAG_S);
        let watts = IDLE_W + (FULL_W - IDLE_W) * (0.48 * self.busy + 0.5 * self.prompt).min(1.0);
        follow(&mut self.watts, watts, step_s / POWER_LAG_S);
        let load = self.load();
        follow(&mut self.heat, load, step_s / HEAT_LAG_S);
        self.joules += self.watts * step_s;
        self.nvlink += NVLINK_TOKEN_BYTES * effort.tokens;
    }

    /// Power between idle (0) and full (1).
    fn load(&self) -> f64 {
        (self.watts - IDLE_W) / (FULL_W - IDLE_W)
    }

    fn show(&self, cell: usize, ledger: &mut Ledger) {
        let (busy, prompt) = (self.busy.min(1.0), self.prompt.min(1.0));
        let decode = (busy - prompt).max(0.0);
        let active = |shares: [f64; 2]| (shares[0] * prompt + shares[1] * decode).min(1.0);
        let clock = if busy > 0.01 { LOAD_MHZ - THROTTLED_MHZ * self.load() } else { IDLE_MHZ };
        let taken = if self.held_mib > 0.0 { self.held_mib + ACTIVATIONS_MIB * busy } else { 4.0 };
        let pcie = PCIE_IDLE_BYTES + PCIE_TOKEN_BYTES * self.tokens;
        for (measure, value) in [
            (Measure::GpuClock, (clock / 15.0).round() * 15.0),
            (Measure::GpuMemoryClock, MEMORY_MHZ),
            (Measure::GpuTemperature, (COOL_C[0] + WARMER_C[0] * self.heat).round()),
            (Measure::GpuMemoryTemperature, (COOL_C[1] + WARMER_C[1] * self.heat).round()),
            (Measure::GpuPower, (self.watts * 1000.0).round() / 1000.0),
            (Measure::GpuEnergy, (self.joules * 1000.0).floor()),
            (Measure::GpuUtilisation, (100.0 * busy).round()),
            (Measure::GpuCopyUtilisation, (100.0 * active(MEMORY)).round()),
            (Measure::GpuMemoryUsed, taken.round()),
            (Measure::GpuMemoryFree, MEMORY_MIB - taken.round()),
            (Measure::GpuMemoryReserved, RESERVED_MIB),
            (Measure::GpuEngineActive, share(busy)),
            (Measure::GpuTensorActive, share(active(TENSOR))),
            (Measure::GpuMemoryActive, share(active(MEMORY))),
            (Measure::GpuPcieSent, pcie.round()),
            (Measure::GpuPcieReceived, (0.8 * pcie).round()),
            (Measure::GpuNvlink, self.nvlink),
        ] {
            ledger.set(measure, cell, value);
        }
    }
}

/// A first-order lag: goes the part `step` of the way, all of it when `step` is 1 or more.
fn follow(value: &mut f64, goal: f64, step: f64) {
    *value += (goal - *value) * step.min(1.0);
}

/// DCGM prints shares with six decimals.
fn share(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
