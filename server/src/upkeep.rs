//! What a store needs while it runs: its log synced, its samples brought to blocks and those
//! merged, what is old dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use scraper::cycle::Clock;
use tokio::sync::watch;
use tracing::{debug, error, info};
use tsdb::Db;
use tsdb::model::Timestamp;

use crate::metrics::Metrics;

/// How often it is looked for samples that are too old, and for some that have been in memory for
/// too long.
const RETENTION_CHECK: Duration = Duration::from_secs(60);
/// How often the thread that writes blocks looks for the end, and how long it waits after a first
/// failure.
const IDLE_CHECK: Duration = Duration::from_millis(500);
/// How long it waits at most after further failures, each time twice as long as before.
const RETRY_MAX: Duration = Duration::from_secs(30);
/// How old samples in memory may become, in ms: two hours, as in Prometheus.
const HEAD_AGE_MAX: i64 = 2 * 3_600_000;

/// What is dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Samples older than this, in ms; `None`: none.
    pub ms: Option<i64>,
    /// The oldest blocks, while log and blocks take more bytes than this; `None`: none.
    pub bytes: Option<u64>,
}

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

/// Drops what the retention does not cover.
pub async fn drop_old(db: Arc<Db>, clock: Arc<dyn Clock>, retention: Retention) {
    if retention == Retention::default() {
        return;
    }
    let mut ticks = tokio::time::interval(RETENTION_CHECK);
    loop {
        ticks.tick().await;
        let (db, now) = (db.clone(), clock.now());
        match tokio::task::spawn_blocking(move || drop_now(&db, now, retention)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error!("old samples were not dropped: {error}"),
            Err(error) => error!("old samples were not dropped: {error}"),
        }
    }
}

fn drop_now(db: &Db, now: Timestamp, retention: Retention) -> Result<(), tsdb::Error> {
    if let Some(ms) = retention.ms {
        db.drop_before(now.plus_ms(-ms))?;
    }
    drop_beyond(db, retention.bytes)
}

/// Removes the oldest blocks while log and blocks take more than `bytes_max`.
fn drop_beyond(db: &Db, bytes_max: Option<u64>) -> Result<(), tsdb::Error> {
    let Some(bytes_max) = bytes_max else { return Ok(()) };
    let blocks = db.drop_beyond(bytes_max)?;
    if blocks > 0 {
        info!("{blocks} blocks were removed, the oldest: there were more than {bytes_max} bytes");
    }
    Ok(())
}

/// The thread that writes and merges blocks.
pub struct BlockWriter {
    is_stopping: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl BlockWriter {
    /// Begins to wait for the store to say that there is something to do. What goes beyond
    /// `bytes_max` with a new block goes at once.
    pub fn start(
        db: Arc<Db>,
        clock: Arc<dyn Clock>,
        bytes_max: Option<u64>,
        metrics: Arc<Metrics>,
    ) -> std::io::Result<Self> {
        let is_stopping = Arc::new(AtomicBool::new(false));
        let stopping = is_stopping.clone();
        let trouble = Trouble::default();
        let mut writing = Writing { db, clock, bytes_max, metrics, trouble, suspended: None };
        let run = move || {
            let (mut checked, mut tried) = (Instant::now(), Instant::now());
            let mut wait = Duration::ZERO;
            while !stopping.load(Ordering::Acquire) {
                if tried.elapsed() < wait {
                    // Every commit says that something is due then.
                    std::thread::sleep(IDLE_CHECK);
                    continue;
                }
                // A timeout is as good as a word that something is due.
                let _ = writing.db.due().recv_timeout(IDLE_CHECK);
                let is_old_due = checked.elapsed() >= RETENTION_CHECK;
                tried = Instant::now();
                if !writing.attempt(is_old_due) {
                    wait = (2 * wait).clamp(IDLE_CHECK, RETRY_MAX);
                    continue;
                }
                wait = Duration::ZERO;
                checked = if is_old_due { tried } else { checked };
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

/// What the thread works on.
struct Writing {
    db: Arc<Db>,
    clock: Arc<dyn Clock>,
    bytes_max: Option<u64>,
    metrics: Arc<Metrics>,
    trouble: Trouble,
    /// Since when the disk has no space for the log.
    suspended: Option<Timestamp>,
}

impl Writing {
    /// Says when the disk becomes full, and when there is space again.
    fn note_suspension(&mut self) {
        let is_suspended = self.db.is_log_suspended();
        self.metrics.set_log_suspended(is_suspended);
        match (self.suspended, is_suspended) {
            (None, true) => {
                self.suspended = Some(self.clock.now());
                error!(
                    "no space left on the disk: samples are kept in memory only, and are lost if \
                     this process ends; make room, or set --storage.tsdb.retention.size"
                );
            }
            (Some(since), false) => {
                self.suspended = None;
                info!("there is space again; samples since {} are on disk", time(since));
            }
            _ => {}
        }
    }

    /// Writes what is due, or too old if `is_old_due`, and makes room if it wrote something or
    /// could not; whether that went well.
    fn attempt(&mut self, is_old_due: bool) -> bool {
        let old = is_old_due.then(|| self.clock.now().plus_ms(-HEAD_AGE_MAX));
        self.note_suspension();
        let written = write_blocks(&self.db, old);
        self.note_suspension();
        let dropped = match &written {
            Ok(false) => Ok(()),
            _ => drop_beyond(&self.db, self.bytes_max),
        };
        let outcome = written.and(dropped);
        let is_well = outcome.is_ok();
        self.metrics.set_block_write_failing(!is_well);
        self.trouble.note(outcome, self.clock.now());
        is_well
    }
}

/// Since when blocks cannot be written, if so; said when it begins, changes and ends, not at each
/// of the tries between.
#[derive(Debug, Default)]
struct Trouble(Option<(Timestamp, String)>);

impl Trouble {
    fn note(&mut self, outcome: Result<(), tsdb::Error>, now: Timestamp) {
        if let Some(said) = self.said(outcome.err().map(|error| error.to_string()), now) {
            match &self.0 {
                Some(_) => error!("{said}"),
                None => info!("{said}"),
            }
        }
    }

    /// What is to be said of a try that failed so, or did not.
    fn said(&mut self, failure: Option<String>, now: Timestamp) -> Option<String> {
        match (self.0.take(), failure) {
            (None, None) => None,
            (None, Some(error)) => {
                let said = format!("no block can be written; samples stay where they are: {error}");
                self.0 = Some((now, error));
                Some(said)
            }
            (Some((since, before)), Some(error)) => {
                let is_same = before == error;
                let said = format!("no block can be written since {}: {error}", time(since));
                self.0 = Some((since, error));
                (!is_same).then_some(said)
            }
            (Some((since, _)), None) => {
                Some(format!("blocks can be written again, which failed since {}", time(since)))
            }
        }
    }
}

/// As RFC 3339.
fn time(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.ms()).unwrap_or_default().to_string()
}

/// Writes what is due, or has samples older than `old`, and merges what there is too much of;
/// whether it wrote anything.
fn write_blocks(db: &Db, old: Option<Timestamp>) -> Result<bool, tsdb::Error> {
    // Samples that only memory has come first: a block makes up for the log.
    let mut is_written = if db.is_log_suspended() { db.flush_all()? } else { db.flush_if_due()? };
    if is_written || old.map_or(Ok(false), |old| db.flush_older(old))? {
        debug!("samples were written to a block");
        is_written = true;
    }
    while db.compact_if_due()? {
        debug!("blocks were merged");
        is_written = true;
    }
    Ok(is_written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_said_once() {
        // Seconds, the failure of a try, and what is said (its beginning).
        let rows = [
            (0, None, None),
            (1, Some("full"), Some("no block can be written; samples stay where they are: full")),
            (2, Some("full"), None),
            (3, Some("gone"), Some("no block can be written since 1970-01-01T00:00:01Z: gone")),
            (4, Some("gone"), None),
            (5, None, Some("blocks can be written again, which failed since 1970-01-01T00:00:01Z")),
            (6, None, None),
        ];
        let mut trouble = Trouble::default();
        for (second, failure, expected) in rows {
            let now = Timestamp::from_ms(1_000 * second);
            let said = trouble.said(failure.map(str::to_owned), now);
            assert_eq!(said.as_deref(), expected, "second {second}");
        }
    }
}
