//! `inferometer serve`: scrapes what a configuration file says.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use scraper::cycle::SystemClock;
use tokio::signal::unix::{SignalKind, signal};

use super::logging;
use crate::app::{self, App, AppOptions};
use crate::config::Storage;
use crate::features::Enabled;
use crate::flags::ServeFlags;
use crate::reload::ConfigFile;
use crate::rules::manager::RuleOptions;
use crate::upkeep::Retention;

/// How long samples are kept if nothing is said: 15 days, as in Prometheus.
const RETENTION_MS: i64 = 15 * 86_400_000;

/// Runs until SIGINT or SIGTERM.
pub fn run(flags: &ServeFlags) -> anyhow::Result<ExitCode> {
    logging::start(&flags.shared)?;
    let watch = Duration::from_millis(flags.watch_ms.unsigned_abs());
    let file = ConfigFile::load(&flags.config_file, Some(watch).filter(|every| !every.is_zero()))?;
    let config = file.config.clone();
    tracing::info!("{} jobs in {}", config.jobs.len(), flags.config_file.display());
    let options = AppOptions {
        shared: flags.shared.clone(),
        remote_write: flags.remote_write,
        admin: flags.admin_api,
        retention: retention(flags, &config.storage)?,
        out_of_order_ms: config.storage.out_of_order_ms,
        exemplars_max: config.storage.exemplars_max,
        file: Some(file),
        lifecycle: flags.lifecycle,
        rules: RuleOptions::load(&config, Enabled::new(&flags.shared.features).language)?,
        notice: None,
    };
    super::runtime()?.block_on(async {
        // From here on SIGHUP ends nothing, not even while the store is being opened.
        let _hangups = signal(SignalKind::hangup()).context("SIGHUP cannot be waited for")?;
        let listener = app::listen(&flags.listen).await?;
        let app = App::open(&flags.storage_path, options, Arc::new(SystemClock::default()))?;
        tracing::info!("listening on http://{}", listener.local_addr()?);
        app.serve(listener, config.jobs, app::signal()).await
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What the file says goes before what the flags say, as in Prometheus.
fn retention(flags: &ServeFlags, file: &Storage) -> anyhow::Result<Retention> {
    // 0 is no limit.
    let bytes = file.retention_bytes.or(flags.retention_bytes).filter(|bytes| *bytes > 0);
    let part = file.retention_percent.map(|percent| part_of_disk(&flags.storage_path, percent));
    let bytes = bytes.into_iter().chain(part.transpose()?).min();
    let default_ms = bytes.is_none().then_some(RETENTION_MS);
    Ok(Retention { ms: file.retention_ms.or(flags.retention_ms).or(default_ms), bytes })
}

/// How many bytes a part of the file system has that `directory` is on, or will be.
fn part_of_disk(directory: &Path, percent: f64) -> anyhow::Result<u64> {
    let absolute = std::path::absolute(directory)?;
    let existing = absolute.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let disk = rustix::fs::statvfs(existing)
        .with_context(|| format!("cannot tell the size of the disk of {}", existing.display()))?;
    Ok((disk.f_blocks as f64 * disk.f_frsize as f64 * percent / 100.0) as u64)
}
