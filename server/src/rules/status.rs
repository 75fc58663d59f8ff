//! How rules and groups are: what the API shows, and what is counted.

use std::time::Duration;

use tsdb::model::Timestamp;

use super::alert::Alert;

/// How a rule's last evaluation went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// There was none.
    #[default]
    Unknown,
    /// Well.
    Good,
    /// It failed.
    Bad,
}

impl Health {
    /// As Prometheus writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Good => "ok",
            Self::Bad => "err",
        }
    }
}

/// How a rule is.
#[derive(Clone, Debug, Default)]
pub struct RuleStatus {
    /// How its last evaluation went.
    pub health: Health,
    /// Why it failed.
    pub last_error: Option<String>,
    /// How long it took.
    pub duration: Duration,
    /// When it began.
    pub last_evaluation: Option<Timestamp>,
    /// The alerts that have not ended.
    pub alerts: Vec<Alert>,
}

/// How a group is, and what it has done.
#[derive(Clone, Debug, Default)]
pub struct GroupStatus {
    /// One for each rule.
    pub rules: Vec<RuleStatus>,
    /// How long the last evaluation took.
    pub duration: Duration,
    /// When it began.
    pub last_evaluation: Option<Timestamp>,
    /// How long it took to restore alerts after the start.
    pub restore_duration: Duration,
    /// Evaluations of the group, missed ones included.
    pub iterations: u64,
    /// Those that were missed.
    pub missed: u64,
    /// Evaluations of its rules.
    pub evaluations: u64,
    /// Those that failed.
    pub failures: u64,
    /// Samples that the last evaluation gave.
    pub samples: usize,
}
