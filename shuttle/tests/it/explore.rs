//! Running a workload under many schedules.

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

/// Of the first schedule; each has its own.
const SEED: u64 = 1;
/// Bytes of the stack of a thread: a codec's tables lie there.
const STACK: usize = 1 << 20;

fn run(scheduler: impl Scheduler + 'static, workload: impl Fn() + Send + Sync + 'static) {
    let mut config = Config::new();
    config.stack_size = STACK;
    // All atomics count as sequentially consistent: weaker orders are not looked at.
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(workload);
}

fn times(schedules: usize) -> usize {
    let times = std::env::var("SHUTTLE_TIMES").ok().and_then(|text| text.parse().ok());
    schedules * times.unwrap_or(1)
}

/// At each step any thread goes on.
pub(crate) fn random(schedules: usize, workload: impl Fn() + Send + Sync + 'static) {
    run(RandomScheduler::new_from_seed(SEED, times(schedules)), workload);
}

/// One thread goes on as long as it can, but for `changes` steps at which another one does.
pub(crate) fn seldom(
    schedules: usize,
    changes: usize,
    workload: impl Fn() + Send + Sync + 'static,
) {
    run(PctScheduler::new_from_seed(SEED, changes + 1, times(schedules)), workload);
}
