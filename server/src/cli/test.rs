//! `inferometer test promql FILE…`: runs files in the promqltest language.
//! `inferometer test rules FILE…`: runs unit tests of rules, as promtool does.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use promql::promqltest::{self, MemoryStore, Settings};
use tsdb::model::regex::Anchored;

use crate::features::Enabled;
use crate::flags::TestRulesFlags;
use crate::rules::file::{Reading, UnknownNames};
use crate::rules::unit_test;

/// Prints each failed case and a closing line `N passed, M failed`; exit code 1 if one failed.
pub fn promql(files: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let (mut passed, mut failed) = (0, 0);
    for file in files {
        let name = file.display();
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
        let report = promqltest::run(&text, &Settings::default(), || Ok(MemoryStore::new()))
            .with_context(|| format!("cannot run {name}"))?;
        for failure in report.failures() {
            println!("{name}: {failure}");
            failed += 1;
        }
        passed += report.passed();
    }
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints what promtool prints; exit code 1 if a test failed.
pub fn rules(flags: &TestRulesFlags) -> anyhow::Result<ExitCode> {
    let chosen: Vec<Anchored> = flags
        .run
        .iter()
        .map(|pattern| Anchored::new(&format!(".*(?:{pattern}).*")).context("--run is no pattern"))
        .collect::<Result<_, _>>()?;
    let unknown = match flags.ignore_unknown_fields {
        true => UnknownNames::Ignored,
        false => UnknownNames::Refused,
    };
    let features = Enabled::new(&flags.features);
    let reading = Reading { unknown, language: features.language };
    let mut has_failed = false;
    for file in &flags.files {
        anyhow::ensure!(file.exists(), "path '{}' does not exist", file.display());
        let warn = |text| eprintln!("{text}");
        let failures = unit_test::run(file, &chosen, reading, &features, warn);
        if failures.is_empty() {
            println!("  SUCCESS");
        } else {
            has_failed = true;
            eprintln!("  FAILED:");
            for failure in failures {
                eprintln!("{failure}");
                println!();
            }
        }
        println!();
    }
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
