//! Why a rule dropped a label set, and what each rule made of it. Pure; for people to look at.

use tsdb::model::labels::{Labels, LabelsBuilder, Quoted};

use super::{Action, Rule, run, source, target};

/// What dropped a label set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The place of the rule, from 0.
    pub rule: usize,
    /// The joined values of its source labels.
    pub value: String,
    /// The value of its target label, for the rules that compare with it.
    pub other: String,
}

impl Refusal {
    /// In words; `rules` are those that it came from.
    pub fn sentence(&self, rules: &[Rule]) -> String {
        let Some(rule) = rules.get(self.rule) else { return "the rules have changed".to_owned() };
        let sources = match rule.source_labels.is_empty() {
            true => "nothing".to_owned(),
            false => rule.source_labels.join(&rule.separator),
        };
        let (number, action) = (self.rule + 1, rule.action.as_str());
        let is = format!("rule {number} ({action}): {sources} is {}", Quoted(&self.value));
        let pattern = Quoted(&rule.pattern);
        let other = || format!("{} is {}", rule.target_label, Quoted(&self.other));
        match rule.action {
            Action::Keep => format!("{is}, which does not match {pattern}"),
            Action::Drop => format!("{is}, which matches {pattern}"),
            _ => format!("{is}, and {}", other()),
        }
    }
}

/// As [`apply`](super::apply), and says what dropped the set.
pub fn check(labels: &mut LabelsBuilder, rules: &[Rule]) -> Result<(), Refusal> {
    for (index, rule) in rules.iter().enumerate() {
        if !run(labels, rule) {
            let (value, other) = (source(labels, rule), target(labels, rule).to_owned());
            return Err(Refusal { rule: index, value, other });
        }
    }
    Ok(())
}

/// What there is after each rule; `None` from the one on that drops the set.
pub fn steps(labels: &Labels, rules: &[Rule]) -> Vec<Option<Labels>> {
    let mut builder = labels.to_builder();
    let mut is_kept = true;
    let after = rules.iter().map(|rule| {
        is_kept = is_kept && run(&mut builder, rule);
        is_kept.then(|| builder.clone().build())
    });
    after.collect()
}

/// How alike a value and a pattern look: the length of the longest piece that both have, in
/// characters, each text looked at for its first [`ALIKE_MAX`]. To find what a rule was meant for.
pub(crate) fn alike(value: &str, pattern: &str) -> usize {
    let pattern: Vec<char> = pattern.chars().take(ALIKE_MAX).collect();
    let (mut before, mut best) = (vec![0; pattern.len() + 1], 0);
    for own in value.chars().take(ALIKE_MAX) {
        let mut now = vec![0; pattern.len() + 1];
        for (index, other) in pattern.iter().enumerate() {
            if own == *other {
                now[index + 1] = before[index] + 1;
                best = best.max(now[index + 1]);
            }
        }
        before = now;
    }
    best
}

/// Characters of a text that [`alike`] looks at.
const ALIKE_MAX: usize = 100;
