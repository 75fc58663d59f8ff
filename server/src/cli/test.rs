//! `inferometer test promql FILE…`: runs files in the promqltest language.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use promql::promqltest::{self, MemoryStore, Settings};

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
