//! One target's life: wake up, fetch, store, note how it went, sleep.
//!
//! [`Scrape::once`] is one turn, driven by whoever calls it. `run` drives it by the clock. A page
//! of usual size is stored where it was fetched: that takes a fraction of a millisecond, less than
//! to wake another thread for it. A large one goes to a thread for blocking work. A panic in
//! fetching or storing ends that scrape only.
//!
//! When a target goes away its series have to end, too: at the time of the next scrape that
//! would have been, written 1.1 intervals later. If somebody else scrapes the same series by
//! then (a changed configuration, say), the store has newer samples and refuses the markers.

mod clock;
mod failure_log;
mod schedule;
mod unwind;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tsdb::append::Storage;
use tsdb::model::Timestamp;

pub use clock::{Clock, SystemClock};
pub use schedule::Schedule;

use crate::fetch::{FetchError, Fetcher, Page, Wire};
use crate::ingest::{Counts, Ingest, Report};
use crate::job::Job;
use crate::target::Target;
use crate::totals::Totals;
use unwind::{panic_text, text_of, unwinding};

/// Pages up to this size are stored on the thread that fetched them; reading as much takes some
/// milliseconds at most.
const PAGE_BYTES_INLINE: usize = 1 << 20;

/// How a scrape went.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The timestamp of its samples.
    pub at: Timestamp,
    /// Whether the target gave a good page.
    pub up: bool,
    /// How long it took to fetch and to read.
    pub duration_seconds: f64,
    /// What was on the page; all zero if it was not good.
    pub counts: Counts,
    /// What went wrong, in the target or in storing.
    pub error: Option<String>,
}

/// What a scrape is made of.
#[derive(Clone)]
pub struct Parts {
    /// What to scrape.
    pub target: Arc<Target>,
    /// By which rules.
    pub job: Arc<Job>,
    /// How to get the page.
    pub fetcher: Arc<Fetcher>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Scrapes one target, again and again.
pub struct Scrape {
    parts: Parts,
    ingest: Ingest,
    wire: Wire,
}

impl Scrape {
    /// A scrape that has not begun.
    pub fn new(parts: Parts) -> Self {
        let ingest = Ingest::new(parts.target.labels.clone(), parts.job.clone());
        Self { parts, ingest, wire: Wire::default() }
    }

    /// Fetches the page and stores it as of `at`. Never fails: what goes wrong is in the outcome
    /// and in the target's record.
    pub async fn once(&mut self, at: Timestamp, storage: &dyn Storage) -> Outcome {
        let started = self.parts.clock.monotonic();
        let (page, fetched) = self.fetch().await;
        self.store(&page, fetched, at, started, storage)
    }

    /// Gets the page.
    async fn fetch(&mut self) -> (Page, Result<(), FetchError>) {
        let Parts { target, fetcher, .. } = &self.parts;
        let timeout = Duration::from_millis(target.timeout_ms.unsigned_abs());
        let mut page = Page::default();
        let wire = &mut self.wire;
        let fetched = fetcher.fetch_over(wire, &target.url, timeout, &mut page).await;
        (page, fetched)
    }

    /// Stores what was fetched, or that nothing could be.
    fn store(
        &mut self,
        page: &Page,
        fetched: Result<(), FetchError>,
        at: Timestamp,
        started: Duration,
        storage: &dyn Storage,
    ) -> Outcome {
        let clock = self.parts.clock.clone();
        let duration = || (clock.monotonic() - started).as_secs_f64();
        let was_fetched = fetched.is_ok();
        match &fetched {
            // What nobody was asked for is no failure.
            Ok(()) | Err(FetchError::Refused(_)) => {}
            Err(error) => self.log_failure(&error.to_string()),
        }
        let body_bytes = match &fetched {
            Ok(()) => i64::try_from(page.body.len()).unwrap_or(i64::MAX),
            Err(FetchError::TooLarge) => -1,
            Err(_) => 0,
        };
        let mut append = storage.appender();
        let mut duration_seconds = 0.0;
        let stored = fetched.map_err(|error| error.to_string()).and_then(|()| {
            let content_type = page.content_type.as_deref();
            let stored = self.ingest.scrape(&page.body, content_type, at, &mut *append, |counts| {
                duration_seconds = duration();
                Some(Report { up: true, duration_seconds, counts, body_bytes })
            });
            stored.map_err(|error| error.to_string())
        });
        let (up, mut counts, mut error) = match stored {
            Ok(counts) => (true, counts, None),
            Err(error) => (false, Counts::default(), Some(error)),
        };
        let mut told = Ok(());
        if !up {
            // Whatever was appended of the page goes with this appender.
            drop(append);
            append = storage.appender();
            duration_seconds = duration();
            counts = if was_fetched { self.ingest.counted() } else { counts };
            let report = Report { up, duration_seconds, counts, body_bytes };
            told = self.ingest.lose(at, &mut *append);
            told = told.and_then(|()| self.ingest.report(&report, at, &mut *append));
        }
        let committed = match told {
            Ok(()) => append.commit().map(drop).map_err(|error| error.to_string()),
            Err(refused) => Err(refused.to_string()),
        };
        if let Err(failed) = committed {
            self.ingest.forget();
            error.get_or_insert(format!("storing the scrape failed: {failed}"));
        }
        let outcome = Outcome { at, up, duration_seconds, counts, error };
        self.note(&outcome);
        outcome
    }

    /// Writes that there is no page to the job's file; nothing depends on that.
    fn log_failure(&self, error: &str) {
        let Parts { target, job, clock, .. } = &self.parts;
        if let Some(path) = &job.failure_log {
            let _lost = failure_log::note(path, clock.now(), target, error);
        }
    }

    fn note(&mut self, outcome: &Outcome) {
        let record = &self.parts.target.record;
        let error = outcome.error.clone().unwrap_or_default();
        record.note(outcome.at, outcome.duration_seconds, outcome.up, error);
        if let Some(families) = self.ingest.take_family_changes() {
            record.note_families(families.into());
        }
    }

    /// The target is gone: its series end at `at`. Says why if that could not be stored.
    pub fn end(&mut self, at: Timestamp, storage: &dyn Storage) -> Result<(), String> {
        let mut append = storage.appender();
        self.ingest.end(at, &mut *append).map_err(|refused| refused.to_string())?;
        append.commit().map(drop).map_err(|error| error.to_string())
    }
}

/// What a running cycle is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Go on.
    Run,
    /// The target is gone; end its series.
    Remove,
    /// The process ends; leave everything as it is.
    Quit,
}

/// Scrapes a target by the clock until told otherwise.
pub(crate) async fn run(
    parts: Parts,
    storage: Arc<dyn Storage>,
    totals: Arc<Totals>,
    mut orders: watch::Receiver<Order>,
) {
    let mut before = None;
    let schedule = Schedule::new(parts.target.identity, parts.target.interval_ms);
    let mut scrape = Scrape::new(parts.clone());
    let mut due = schedule.after(parts.clock.now());
    loop {
        tokio::select! {
            () = stopped(&mut orders) => break,
            () = wait_until(due, &parts, schedule) => {}
        }
        let at = schedule.align(due, parts.clock.now());
        let started = parts.clock.monotonic();
        let fetched = tokio::select! {
            () = stopped(&mut orders) => break,
            fetched = unwinding(scrape.fetch()) => fetched,
        };
        let between = before.replace(started).map(|before| started.saturating_sub(before));
        totals.scraped_after(schedule.interval_ms(), between);
        let (page, fetched) =
            fetched.unwrap_or_else(|text| (Page::default(), Err(FetchError::Body(text))));
        let is_large = page.body.len() > PAGE_BYTES_INLINE;
        let (store, totals) = (storage.clone(), totals.clone());
        let storing = move || {
            let is_too_large = matches!(fetched, Err(FetchError::TooLarge));
            let outcome = scrape.store(&page, fetched, at, started, &*store);
            totals.stored(&outcome, is_too_large);
            scrape
        };
        let stored = match is_large {
            true => spawn_blocking(storing).await.map_err(panic_text),
            false => catch_unwind(AssertUnwindSafe(storing)).map_err(|panic| text_of(&*panic)),
        };
        scrape = stored.unwrap_or_else(|text| {
            parts.target.record.note(at, 0.0, false, text);
            Scrape::new(parts.clone())
        });
        due = following(due, &parts, schedule);
    }
    if *orders.borrow() == Order::Remove {
        end(scrape, storage, orders, schedule).await;
    }
}

/// Waits for an order to stop; a manager that is gone is one, too.
async fn stopped(orders: &mut watch::Receiver<Order>) {
    // An error means that the sender is gone.
    let _gone = orders.wait_for(|order| *order != Order::Run).await;
}

/// Sleeps until `due`, at most one interval: clocks may be set.
async fn wait_until(due: Timestamp, parts: &Parts, schedule: Schedule) {
    let ms = due.ms_since(parts.clock.now()).clamp(0, schedule.interval_ms());
    tokio::time::sleep(Duration::from_millis(ms.unsigned_abs())).await;
}

/// The time after `due` and after now. A clock that was set back by more than an interval wins.
fn following(due: Timestamp, parts: &Parts, schedule: Schedule) -> Timestamp {
    let now = parts.clock.now();
    let set_back = due.ms_since(now) > schedule.interval_ms();
    schedule.after(if set_back { now } else { now.max(due) })
}

/// Ends the series of a target that is gone, unless the process ends before.
async fn end(
    mut scrape: Scrape,
    storage: Arc<dyn Storage>,
    mut orders: watch::Receiver<Order>,
    schedule: Schedule,
) {
    let now = scrape.parts.clock.now();
    let at = schedule.after(now);
    let wait_ms = at.ms_since(now) + schedule.interval_ms() * 11 / 10;
    tokio::select! {
        _quit = orders.wait_for(|order| *order == Order::Quit) => return,
        () = tokio::time::sleep(Duration::from_millis(wait_ms.unsigned_abs())) => {}
    }
    let record = scrape.parts.target.clone();
    let ended = spawn_blocking(move || scrape.end(at, &*storage)).await;
    if let Err(error) = ended.unwrap_or_else(|error| Err(panic_text(error))) {
        record.record.note(at, 0.0, false, format!("ending the series failed: {error}"));
    }
}
