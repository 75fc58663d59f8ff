//! `inferometer tsdb …`: looks into a store's files, and moves samples out of and into them.
//!
//! `analyze`, `verify` and `dump` read a store as it is, beside a server that writes it
//! too; `import` and `snapshot` take its lock.

mod analyze;
mod dump;
mod import;
mod snapshot;
mod verify;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use promql::parse::parse_metric_selector;
use tsdb::disk::os::OsDisk;
use tsdb::model::Matcher;
use tsdb::{Db, Dropped, Options, Recovery};

use crate::flags::{ImportCommand, TsdbCommand};

/// Runs a subcommand; exit code 1 if something is damaged or was left out.
pub fn run(command: &TsdbCommand) -> anyhow::Result<ExitCode> {
    match command {
        TsdbCommand::Analyze(flags) => analyze::run(flags),
        TsdbCommand::Verify { dir } => verify::run(dir),
        TsdbCommand::Dump(flags) => dump::run(flags),
        TsdbCommand::Import(ImportCommand::Openmetrics { file, dir }) => import::run(file, dir),
        TsdbCommand::Snapshot { dir, target } => snapshot::run(dir, target),
    }
}

/// Prints a line. A reader that has seen enough and closed the pipe is no failure.
fn say(line: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Opens the store for reading only.
fn open_read_only(dir: &Path) -> anyhow::Result<(Db, Recovery)> {
    Ok(Db::open_read_only(Arc::new(OsDisk), dir, Options::default())?)
}

/// Opens the store for writing.
fn open_alone(dir: &Path, options: Options) -> anyhow::Result<(Db, Recovery)> {
    let opened = Db::open(Arc::new(OsDisk), dir, options);
    opened.map_err(|error| match error {
        tsdb::Error::Locked { .. } => anyhow::anyhow!("{error}; stop the server that writes there"),
        error => error.into(),
    })
}

/// A sentence for what could not be read.
fn sentence(dropped: &Dropped) -> String {
    let Dropped { path, offset, bytes, reason, .. } = dropped;
    let path = path.display();
    format!("{path}: {bytes} bytes from byte {offset} on are not readable: {reason}")
}

/// Says on stderr what of the store is not there; whether there is nothing to say.
fn is_whole(recovery: &Recovery) -> bool {
    for dropped in recovery.dropped.iter().filter(|dropped| !dropped.is_torn) {
        eprintln!("inferometer: {}", sentence(dropped));
    }
    if recovery.rejected > 0 {
        eprintln!("inferometer: {} logged samples could not be read again", recovery.rejected);
    }
    !recovery.is_damaged()
}

fn exit_code(is_good: bool) -> ExitCode {
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The matchers of `--match` flags; a series is wanted if it satisfies all of one of them.
fn matchers(selectors: &[String]) -> anyhow::Result<Vec<Vec<Matcher>>> {
    let parse =
        |text: &String| parse_metric_selector(text).with_context(|| format!("--match={text}"));
    selectors.iter().map(parse).collect()
}

/// A bar on stderr, if that is a terminal.
fn progress(total: u64, unit: &str) -> ProgressBar {
    let counts = if unit == "bytes" { "{bytes}/{total_bytes}" } else { "{pos}/{len}" };
    let template = format!("{{wide_bar}} {counts} {unit}, {{eta}} left");
    let style = ProgressStyle::with_template(&template).expect("BUG: a template that is wrong");
    ProgressBar::new(total).with_style(style)
}
