//! `inferometer check metrics`: what is unusual about a page that comes on stdin, with promtool's
//! output and exit codes (1: it cannot be read, 3: something is unusual).

mod lint;
mod read;

use std::io::Read;
use std::process::ExitCode;

use anyhow::Context;
use read::{Family, Kind};

/// promtool's exit code when something is unusual.
const LINT_FAILED: u8 = 3;
/// Largest page, in bytes.
const PAGE_BYTES_MAX: u64 = 1 << 30;

/// Checks what comes on stdin; `is_extended` also says how many series each metric has.
pub fn run(is_extended: bool) -> anyhow::Result<ExitCode> {
    let mut page = Vec::new();
    std::io::stdin().take(PAGE_BYTES_MAX).read_to_end(&mut page).context("stdin")?;
    let families = match read::read(&page) {
        Ok(families) => families,
        Err(error) => {
            eprintln!("error while linting: {error}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let problems = lint::lint(&families);
    for (metric, text) in &problems {
        eprintln!("{metric} {text}");
    }
    if is_extended {
        print!("{}", table(&families));
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(LINT_FAILED) })
}

/// The metrics with most series first.
fn table(families: &[Family]) -> String {
    let mut counts: Vec<(&str, usize)> =
        families.iter().map(|family| (family.name.as_str(), cardinality(family))).collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let total: usize = counts.iter().map(|(_, count)| count).sum();
    let row = |(name, count): &(&str, usize)| {
        let percent = *count as f64 / total as f64 * 100.0;
        [(*name).to_owned(), count.to_string(), format!("{percent:.2}%")]
    };
    let head = ["Metric", "Cardinality", "Percentage"].map(str::to_owned);
    let foot = ["Total".to_owned(), total.to_string(), "100%".to_owned()];
    let rows: Vec<_> = std::iter::once(head).chain(counts.iter().map(row)).chain([foot]).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths = [0, 1, 2].map(|column| width(column).unwrap_or(0) + 4);
    let line = |row: &[String; 3]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<String>() + "\n"
    };
    rows.iter().map(line).collect()
}

/// Series that a metric has: of histograms and summaries with sum, count, and as many parts as the
/// first one.
fn cardinality(family: &Family) -> usize {
    match family.kind {
        Some(Kind::Histogram | Kind::Summary) => family.series.len() * (2 + family.parts),
        _ => family.series.len(),
    }
}
