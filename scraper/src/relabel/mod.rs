//! Relabelling: rules that rewrite, keep or drop label sets. Pure.
//!
//! Rules run in order over one label set. Patterns are Go's, match whole texts, and `.` matches
//! newlines. Source of every action's meaning: Prometheus 3.14, `model/relabel`.

mod expand;
mod explain;
mod print;
#[cfg(test)]
mod tests;

use md5::{Digest, Md5};
use tsdb::model::labels::LabelsBuilder;
use tsdb::model::regex::Anchored;

use expand::expand;

pub(crate) use explain::alike;
pub use explain::{Refusal, check, steps};

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Labels whose values are joined and matched; one that is not there counts as empty.
    pub source_labels: Vec<String>,
    /// Stands between the joined values.
    pub separator: String,
    /// What the joined values have to match.
    pub regex: Anchored,
    /// The pattern as it was written.
    pub pattern: String,
    /// For `hashmod`.
    pub modulus: u64,
    /// The label to write; may hold `$1` for `replace`.
    pub target_label: String,
    /// The value to write, with `$1`, `${1}`, `$name`.
    pub replacement: String,
    /// What to do.
    pub action: Action,
}

impl PartialEq for Rule {
    /// Compares what was written; the compiled pattern follows from it.
    fn eq(&self, other: &Self) -> bool {
        let key = |rule: &Self| {
            let labels = (rule.source_labels.clone(), rule.target_label.clone());
            (labels, rule.separator.clone(), rule.pattern.clone(), rule.modulus)
        };
        key(self) == key(other)
            && (&self.replacement, self.action) == (&other.replacement, other.action)
    }
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the configuration")]
pub enum Action {
    Replace,
    Keep,
    Drop,
    KeepEqual,
    DropEqual,
    HashMod,
    LabelMap,
    LabelDrop,
    LabelKeep,
    Lowercase,
    Uppercase,
}

/// Runs `rules` over `labels` in order. `false`: a rule dropped the set, and `labels` is what it
/// was at that moment.
pub fn apply(labels: &mut LabelsBuilder, rules: &[Rule]) -> bool {
    rules.iter().all(|rule| run(labels, rule))
}

fn run(labels: &mut LabelsBuilder, rule: &Rule) -> bool {
    match rule.action {
        Action::Keep => return rule.regex.is_match(&source(labels, rule)),
        Action::Drop => return !rule.regex.is_match(&source(labels, rule)),
        Action::KeepEqual => return target(labels, rule) == source(labels, rule),
        Action::DropEqual => return target(labels, rule) != source(labels, rule),
        Action::Replace => replace(labels, rule),
        Action::HashMod => set(labels, rule, hash_mod(&source(labels, rule), rule.modulus)),
        Action::Lowercase => set(labels, rule, source(labels, rule).to_lowercase()),
        Action::Uppercase => set(labels, rule, source(labels, rule).to_uppercase()),
        Action::LabelMap => label_map(labels, rule),
        Action::LabelDrop => retain(labels, |name| !rule.regex.is_match(name)),
        Action::LabelKeep => retain(labels, |name| rule.regex.is_match(name)),
    }
    true
}

/// The values of the source labels, joined.
fn source(labels: &LabelsBuilder, rule: &Rule) -> String {
    let mut joined = String::new();
    for (index, name) in rule.source_labels.iter().enumerate() {
        if index > 0 {
            joined.push_str(&rule.separator);
        }
        joined.push_str(labels.get(name).unwrap_or_default());
    }
    joined
}

fn target<'a>(labels: &'a LabelsBuilder, rule: &Rule) -> &'a str {
    labels.get(&rule.target_label).unwrap_or_default()
}

fn set(labels: &mut LabelsBuilder, rule: &Rule, value: String) {
    labels.set(rule.target_label.as_str(), value);
}

/// Writes nothing if the pattern does not match or the label's name comes out empty; deletes the
/// label if the value comes out empty.
fn replace(labels: &mut LabelsBuilder, rule: &Rule) {
    let source = source(labels, rule);
    let Some(captures) = rule.regex.regex().captures(&source) else { return };
    let name = expand(&rule.target_label, &captures);
    if !name.is_empty() {
        labels.set(name, expand(&rule.replacement, &captures));
    }
}

/// The last eight bytes of the text's MD5, big-endian, modulo `modulus` (0: not reduced).
fn hash_mod(text: &str, modulus: u64) -> String {
    let digest: [u8; 16] = Md5::digest(text.as_bytes()).into();
    let low = u128::from_be_bytes(digest) as u64;
    low.checked_rem(modulus).unwrap_or(low).to_string()
}

/// Copies each label whose name matches to the name that the replacement makes of it. The names
/// are those from before the rule: a copy is not copied again.
fn label_map(labels: &mut LabelsBuilder, rule: &Rule) {
    let mut copies = Vec::new();
    for (name, value) in labels.iter() {
        if let Some(captures) = rule.regex.regex().captures(name) {
            copies.push((expand(&rule.replacement, &captures), value.to_owned()));
        }
    }
    for (name, value) in copies {
        labels.set(name, value);
    }
}

fn retain(labels: &mut LabelsBuilder, keep: impl Fn(&str) -> bool) {
    let unwanted = labels.iter().map(|(name, _)| name).filter(|name| !keep(name));
    for name in unwanted.map(str::to_owned).collect::<Vec<_>>() {
        labels.remove(&name);
    }
}
