//! `inferometer check rules FILE…`: says what is wrong with rule files, as promtool does.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use crate::features::Enabled;
use crate::flags::{CheckRulesFlags, Lint};
use crate::rules::file::{self, Reading, RuleFileError, RuleGroup, Texts, UnknownNames};

/// A file is wrong.
const FAILURE: u8 = 1;
/// A file is right, and linting found something that is to be fatal.
const LINT_FAILURE: u8 = 3;

/// What was found in the files so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Verdict {
    /// A file is wrong.
    pub(super) has_failed: bool,
    /// Linting found something.
    pub(super) has_lint: bool,
}

/// Checks the files, or what comes on stdin if there is none; exit code 1 if one is wrong, 3 if
/// linting found something and `--lint-fatal` is set.
pub fn run(flags: &CheckRulesFlags) -> anyhow::Result<ExitCode> {
    let mut verdict = Verdict::default();
    if flags.files.is_empty() {
        println!("Checking standard input");
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read stdin")?;
        let name = "standard input";
        say(file::parse(&text, name, reading(flags)), flags.lint, &mut verdict);
    }
    for path in &flags.files {
        anyhow::ensure!(path.exists(), "path '{}' does not exist", path.display());
        check(path, reading(flags), flags.lint, &mut verdict);
    }
    Ok(match verdict {
        Verdict { has_failed: true, .. } => ExitCode::from(FAILURE),
        Verdict { has_lint: true, .. } if flags.lint_fatal => ExitCode::from(LINT_FAILURE),
        _ => ExitCode::SUCCESS,
    })
}

fn reading(flags: &CheckRulesFlags) -> Reading {
    let unknown = match flags.ignore_unknown_fields {
        true => UnknownNames::Ignored,
        false => UnknownNames::Refused,
    };
    Reading { unknown, language: Enabled::new(&flags.features).language }
}

/// Checks one file and prints what is found.
pub(super) fn check(path: &Path, reading: Reading, lint: Lint, verdict: &mut Verdict) {
    println!("Checking {}", path.display());
    say(file::load(path, reading), lint, verdict);
}

fn say(checked: Result<Vec<RuleGroup>, RuleFileError>, lint: Lint, verdict: &mut Verdict) {
    let groups = match checked {
        Ok(groups) => groups,
        Err(error) => {
            eprintln!("  FAILED:\n{error}");
            verdict.has_failed = true;
            return;
        }
    };
    let repeated = match lint {
        Lint::All | Lint::DuplicateRules => repeated(&groups),
        Lint::TooLongScrapeInterval | Lint::None => Vec::new(),
    };
    if repeated.is_empty() {
        let count: usize = groups.iter().map(|group| group.rules.len()).sum();
        println!("  SUCCESS: {count} rules found\n");
        return;
    }
    verdict.has_lint = true;
    eprintln!("  FAILED:\n{}", list(&repeated));
    println!();
}

/// Rules with the name and labels of one before.
fn repeated(groups: &[RuleGroup]) -> Vec<(&str, &Texts)> {
    let mut counts: BTreeMap<(&str, &Texts), usize> = BTreeMap::new();
    for rule in groups.iter().flat_map(|group| &group.rules) {
        *counts.entry((&rule.name, &rule.labels)).or_default() += 1;
    }
    let more = counts.into_iter().filter(|(_, count)| *count > 1);
    more.flat_map(|(rule, count)| std::iter::repeat_n(rule, count - 1)).collect()
}

fn list(repeated: &[(&str, &Texts)]) -> String {
    let mut text = format!("lint error {} duplicate rule(s) found.\n", repeated.len());
    for (name, labels) in repeated {
        text.push_str(&format!("Metric: {name}\nLabel(s):\n"));
        let lines = labels.iter().map(|(name, value)| format!("\t{name}: {value}\n"));
        text.extend(lines);
    }
    text + "Might cause inconsistency while recording expressions"
}
