//! What a store needs while it runs: its log synced, its samples brought to blocks and those
//! merged, what is old dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use scraper::cycle::Clock;
use tokio::sync::watch;
use tracing::{debug, error};
use tsdb::Db;
use tsdb::model::Timestamp;

/// How often it is looked for samples that are too old, and for some that have been in memory for
/// too long.
const RETENTION_CHECK: Duration = Duration::from_secs(60);
/// How often the thread that writes blocks looks for the end, and how long it waits after a failure.
const IDLE_CHECK: Duration = Duration::from_millis(500);
/// How old samples in memory may become, in ms: two hours, as in Prometheus.
const HEAD_AGE_MAX: i64 = 2 * 3_600_000;

/// Syncs the log at its interval: what a power cut may lose at most.
pub async fn sync_log(db: Arc<Db>, sync_ms: i64, stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(sync_ms.unsigned_abs()));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !*stopped.borrow() {
        ticks.tick().await;
        let db = db.clone();
        match tokio::task::spawn_blocking(move || db.sync()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error!("the log was not synced: {error}"),
            Err(error) => error!("the log was not synced: {error}"),
        }
    }
}

/// Drops samples that are older than the retention.
pub async fn drop_old(db: Arc<Db>, clock: Arc<dyn Clock>, retention_ms: Option<i64>) {
    let Some(retention_ms) = retention_ms else { return };
    let mut ticks = tokio::time::interval(RETENTION_CHECK);
    loop {
        ticks.tick().await;
        let (db, before) = (db.clone(), clock.now().plus_ms(-retention_ms));
        match tokio::task::spawn_blocking(move || db.drop_before(before)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => error!("old samples were not dropped: {error}"),
            Err(error) => error!("old samples were not dropped: {error}"),
        }
    }
}

/// The thread that writes and merges blocks.
pub struct BlockWriter {
    is_stopping: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl BlockWriter {
    /// Begins to wait for the store to say that there is something to do.
    pub fn start(db: Arc<Db>, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let is_stopping = Arc::new(AtomicBool::new(false));
        let stopping = is_stopping.clone();
        let run = move || {
            let mut checked = Instant::now();
            while !stopping.load(Ordering::Acquire) {
                // A timeout is as good as a word that something is due.
                let _ = db.due().recv_timeout(IDLE_CHECK);
                let old = clock.now().plus_ms(-HEAD_AGE_MAX);
                let old = (checked.elapsed() >= RETENTION_CHECK).then_some(old);
                checked = if old.is_some() { Instant::now() } else { checked };
                if let Err(error) = write_blocks(&db, old) {
                    error!("no block was written; samples stay in memory and log: {error}");
                    std::thread::sleep(IDLE_CHECK);
                }
            }
        };
        let thread = std::thread::Builder::new().name("blocks".to_owned()).spawn(run)?;
        Ok(Self { is_stopping, thread })
    }

    /// Waits for the block that is being written, if there is one.
    pub fn stop(self) {
        self.is_stopping.store(true, Ordering::Release);
        if self.thread.join().is_err() {
            error!("the thread that writes blocks has panicked");
        }
    }
}

/// Writes what is due, or has samples older than `old`, and merges what there is too much of.
fn write_blocks(db: &Db, old: Option<Timestamp>) -> Result<(), tsdb::Error> {
    let is_written = db.flush_if_due()?;
    if is_written || old.map_or(Ok(false), |old| db.flush_older(old))? {
        debug!("samples were written to a block");
    }
    while db.compact_if_due()? {
        debug!("blocks were merged");
    }
    Ok(())
}
