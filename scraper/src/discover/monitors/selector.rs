//! Selectors: of labels as relabelling rules, of namespaces as what discovery is told.

use super::error::{MonitorError, Place};
use super::rules::{drop, keep, literal, sanitized};
use super::spec::{NamespaceSelector, Selector};
use crate::discover::kubernetes::Namespaces;
use crate::relabel::Rule;

impl Selector {
    /// Rules that keep what is selected; `owner` is whose labels count (`service`, `pod`).
    pub(super) fn rules(&self, place: &Place, owner: &str) -> Result<Vec<Rule>, MonitorError> {
        let label = |key: &str| format!("__meta_kubernetes_{owner}_label_{}", sanitized(key));
        let present =
            |key: &str| format!("__meta_kubernetes_{owner}_labelpresent_{}", sanitized(key));
        let mut rules = Vec::new();
        for (key, value) in &self.match_labels {
            let pattern = format!("({});true", literal(value));
            rules.push(keep(&[&label(key), &present(key)], &pattern));
        }
        for (index, one) in self.match_expressions.iter().enumerate() {
            let values: Vec<String> = one.values.iter().map(|value| literal(value)).collect();
            let pattern = format!("({});true", values.join("|"));
            let (label, present) = (label(&one.key), present(&one.key));
            rules.push(match one.operator.as_str() {
                "In" => keep(&[&label, &present], &pattern),
                "NotIn" => drop(&[&label, &present], &pattern),
                "Exists" => keep(&[&present], "true"),
                "DoesNotExist" => drop(&[&present], "true"),
                other => {
                    let field = format!("spec.selector.matchExpressions[{index}].operator");
                    return Err(place.error(&field, format!("{other:?} is none")));
                }
            });
        }
        Ok(rules)
    }
}

impl NamespaceSelector {
    pub(super) fn namespaces(&self, own: &str) -> Namespaces {
        let names = match (self.any, self.match_names.is_empty()) {
            (true, _) => Vec::new(),
            (false, true) => vec![own.to_owned()],
            (false, false) => self.match_names.clone(),
        };
        Namespaces { own: false, names }
    }
}
