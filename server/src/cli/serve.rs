//! `inferometer serve`: scrapes what a configuration file says.

use std::process::ExitCode;
use std::sync::Arc;

use scraper::cycle::SystemClock;

use super::logging;
use crate::app::{self, App, AppOptions};
use crate::config::{self, Storage};
use crate::flags::ServeFlags;
use crate::upkeep::Retention;

/// How long samples are kept if nothing is said: 15 days, as in Prometheus.
const RETENTION_MS: i64 = 15 * 86_400_000;

/// Runs until SIGINT or SIGTERM.
pub fn run(flags: &ServeFlags) -> anyhow::Result<ExitCode> {
    logging::start(&flags.shared)?;
    let config = config::load(&flags.config_file)?;
    tracing::info!("{} jobs in {}", config.jobs.len(), flags.config_file.display());
    let options = AppOptions {
        shared: flags.shared.clone(),
        remote_write: flags.remote_write,
        admin: flags.admin_api,
        retention: retention(flags, &config.storage),
        out_of_order_ms: config.storage.out_of_order_ms,
        notice: None,
    };
    super::runtime()?.block_on(async {
        let listener = app::listen(&flags.listen).await?;
        let app = App::open(&flags.storage_path, options, Arc::new(SystemClock::default()))?;
        tracing::info!("listening on http://{}", listener.local_addr()?);
        app.serve(listener, config.jobs, app::signal()).await
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What the file says goes before what the flags say, as in Prometheus.
fn retention(flags: &ServeFlags, file: &Storage) -> Retention {
    // 0 is no limit.
    let bytes = file.retention_bytes.or(flags.retention_bytes).filter(|bytes| *bytes > 0);
    let default_ms = bytes.is_none().then_some(RETENTION_MS);
    Retention { ms: file.retention_ms.or(flags.retention_ms).or(default_ms), bytes }
}
