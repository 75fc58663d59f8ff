//! A rule file as it is written.

use super::super::section::{List, section};
use crate::config::yaml::{Pairs, Value};

section! {
    /// The whole file.
    File = "rulefmt.RuleGroups" {
        groups: List<Group>,
    }
}

section! {
    /// An item of `groups`.
    Group = "rulefmt.RuleGroup" {
        name: String,
        interval: String,
        query_offset: String,
        limit: i64,
        rules: List<Rule>,
        labels: Pairs<Value<String>>,
    }
}

section! {
    /// An item of `rules`.
    Rule = "rulefmt.Rule" {
        record: String,
        alert: String,
        expr: String,
        hold = "for": String,
        keep_firing_for: String,
        labels: Pairs<Value<String>>,
        annotations: Pairs<Value<String>>,
    }
}
