//! What of a rule group does not change while it runs.

use super::file::RuleGroup;
use super::template::Surroundings;

/// What of a group does not change.
#[derive(Clone, Debug)]
pub struct Definition {
    /// What its file says.
    pub written: RuleGroup,
    /// Milliseconds between evaluations.
    pub interval_ms: i64,
    /// How many milliseconds before an evaluation's time its queries look.
    pub query_offset_ms: i64,
    /// What its templates know.
    pub surroundings: Surroundings,
}

impl Definition {
    /// Whether both say the same, so that a running group may go on.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let said = |own: &Self| {
            let rules = own.written.rules.iter();
            let rules =
                rules.map(|r| (r.name.clone(), r.query.clone(), r.labels.clone(), r.kind.clone()));
            (own.interval_ms, own.query_offset_ms, own.written.limit, rules.collect::<Vec<_>>())
        };
        said(self) == said(other) && self.surroundings == other.surroundings
    }
}

/// What names a group: names are unique within a file.
pub fn key(group: &RuleGroup) -> String {
    format!("{};{}", group.file, group.name)
}
