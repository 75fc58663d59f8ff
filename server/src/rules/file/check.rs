//! From what is written to groups, and every reason why not, in Prometheus's words
//! (`model/rulefmt`).

use std::collections::HashSet;

use promql::ast::Expr;
use promql::parse::Features;
use tsdb::model::METRIC_NAME;
use tsdb::model::duration::parse_duration;

use super::super::section::{given, place, refused};
use super::super::template;
use super::raw;
use super::{Reading, Rule, RuleError, RuleGroup, RuleKind, Texts, UnknownNames};
use crate::config::Place;
use crate::config::yaml::{Pairs, Value};

/// Checks the whole file: first the names that stand in it, then, if all are known, the rest.
pub(super) fn file(
    mut file: raw::File,
    name: &str,
    reading: Reading,
) -> Result<Vec<RuleGroup>, Vec<RuleError>> {
    let mut check = Check { language: reading.language, ..Check::default() };
    check.names(&mut file, reading.unknown);
    if !check.errors.is_empty() {
        return Err(check.errors);
    }
    let mut seen = HashSet::new();
    let mut groups = Vec::new();
    for item in given(&file.groups).into_iter().flatten() {
        let group = item.value.clone().unwrap_or_default();
        check.group = given(&group.name).cloned().unwrap_or_default();
        groups.push(check.group(&group, item.place, name, &mut seen));
    }
    if check.errors.is_empty() { Ok(groups) } else { Err(check.errors) }
}

/// What was found so far, and whose rule is looked at.
#[derive(Default)]
struct Check {
    language: Features,
    errors: Vec<RuleError>,
    group: String,
    /// Number, from 1, and name.
    rule: (usize, String),
}

impl Check {
    fn error(&mut self, place: Place, text: String) {
        self.errors.push(RuleError { place, second: Place::default(), text });
    }

    /// An error of the rule that is looked at.
    fn rule_error(&mut self, place: Place, what: impl std::fmt::Display) {
        self.contradiction(place, Place::default(), what);
    }

    fn contradiction(&mut self, place: Place, second: Place, what: impl std::fmt::Display) {
        let (number, name) = &self.rule;
        let text = format!("group {:?}, rule {number}, {name:?}: {what}", self.group);
        self.errors.push(RuleError { place, second, text });
    }

    /// Names that are not read.
    fn names(&mut self, file: &mut raw::File, unknown: UnknownNames) {
        let mut problems = refused(file);
        let groups = file.groups.iter_mut().filter_map(|at| at.value.as_mut()).flatten();
        for group in groups.filter_map(|item| item.value.as_mut()) {
            problems.extend(refused(group));
            let rules = group.rules.iter_mut().filter_map(|at| at.value.as_mut()).flatten();
            problems.extend(rules.filter_map(|item| item.value.as_mut()).flat_map(refused));
        }
        if unknown == UnknownNames::Refused {
            problems.into_iter().for_each(|problem| self.error(problem.place, problem.text));
        }
    }

    fn group(
        &mut self,
        group: &raw::Group,
        at: Place,
        file: &str,
        seen: &mut HashSet<String>,
    ) -> RuleGroup {
        let name = self.group.clone();
        if name.is_empty() {
            self.error(at, "Groupname must not be empty".to_owned());
        }
        if !seen.insert(name.clone()) {
            self.error(at, format!("groupname: \"{name}\" is repeated in the same file"));
        }
        let labels = texts(&group.labels);
        for label in labels.keys().filter(|label| !is_label_name(label)) {
            self.error(place(&group.labels), format!("invalid label name: {label}"));
        }
        let mut rules = Vec::new();
        for (index, item) in given(&group.rules).into_iter().flatten().enumerate() {
            let rule = item.value.clone().unwrap_or_default();
            rules.extend(self.rule(index, &rule, item.place, &labels));
        }
        let limit = given(&group.limit).copied().unwrap_or(0);
        RuleGroup {
            name,
            file: file.to_owned(),
            // 0 stands for the global setting, as in Prometheus.
            interval_ms: self.duration(&group.interval).filter(|ms| *ms > 0),
            query_offset_ms: self.duration(&group.query_offset),
            limit: usize::try_from(limit).unwrap_or(0),
            rules,
        }
    }

    fn duration(&mut self, field: &Option<Value<String>>) -> Option<i64> {
        let parsed = parse_duration(given(field)?);
        parsed.map_err(|error| self.error(place(field), error.to_string())).ok()
    }

    fn rule(
        &mut self,
        index: usize,
        rule: &raw::Rule,
        at: Place,
        group_labels: &Texts,
    ) -> Option<Rule> {
        let text = |field: &Option<Value<String>>| given(field).cloned().unwrap_or_default();
        let (record, alert) = (text(&rule.record), text(&rule.alert));
        let name = if alert.is_empty() { record.clone() } else { alert.clone() };
        self.rule = (index + 1, name.clone());
        if !record.is_empty() && !alert.is_empty() {
            let what = "only one of 'record' and 'alert' must be set";
            self.contradiction(place(&rule.record), place(&rule.alert), what);
        }
        if name.is_empty() {
            self.rule_error(at, "one of 'record' or 'alert' must be set");
        }
        let expr = self.expr(rule, at);
        let hold_ms = self.duration(&rule.hold).unwrap_or(0);
        let keep_firing_ms = self.duration(&rule.keep_firing_for).unwrap_or(0);
        if !record.is_empty() {
            let has_annotations = given(&rule.annotations).is_some_and(|all| !all.0.is_empty());
            let fields = [
                (has_annotations, "annotations"),
                (hold_ms != 0, "for"),
                (keep_firing_ms != 0, "keep_firing_for"),
            ];
            self.recording(place(&rule.record), &record, fields);
        }
        let (own, annotations) = (texts(&rule.labels), texts(&rule.annotations));
        self.label_names(&own, &annotations);
        if !alert.is_empty() {
            self.templates(&alert, &own, &annotations);
        }
        let expr = expr?;
        let kind = match alert.is_empty() {
            true => RuleKind::Recording,
            false => RuleKind::Alerting { hold_ms, keep_firing_ms, annotations },
        };
        let mut labels = group_labels.clone();
        labels.extend(own);
        Some(Rule { name, query: promql::print::format(&expr), expr, labels, kind })
    }

    fn expr(&mut self, rule: &raw::Rule, at: Place) -> Option<Expr> {
        let Some(text) = given(&rule.expr).filter(|text| !text.is_empty()) else {
            self.rule_error(at, "field 'expr' must be set in rule");
            return None;
        };
        let parsed = promql::parse(text, &self.language);
        let wrong = |error| format!("could not parse expression: {error}");
        parsed.map_err(|error| self.rule_error(place(&rule.expr), wrong(error))).ok()
    }

    /// What a recording rule must not have.
    fn recording(&mut self, place: Place, record: &str, fields: [(bool, &str); 3]) {
        for (_, field) in fields.iter().filter(|(is_set, _)| *is_set) {
            self.rule_error(place, format!("invalid field '{field}' in recording rule"));
        }
        if record.contains(['{', '}']) {
            let what = "braces present in the recording rule name; should it be in expr?";
            self.rule_error(place, format!("{what}: {record}"));
        }
    }

    fn label_names(&mut self, own: &Texts, annotations: &Texts) {
        for name in own.keys().filter(|name| !is_label_name(name)) {
            self.rule_error(Place::default(), format!("invalid label name: {name}"));
        }
        for name in annotations.keys().filter(|name| name.is_empty()) {
            self.rule_error(Place::default(), format!("invalid annotation name: {name}"));
        }
    }

    fn templates(&mut self, alert: &str, labels: &Texts, annotations: &Texts) {
        for (kind, texts) in [("label", labels), ("annotation", annotations)] {
            for (name, text) in texts {
                if let Err(error) = template::check(&format!("__alert_{alert}"), text) {
                    self.rule_error(Place::default(), format!("{kind} {name:?}: {error}"));
                }
            }
        }
    }
}

fn is_label_name(name: &str) -> bool {
    !name.is_empty() && name != METRIC_NAME
}

fn texts(field: &Option<Value<Pairs<Value<String>>>>) -> Texts {
    let pairs = given(field).map(|pairs| pairs.0.as_slice()).unwrap_or_default();
    let text = |value: &Value<String>| value.value.clone().unwrap_or_default();
    pairs.iter().map(|(name, value)| (name.value.clone(), text(value))).collect()
}
