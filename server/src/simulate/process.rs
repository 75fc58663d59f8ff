//! The process around an exporter: CPU, memory, files, garbage.

use super::ledger::Ledger;
use super::measure::Measure;

/// Seconds from a process's start to its first page: loading a model takes a while.
pub(crate) const BOOT_S: f64 = 74.5;

/// Size of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    /// Bytes of memory after start.
    pub(crate) resident: f64,
    /// Bytes of address space.
    pub(crate) address_space: f64,
    /// CPU seconds per second without work.
    pub(crate) idle_cpu: f64,
    /// Files that are open without clients.
    pub(crate) files: f64,
}

/// Bytes by which memory grows with each open request.
const REQUEST_BYTES: f64 = 98_304.0;

/// Objects freed by a run of each generation of Python's collector.
const FREED: [f64; 3] = [412.0, 96.0, 31.0];

/// How many runs of one generation make one of the next (Python's defaults are 700, 10, 10).
const RUNS: f64 = 10.0;

/// Limit of open files in the containers.
const MAX_FILES: f64 = 1_048_576.0;

impl Process {
    /// Writes what a process shows after its start at `start_s` (Unix seconds).
    pub(crate) fn start(&self, ledger: &mut Ledger, start_s: f64) {
        ledger.set(Measure::ProcessStart, 0, ((start_s - BOOT_S) * 100.0).round() / 100.0);
        ledger.set(Measure::MaxFiles, 0, MAX_FILES);
        ledger.set(Measure::VirtualMemory, 0, self.address_space);
        ledger.add(Measure::CpuSeconds, 0, 41.0);
        self.beat(ledger, 0.0, 0.0, 0.0);
    }

    /// Writes what changed in `step_s` seconds with `busy_s` seconds of work, `open` requests.
    pub(crate) fn beat(&self, ledger: &mut Ledger, step_s: f64, busy_s: f64, open: f64) {
        ledger.add(Measure::CpuSeconds, 0, self.idle_cpu * step_s + busy_s);
        ledger.set(Measure::ResidentMemory, 0, self.resident + REQUEST_BYTES * open);
        ledger.set(Measure::OpenFiles, 0, self.files + open);
        ledger.set(Measure::Goroutines, 0, 120.0 + 9.0 * open);
    }

    /// Writes one run of the youngest generation, and of the older ones when their turn comes.
    pub(crate) fn collect_garbage(&self, ledger: &mut Ledger) {
        for (generation, freed) in FREED.into_iter().enumerate() {
            ledger.add(Measure::GcRuns, generation, 1.0);
            ledger.add(Measure::GcObjects, generation, freed);
            if ledger.number(Measure::GcRuns, generation).value % RUNS != 0.0 {
                return;
            }
        }
    }
}
