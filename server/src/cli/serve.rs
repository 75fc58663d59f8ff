//! `inferometer serve`: scrapes what a configuration file says.

use std::process::ExitCode;
use std::sync::Arc;

use scraper::cycle::SystemClock;

use super::logging;
use crate::app::{self, App, AppOptions};
use crate::config;
use crate::flags::ServeFlags;

/// Runs until SIGINT or SIGTERM.
pub fn run(flags: &ServeFlags) -> anyhow::Result<ExitCode> {
    logging::start(&flags.shared)?;
    let config = config::load(&flags.config_file)?;
    tracing::info!("{} jobs in {}", config.jobs.len(), flags.config_file.display());
    let options = AppOptions {
        shared: flags.shared.clone(),
        remote_write: flags.remote_write,
        retention_ms: Some(flags.retention_ms),
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
