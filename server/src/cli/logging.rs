//! Where log lines go: to stderr, as text or JSON.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::flags::SharedFlags;

/// Libraries: from the level `warn` on. The client of Kubernetes tells us of each request that failed,
/// and says it in the log once more: for every watch at every attempt.
const OTHERS: &str = "warn,kube_client=off";

/// Starts logging.
pub(super) fn start(flags: &SharedFlags) -> anyhow::Result<()> {
    let level = flags.log_level.to_lowercase();
    let known = ["error", "warn", "info", "debug", "trace"];
    anyhow::ensure!(
        known.contains(&level.as_str()),
        "--log.level={} is none of {}",
        flags.log_level,
        known.join(", ")
    );
    let ours = ["server", "scraper", "tsdb", "promql"].map(|room| format!("{room}={level}"));
    let filter = EnvFilter::try_new(format!("{OTHERS},{}", ours.join(",")))
        .context("--log.level cannot be used")?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if flags.log_format == "json" {
        lines.json().try_init()
    } else {
        lines.with_target(false).with_ansi(std::io::stderr().is_terminal()).try_init()
    };
    started.map_err(|error| anyhow::anyhow!("logging was started twice: {error}"))
}
