//! Where alerts go: the port through which rules hand them on.

use tsdb::model::{Labels, Timestamp};

use super::file::Texts;

/// An alert that is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// What it is.
    pub labels: Labels,
    /// Texts for people.
    pub annotations: Texts,
    /// Since when it fires.
    pub starts_at: Timestamp,
    /// When it ended; or, while it fires, when it counts as ended if nothing more is heard.
    pub ends_at: Timestamp,
    /// The rule's expression.
    pub query: String,
}

/// Takes alerts.
pub trait Notify: Send + Sync {
    /// Takes what one evaluation of one rule has to tell, at once: whoever sends it does so later.
    fn notify(&self, notices: Vec<Notice>);
}

/// Nobody is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Notify for Nobody {
    fn notify(&self, _: Vec<Notice>) {}
}
