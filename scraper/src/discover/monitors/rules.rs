//! Relabelling rules: those that monitors imply, and those that they write.

use tsdb::model::regex::Anchored;

use super::error::{MonitorError, Place};
use super::spec::Relabeling;
use crate::relabel::{Action, Rule};

const ANYTHING: &str = "(.*)";
const SOMETHING: &str = "(.+)";

/// A rule; the pattern is one of ours.
pub(super) fn rule(
    action: Action,
    source: &[&str],
    pattern: &str,
    target: &str,
    replacement: &str,
) -> Rule {
    Rule {
        source_labels: source.iter().map(|&name| name.to_owned()).collect(),
        separator: ";".into(),
        regex: Anchored::new(pattern).expect("BUG: our patterns compile"),
        pattern: pattern.into(),
        modulus: 0,
        target_label: target.into(),
        replacement: replacement.into(),
        action,
    }
}

pub(super) fn keep(source: &[&str], pattern: &str) -> Rule {
    rule(Action::Keep, source, pattern, "", "$1")
}

pub(super) fn drop(source: &[&str], pattern: &str) -> Rule {
    rule(Action::Drop, source, pattern, "", "$1")
}

/// `target` becomes what `source` is.
pub(super) fn copy(source: &str, target: &str) -> Rule {
    rule(Action::Replace, &[source], ANYTHING, target, "$1")
}

/// `target` becomes what `source` is, if that is anything.
pub(super) fn copy_some(source: &str, target: &str) -> Rule {
    rule(Action::Replace, &[source], SOMETHING, target, "$1")
}

/// `target` becomes this text.
pub(super) fn constant(target: &str, text: &str) -> Rule {
    rule(Action::Replace, &[], ANYTHING, target, &text.replace('$', "$$"))
}

/// A text as a pattern that matches nothing else.
pub(super) fn literal(text: &str) -> String {
    let special = |c: char| r"\.+*?()|[]{}^$".contains(c);
    let mut out = String::new();
    for c in text.chars() {
        if special(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The name of a label as discovery writes it.
pub(super) fn sanitized(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// The rules that a monitor writes; `field` is where.
pub(super) fn written(
    place: &Place,
    field: &str,
    relabelings: &[Relabeling],
) -> Result<Vec<Rule>, MonitorError> {
    let numbered = relabelings.iter().enumerate();
    numbered
        .map(|(index, one)| {
            one.rule().map_err(|(name, why)| place.error(&format!("{field}[{index}].{name}"), why))
        })
        .collect()
}

impl Relabeling {
    fn rule(&self) -> Result<Rule, (&'static str, String)> {
        let pattern = self.regex.as_deref().unwrap_or(ANYTHING);
        let regex = Anchored::new(pattern).map_err(|error| ("regex", error.to_string()))?;
        Ok(Rule {
            source_labels: self.source_labels.clone(),
            separator: self.separator.clone().unwrap_or_else(|| ";".into()),
            regex,
            pattern: pattern.into(),
            modulus: self.modulus.unwrap_or_default(),
            target_label: self.target_label.clone().unwrap_or_default(),
            replacement: self.replacement.clone().unwrap_or_else(|| "$1".into()),
            action: self.action()?,
        })
    }

    fn action(&self) -> Result<Action, (&'static str, String)> {
        let name = self.action.as_deref().unwrap_or("replace").to_lowercase();
        let needs_target =
            ["replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal"];
        if needs_target.contains(&name.as_str()) && self.target_label.is_none() {
            return Err(("targetLabel", format!("{name} needs one")));
        }
        Ok(match name.as_str() {
            "replace" => Action::Replace,
            "keep" => Action::Keep,
            "drop" => Action::Drop,
            "keepequal" => Action::KeepEqual,
            "dropequal" => Action::DropEqual,
            "hashmod" if self.modulus.is_none() => {
                return Err(("modulus", "hashmod needs one".into()));
            }
            "hashmod" => Action::HashMod,
            "labelmap" => Action::LabelMap,
            "labeldrop" => Action::LabelDrop,
            "labelkeep" => Action::LabelKeep,
            "lowercase" => Action::Lowercase,
            "uppercase" => Action::Uppercase,
            _ => return Err(("action", format!("{name:?} is none"))),
        })
    }
}
