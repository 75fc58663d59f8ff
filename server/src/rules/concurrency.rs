//! Which rules of a group may be evaluated at the same time, and how many at all.
//!
//! A rule comes after those before it that record what it reads, read what it records, or record
//! the same; and so does one whose reads cannot be told after all before it, and all behind it after
//! that. So each sees what it would see if they were evaluated one after the other.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tsdb::model::MatchOp;

use super::file::{Rule, RuleKind};
use super::references::{name_matcher, selectors};

/// The series that alerts are.
const OF_ALERTS: [&str; 2] = ["ALERTS", "ALERTS_FOR_STATE"];
/// The function of templates that reads.
const QUERY: &str = "query";

/// How many evaluations may run beside those that groups make on their own threads.
#[derive(Clone, Debug, Default)]
pub struct Permits(Arc<AtomicUsize>, bool);

/// One more evaluation; given back when it is dropped.
pub(super) struct Permit(Arc<AtomicUsize>);

impl Permits {
    /// So many; rules of a group are evaluated at the same time where they may be.
    pub fn new(count: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(count)), true)
    }

    /// Whether rules of a group may be evaluated at the same time.
    pub(super) fn are_wanted(&self) -> bool {
        self.1
    }

    /// One, if there is one left.
    pub(super) fn take(&self) -> Option<Permit> {
        let less = |count: usize| count.checked_sub(1);
        let taken = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        taken.is_ok().then(|| Permit(self.0.clone()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// What a rule reads.
enum Reads<'a> {
    Names(Vec<&'a str>),
    /// Nobody can tell.
    Anything,
}

fn reads(rule: &Rule) -> Reads<'_> {
    let mut names = Vec::new();
    for selector in selectors(&rule.expr) {
        match name_matcher(selector).filter(|matcher| matcher.op() == MatchOp::Equal) {
            Some(matcher) => names.push(matcher.value()),
            None => return Reads::Anything,
        }
    }
    let RuleKind::Alerting { annotations, .. } = &rule.kind else { return Reads::Names(names) };
    let mut texts = rule.labels.values().chain(annotations.values());
    if texts.any(|text| text.contains(QUERY)) {
        return Reads::Anything;
    }
    Reads::Names(names)
}

/// The rules by their places, in stages: those of one may be evaluated at the same time, and are
/// stored in their order before the next one begins.
pub(super) fn stages(rules: &[Rule]) -> Vec<Vec<usize>> {
    let mut stages: Vec<Vec<usize>> = Vec::new();
    // The first stage in which a name may be read or written again, and a rule may stand at all.
    let (mut readable, mut writable, mut first) = (HashMap::new(), HashMap::new(), 0);
    for (index, rule) in rules.iter().enumerate() {
        let writes: &[&str] = match rule.kind {
            RuleKind::Recording => &[rule.name.as_str()],
            RuleKind::Alerting { .. } => &OF_ALERTS,
        };
        let (names, is_open) = match reads(rule) {
            Reads::Names(names) => (names, false),
            Reads::Anything => (Vec::new(), true),
        };
        let after_reads = names.iter().filter_map(|name| readable.get(*name).copied());
        let after_writes = writes.iter().filter_map(|name| writable.get(*name).copied());
        let open = if is_open { stages.len() } else { first };
        let at = after_reads.chain(after_writes).chain([open]).max().unwrap_or_default();
        if at == stages.len() {
            stages.push(Vec::new());
        }
        if let Some(stage) = stages.get_mut(at) {
            stage.push(index);
        }
        if is_open {
            first = at + 1;
        }
        let later = |of: &mut HashMap<String, usize>, name: &str| {
            let stage = of.entry(name.to_owned()).or_default();
            *stage = (*stage).max(at + 1);
        };
        let is_recording = rule.kind == RuleKind::Recording;
        names.iter().for_each(|name| later(&mut writable, name));
        for name in writes {
            later(&mut readable, name);
            // Alerts of two rules are never the same series.
            if is_recording {
                later(&mut writable, name);
            }
        }
    }
    stages
}

#[cfg(test)]
mod tests {
    use super::super::file::{Reading, parse};
    use super::*;

    #[test]
    fn what_depends_on_another_comes_later() {
        type Rules = &'static [(&'static str, &'static str)];
        let rows: [(Rules, &[&[usize]]); 8] = [
            (&[("a", "x"), ("b", "x"), ("c", "y")], &[&[0, 1, 2]]),
            (
                &[("a", "x"), ("b", "rate(a[5m])"), ("c", "b + a"), ("d", "x")],
                &[&[0, 3], &[1], &[2]],
            ),
            // Reads what is recorded behind it: of the evaluation before.
            (&[("a", "b"), ("b", "x")], &[&[0], &[1]]),
            (&[("a", "x"), ("a", "y")], &[&[0], &[1]]),
            (&[("a", "x"), ("b", "{job=\"j\"}"), ("c", "y")], &[&[0], &[1], &[2]]),
            (&[("a", "{__name__=~\"x.*\"}"), ("b", "x")], &[&[0], &[1]]),
            (&[("ALERT", "x"), ("ALERT", "y"), ("a", "ALERTS")], &[&[0, 1], &[2]]),
            (&[("a", "x"), ("QUERY", "a"), ("b", "y")], &[&[0], &[1], &[2]]),
        ];
        for (rules, expected) in rows {
            let rules = rules.iter().enumerate().map(|(at, (name, expr))| match *name {
                "ALERT" => format!("- {{alert: A{at}, expr: '{expr}'}}\n"),
                "QUERY" => format!(
                    "- {{alert: A, expr: '{expr}', annotations: {{a: '{{{{ query \"x\" }}}}'}}}}\n"
                ),
                name => format!("- {{record: {name}, expr: '{expr}'}}\n"),
            });
            let rules = rules.collect::<String>().replace("- {", "  - {");
            let text = format!("groups:\n- name: g\n  rules:\n{rules}");
            let groups = parse(&text, "f", Reading::default()).unwrap();
            assert_eq!(stages(&groups[0].rules), expected, "{text}");
        }
    }

    #[test]
    fn permits_are_given_back() {
        let permits = Permits::new(2);
        let (one, two) = (permits.take(), permits.take());
        assert!(one.is_some() && two.is_some() && permits.take().is_none());
        drop(one);
        assert!(permits.take().is_some());
        assert!(Permits::default().take().is_none());
    }
}
