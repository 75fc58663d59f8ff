//! Equal parts of a query are evaluated once: answers, warnings and infos, samples and errors are
//! those of an evaluation of each part. The expressions are those of the scripts, alone and twice in
//! one query.

use std::fs;
use std::path::{Path, PathBuf};

use super::runner::Settings;
use super::script::{self, Command, Eval, EvalTime};
use super::{MemoryStore, TestStore};
use crate::ast::ValueType;
use crate::{Engine, EngineOptions, Query, parse};

/// Where expressions come from; the second folder may be missing.
const FOLDERS: [&str; 2] = ["../testdata/promql", "../../shared/promqltest"];

/// What is made of an expression. A comment may end it.
const FORMS: [&str; 6] = [
    "E",
    "(E\n) or (E\n)",
    "(E\n) == bool (E\n)",
    "quantile(scalar(E\n), E\n) or (E\n)",
    "max_over_time((E\n)[2m:1m]) - on () group_left min_over_time((E\n)[2m:1m])",
    "-(E\n) or (E\n) unless sum(-(E\n)) or (E\n) @ 60",
];

fn scripts() -> Vec<PathBuf> {
    let folders = FOLDERS.map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    let entries = folders.into_iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "test")).collect()
}

/// Everything that comes of a query, as text.
fn ask(store: &MemoryStore, settings: &Settings, text: &str, eval: &Eval, share: bool) -> String {
    let Ok(expr) = parse(text, &settings.features) else { return "no query".to_owned() };
    let options = EngineOptions { share_equal: share, ..settings.engine.clone() };
    let (engine, query) = (Engine::new(options), Query { text, expr: &expr });
    let (store, budget) = (store.select(), engine.budget());
    match eval.time {
        EvalTime::Instant(time) => format!("{:?}", engine.instant(query, store, time, &budget)),
        EvalTime::Range(steps) => format!("{:?}", engine.range(query, store, steps, &budget)),
    }
}

#[test]
fn what_is_evaluated_once_is_as_if_evaluated_twice() {
    let settings = Settings::default();
    let (mut asked, mut answered) = (0, 0);
    for path in scripts() {
        let script = fs::read_to_string(&path).expect("a script");
        let mut store = MemoryStore::new();
        for command in script::parse(&script).expect("commands") {
            match command {
                Command::Clear => store = MemoryStore::new(),
                // What cannot be loaded is missing for both.
                Command::Load(load) => drop(store.load(&load.series)),
                Command::Eval(eval) => {
                    let Ok(expr) = parse(&eval.text, &settings.features) else { continue };
                    let is_vector = expr.value_type() == ValueType::Vector;
                    for form in FORMS.iter().take(if is_vector { FORMS.len() } else { 1 }) {
                        let text = form.replace('E', &eval.text);
                        let once = ask(&store, &settings, &text, &eval, true);
                        let twice = ask(&store, &settings, &text, &eval, false);
                        assert_eq!(once, twice, "{}: {text}", path.display());
                        asked += 1;
                        answered += usize::from(once.starts_with("Ok"));
                    }
                }
            }
        }
    }
    // So many that nothing is skipped by mistake.
    assert!(asked > 100 && answered > asked / 2, "{answered} of {asked} were answered");
}
