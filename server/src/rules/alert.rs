//! An alert: one series of an alerting rule's vector, and what has become of it.

use tsdb::model::{Labels, Timestamp};

use super::file::Texts;

/// How long a resolved alert is kept, and told again, in milliseconds.
pub(super) const RESOLVED_KEPT_MS: i64 = 15 * 60_000;

/// What an alert is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertState {
    /// It was firing and is no longer.
    #[default]
    Inactive,
    /// Its series has not been there for long enough.
    Pending,
    /// It has.
    Firing,
}

impl AlertState {
    /// As Prometheus writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

/// One alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// What it is in.
    pub state: AlertState,
    /// What it is: the series' labels and the rule's.
    pub labels: Labels,
    /// Texts for people.
    pub annotations: Texts,
    /// The series' newest value.
    pub value: f64,
    /// Since when the series is there.
    pub active_at: Timestamp,
    /// Since when it fires.
    pub fired_at: Option<Timestamp>,
    /// Since when its series is gone and it fires all the same.
    pub keep_firing_since: Option<Timestamp>,
    /// When it ended.
    pub resolved_at: Option<Timestamp>,
    /// When it was told last.
    pub last_sent_at: Option<Timestamp>,
}

impl Alert {
    /// Whether it is to be told at `now`: at once when it ends, else every `resend_ms`.
    pub(super) fn needs_sending(&self, now: Timestamp, resend_ms: i64) -> bool {
        if self.state == AlertState::Pending {
            return false;
        }
        let Some(sent) = self.last_sent_at else { return true };
        self.resolved_at.is_some_and(|at| at > sent) || sent.plus_ms(resend_ms) < now
    }
}
