//! Objects in YAML files: several documents each, lists among them; objects of other kinds are
//! passed over.
//!
//! A file that cannot be read, or is none, is a problem, and what it said last still counts.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use scraper::discover::Problems;
use scraper::discover::monitors::Objects;

use crate::config::{glob, read_text, yaml};

/// The files that the patterns stand for, as they were last read.
#[derive(Debug, Default)]
pub(super) struct Files {
    patterns: Vec<PathBuf>,
    known: BTreeMap<PathBuf, File>,
}

/// A file: of what was read last, whether or not it was good, and the last that was good.
#[derive(Debug, Default)]
struct File {
    fingerprint: u64,
    objects: Objects,
}

impl Files {
    pub(super) fn new(patterns: Vec<PathBuf>) -> Self {
        Self { patterns, known: BTreeMap::new() }
    }

    /// Reads those again that have changed; says whether any has.
    pub(super) fn read(&mut self, problems: &Problems) -> bool {
        let mut is_changed = false;
        let mut before = std::mem::take(&mut self.known);
        for path in self.patterns.iter().flat_map(|pattern| glob::expand(pattern)) {
            let tried = format!("read {}", path.display());
            let text = read_text(&path);
            let mut hasher = DefaultHasher::new();
            text.as_ref().map_err(ToString::to_string).hash(&mut hasher);
            let (known, fingerprint) = (before.remove(&path), hasher.finish());
            let is_same = known.as_ref().is_some_and(|known| known.fingerprint == fingerprint);
            let mut file = known.unwrap_or_default();
            if !is_same {
                is_changed = true;
                file.fingerprint = fingerprint;
                match text.map_err(|error| error.to_string()).and_then(|text| objects(&text)) {
                    Ok(objects) => {
                        problems.clear(&tried);
                        file.objects = objects;
                    }
                    Err(why) => {
                        problems.set(&tried, &why);
                    }
                }
            }
            self.known.insert(path, file);
        }
        for gone in before.keys() {
            problems.clear(&format!("read {}", gone.display()));
        }
        is_changed || !before.is_empty()
    }

    /// What all of them say.
    pub(super) fn objects(&self) -> Objects {
        let mut all = Objects::default();
        for file in self.known.values() {
            all.merge(file.objects.clone());
        }
        all
    }
}

fn objects(text: &str) -> Result<Objects, String> {
    let documents = yaml::read_all(text).map_err(|problem| {
        let place = problem.place;
        format!("{}:{}: {}", place.line, place.column, problem.text)
    })?;
    let mut objects = Objects::default();
    for document in documents {
        objects.add(document);
    }
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn monitor(name: &str) -> String {
        format!(
            "apiVersion: monitoring.coreos.com/v1\nkind: PodMonitor\nmetadata: {{name: {name}}}\n"
        )
    }

    #[test]
    fn files_are_read_again_when_they_change_and_a_wrong_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let problems = Problems::default();
        let mut files = Files::new(vec![path("*.yaml")]);
        let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod}\n\
                    - {apiVersion: monitoring.coreos.com/v1, kind: Probe, metadata: {name: p}}\n";
        let rule = "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec: {groups: []}";
        // File, what is written to it, whether that is news, monitors and rules, problem.
        type Row = (&'static str, Option<String>, bool, (usize, usize), &'static str);
        let rows: [Row; 8] = [
            ("a.yaml", Some(monitor("a")), true, (1, 0), ""),
            ("a.yaml", Some(monitor("a")), false, (1, 0), ""),
            ("b.yaml", Some(format!("{}---\n{list}", monitor("b"))), true, (3, 0), ""),
            ("c.yml", Some(monitor("c")), false, (3, 0), ""),
            ("a.yaml", Some("a: [".into()), true, (3, 0), "a.yaml"),
            ("a.yaml", Some(format!("{}---\n{rule}", monitor("d"))), true, (3, 1), ""),
            ("b.yaml", None, true, (1, 1), ""),
            ("a.yaml", Some(String::new()), true, (0, 0), ""),
        ];
        for (index, (name, text, is_news, counts, problem)) in rows.into_iter().enumerate() {
            match text {
                Some(text) => std::fs::write(path(name), text).unwrap(),
                None => std::fs::remove_file(path(name)).unwrap(),
            }
            assert_eq!(files.read(&problems), is_news, "row {index}");
            assert_eq!(files.objects().len(), counts, "row {index}");
            let tried = problems.list().into_iter().map(|(tried, _)| tried).collect::<String>();
            assert!(tried.ends_with(problem), "row {index}: {tried}");
            assert_eq!(tried.is_empty(), problem.is_empty(), "row {index}: {tried}");
        }
    }
}
