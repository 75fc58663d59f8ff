//! What is done again and again beside requests: syncing, writing blocks, dropping, reloading,
//! looking.

use std::sync::Arc;

use scraper::cycle::Clock;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tsdb::Db;

use super::AppOptions;
use crate::http::Services;
use crate::upkeep::{self, BlockWriter};
use crate::{discovery, reload};

/// Tasks that run until they are stopped, and the thread that writes blocks.
pub(super) struct Background {
    tasks: JoinSet<()>,
    writer: BlockWriter,
}

impl Background {
    /// Starts within a tokio runtime. The log is synced until `stopped`.
    pub(super) fn start(
        (db, clock): (&Arc<Db>, &Arc<dyn Clock>),
        options: &AppOptions,
        services: &Services,
        stopped: watch::Receiver<bool>,
    ) -> std::io::Result<Self> {
        let mut tasks = JoinSet::new();
        tasks.spawn(upkeep::sync_log(db.clone(), options.shared.sync_ms, stopped));
        if let Some(reloader) = &services.lifecycle.reloader {
            tasks.spawn(reload::on_signal(reloader.clone()));
            if let Some(every) = options.file.as_ref().and_then(|file| file.watch) {
                tasks.spawn(reload::on_change(reloader.clone(), every));
            }
        }
        tasks.spawn(services.lookout.clone().watch());
        let (wanted, told) = (services.wanted.clone(), services.notifier.clone());
        tasks.spawn(discovery::say_problems(services.scrapes.clone(), wanted.clone(), told));
        tasks.spawn(wanted.follow());
        tasks.spawn(upkeep::drop_old(db.clone(), clock.clone(), options.retention));
        let (bytes_max, metrics) = (options.retention.bytes, services.metrics.clone());
        let writer = BlockWriter::start(db.clone(), clock.clone(), bytes_max, metrics)?;
        Ok(Self { tasks, writer })
    }

    /// One more task.
    pub(super) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Ends all tasks where they are, and waits for a block that is being written.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        self.tasks.abort_all();
        tokio::task::spawn_blocking(move || self.writer.stop()).await?;
        Ok(())
    }
}
