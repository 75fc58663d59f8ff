//! Monitors, rules, and the Secrets and ConfigMaps that they refer to, as they are at one moment:
//! from an API server, from files, or both.
//!
//! Pure. An object that is wrong makes no job, and [`Objects::jobs`] says why; the others do.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::error::Place;
use super::reference::{DataKind, Reference, Referred, Texts, decode};
use super::{Defaults, MonitorError, is_monitor, jobs};
use crate::discover::Mechanism;
use crate::job::Job;

/// How many monitors and rules are read; those that come later by kind and name are left out.
pub const OBJECTS_MAX: usize = 10_000;
/// How many Secrets and ConfigMaps are read.
pub const REFERENCES_MAX: usize = 1_000;

/// Kind, namespace and name.
type Key = (String, String, String);

/// The rules of a `PrometheusRule`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleObject {
    /// `namespace/name`.
    pub name: String,
    /// Its groups as a rule file, in JSON (which YAML contains).
    pub text: String,
}

/// All objects that count at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Objects {
    monitors: BTreeMap<Key, Value>,
    rules: BTreeMap<Key, Value>,
    data: BTreeMap<Reference, Referred>,
}

impl Objects {
    /// Takes an object, or all of a `List`; `false` if it is none of those that matter here, or
    /// there are [`OBJECTS_MAX`] already.
    pub fn add(&mut self, mut object: Value) -> bool {
        let text = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
        let (version, kind) = (text("apiVersion"), text("kind"));
        if kind.ends_with("List") && object["items"].is_array() {
            let items = object["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
            // All of them, also behind one that matters.
            return items.into_iter().filter(|item| self.add(item.clone())).count() > 0;
        }
        let place = Place::of(&object);
        let key = (kind.clone(), place.namespace.clone(), place.name.clone());
        let of_the_operator = version.starts_with("monitoring.");
        let list = match kind.as_str() {
            _ if is_monitor(&version, &kind) => &mut self.monitors,
            "PrometheusRule" if of_the_operator => &mut self.rules,
            "Secret" | "ConfigMap" if version == "v1" => {
                self.add_written(&kind, place, &object);
                return true;
            }
            _ => return false,
        };
        if list.len() >= OBJECTS_MAX && !list.contains_key(&key) {
            return false;
        }
        list.insert(key, object);
        true
    }

    /// A Secret or ConfigMap as it stands in a file.
    fn add_written(&mut self, kind: &str, place: Place, object: &Value) {
        let kind = if kind == "Secret" { DataKind::Secret } else { DataKind::ConfigMap };
        let reference = Reference { kind, namespace: place.namespace, name: place.name };
        let pairs = |name: &str| object[name].as_object().into_iter().flatten();
        let texts = |name: &str| {
            pairs(name).filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        };
        let referred = match kind {
            DataKind::ConfigMap => Ok(Some(Texts(texts("data").collect()))),
            DataKind::Secret => {
                let data = serde_json::from_value(object["data"].clone());
                let decoded = data.map_err(|error| format!("data: {error}")).and_then(decode);
                decoded.map(|Texts(mut all)| {
                    all.extend(texts("stringData"));
                    Some(Texts(all))
                })
            }
        };
        self.data.insert(reference, referred);
    }

    /// Takes what a reference leads to.
    pub fn refer(&mut self, reference: Reference, referred: Referred) {
        self.data.insert(reference, referred);
    }

    /// Takes all of another one's; where both have the same object, that one counts.
    pub fn merge(&mut self, other: Self) {
        self.monitors.extend(other.monitors);
        self.rules.extend(other.rules);
        for (reference, referred) in other.data {
            if referred != Ok(None) || !self.data.contains_key(&reference) {
                self.data.insert(reference, referred);
            }
        }
    }

    /// How many monitors and how many rules there are.
    pub fn len(&self) -> (usize, usize) {
        (self.monitors.len(), self.rules.len())
    }

    /// What the monitors refer to, whether or not it is there; the first [`REFERENCES_MAX`].
    pub fn references(&self) -> BTreeSet<Reference> {
        // Times that let every interval and every timeout pass.
        let defaults = Defaults { interval_ms: i64::MAX, timeout_ms: 1 };
        let all = RefCell::new(BTreeSet::new());
        let note = |reference: &Reference, _: &str| {
            all.borrow_mut().insert(reference.clone());
            Ok(Some(String::new()))
        };
        for monitor in self.monitors.values() {
            // What is wrong with it is said when its jobs are wanted.
            let _wrong = jobs(monitor, defaults, &note);
        }
        all.into_inner().into_iter().take(REFERENCES_MAX).collect()
    }

    /// The jobs of all monitors, and what is wrong with those that make none. `kubeconfig` says
    /// which cluster their targets are looked for in, without it the one that we run in.
    pub fn jobs(
        &self,
        defaults: Defaults,
        kubeconfig: Option<&Path>,
    ) -> (Vec<Job>, Vec<MonitorError>) {
        let lookup = |reference: &Reference, key: &str| self.look_up(reference, key);
        let (mut all, mut wrong) = (Vec::new(), Vec::new());
        for monitor in self.monitors.values() {
            match jobs(monitor, defaults, &lookup) {
                Ok(own) => all.extend(own),
                Err(error) => wrong.push(error),
            }
        }
        for mechanism in all.iter_mut().flat_map(|job: &mut Job| &mut job.discover) {
            if let Mechanism::Kubernetes(options) = mechanism {
                options.kubeconfig = kubeconfig.map(PathBuf::from);
            }
        }
        (all, wrong)
    }

    /// The rules of all `PrometheusRule` objects.
    pub fn rules(&self) -> Vec<RuleObject> {
        let rules = self.rules.iter().map(|((_, namespace, name), object)| RuleObject {
            name: format!("{namespace}/{name}"),
            text: json!({ "groups": object["spec"]["groups"] }).to_string(),
        });
        rules.collect()
    }

    fn look_up(&self, reference: &Reference, key: &str) -> Result<Option<String>, String> {
        match self.data.get(reference) {
            Some(Ok(Some(texts))) => Ok(texts.0.get(key).cloned()),
            Some(Ok(None)) | None => Ok(None),
            Some(Err(why)) => Err(why.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(version: &str, kind: &str, name: &str) -> Value {
        json!({ "apiVersion": version, "kind": kind, "metadata": { "name": name } })
    }

    #[test]
    fn what_matters_is_taken() {
        let rows = [
            ("monitoring.coreos.com/v1", "ServiceMonitor", true, (1, 0)),
            ("monitoring.coreos.com/v1", "PrometheusRule", true, (1, 1)),
            ("monitoring.coreos.com/v1", "Prometheus", false, (1, 1)),
            ("apps/v1", "Deployment", false, (1, 1)),
            ("monitoring.googleapis.com/v1", "PodMonitoring", true, (2, 1)),
            ("v1", "ConfigMap", true, (2, 1)),
            ("monitoring.coreos.com/v1", "ServiceMonitor", true, (2, 1)),
        ];
        let mut objects = Objects::default();
        for (version, kind, is_taken, counts) in rows {
            assert_eq!(objects.add(object(version, kind, "a")), is_taken, "{kind}");
            assert_eq!(objects.len(), counts, "{kind}");
        }
    }

    #[test]
    fn there_is_an_end_to_objects() {
        let mut objects = Objects::default();
        let probe = |name: usize| object("monitoring.coreos.com/v1", "Probe", &name.to_string());
        for name in 0..OBJECTS_MAX {
            assert!(objects.add(probe(name)));
        }
        assert!(!objects.add(probe(OBJECTS_MAX)));
        assert!(objects.add(probe(0)), "one that is known may change");
        assert_eq!(objects.len(), (OBJECTS_MAX, 0));
    }

    #[test]
    fn texts_of_files_are_read_and_never_shown() {
        let reference =
            |kind, name: &str| Reference { kind, namespace: "default".into(), name: name.into() };
        let mut objects = Objects::default();
        let mut secret = object("v1", "Secret", "s");
        secret["data"] = json!({ "a": "b25lCg==" });
        secret["stringData"] = json!({ "b": "two" });
        let mut wrong = object("v1", "Secret", "w");
        wrong["data"] = json!({ "a": "?" });
        let mut map = object("v1", "ConfigMap", "c");
        map["data"] = json!({ "a": "three\n" });
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": [secret, wrong, map] });
        assert!(objects.add(list));
        let rows = [
            (reference(DataKind::Secret, "s"), "a", Ok(Some("one"))),
            (reference(DataKind::Secret, "s"), "b", Ok(Some("two"))),
            (reference(DataKind::Secret, "s"), "c", Ok(None)),
            (reference(DataKind::ConfigMap, "c"), "a", Ok(Some("three\n"))),
            (reference(DataKind::ConfigMap, "s"), "a", Ok(None)),
            (reference(DataKind::Secret, "w"), "a", Err(())),
        ];
        for (reference, key, expected) in rows {
            let found = objects.look_up(&reference, key).map_err(drop);
            assert_eq!(found, expected.map(|own| own.map(str::to_owned)), "{reference} {key}");
        }
        let shown = format!("{objects:?}");
        assert!(!shown.contains("one") && !shown.contains("two"), "{shown}");
        // Nothing known is replaced by nothing.
        let mut other = Objects::default();
        other.refer(reference(DataKind::Secret, "s"), Ok(None));
        other.refer(reference(DataKind::Secret, "t"), Ok(None));
        objects.merge(other);
        let found = objects.look_up(&reference(DataKind::Secret, "s"), "b");
        assert_eq!(found, Ok(Some("two".into())));
    }
}
