//! How a target is doing: the last scrape's outcome, as data for whoever shows it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tsdb::model::{Labels, Metadata, Timestamp};

use super::Target;

/// Whether the last scrape went well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// There was none yet.
    #[default]
    Unknown,
    /// It did.
    Up,
    /// It did not.
    Down,
}

impl Health {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// A target as the API shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetStatus {
    /// The labels before relabelling.
    pub discovered_labels: Labels,
    /// The labels of its series.
    pub labels: Labels,
    /// The name of its job's configuration.
    pub scrape_pool: String,
    /// Where its page is.
    pub scrape_url: String,
    /// The same; who knows a public name of this host may put it in place of `localhost`.
    pub global_url: String,
    /// What went wrong in the last scrape, empty if nothing.
    pub last_error: String,
    /// When the last scrape began; `None` if there was none.
    pub last_scrape: Option<Timestamp>,
    /// How long it took, in seconds.
    pub last_scrape_duration_seconds: f64,
    /// Whether it went well.
    pub health: Health,
    /// Milliseconds from one scrape to the next.
    pub interval_ms: i64,
    /// Milliseconds after which a scrape has failed.
    pub timeout_ms: i64,
}

/// A metric family that a target exposes: its name, and what it says about it.
pub type FamilyMetadata = (String, Metadata);

/// What is remembered of a target's scrapes.
#[derive(Debug, Default)]
pub struct Record(Mutex<State>);

#[derive(Clone, Debug, Default)]
struct State {
    health: Health,
    last_error: String,
    last_scrape: Option<Timestamp>,
    duration_seconds: f64,
    families: Arc<[Arc<FamilyMetadata>]>,
}

impl Record {
    /// Notes a scrape that began at `at`; `error` is empty if nothing went wrong. (A page that
    /// was fine but could not be stored is an error of a target that is up.)
    pub fn note(&self, at: Timestamp, duration_seconds: f64, up: bool, error: String) {
        let mut state = self.state();
        state.health = if up { Health::Up } else { Health::Down };
        state.last_error = error;
        state.last_scrape = Some(at);
        state.duration_seconds = duration_seconds;
    }

    /// Replaces what the target says about its metrics.
    pub fn note_families(&self, families: Arc<[Arc<FamilyMetadata>]>) {
        self.state().families = families;
    }

    /// What the target says about its metrics.
    pub fn families(&self) -> Arc<[Arc<FamilyMetadata>]> {
        self.state().families.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every write is whole, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Target {
    /// A snapshot of everything there is to show.
    pub fn status(&self) -> TargetStatus {
        let state = self.record.state().clone();
        TargetStatus {
            discovered_labels: self.discovered.clone(),
            labels: self.labels.clone(),
            scrape_pool: self.pool.clone(),
            scrape_url: self.url.clone(),
            global_url: self.url.clone(),
            last_error: state.last_error,
            last_scrape: state.last_scrape,
            last_scrape_duration_seconds: state.duration_seconds,
            health: state.health,
            interval_ms: self.interval_ms,
            timeout_ms: self.timeout_ms,
        }
    }
}
