//! `inferometer tsdb import openmetrics`: loads a file of samples that have their times.
//!
//! 1. The file is read in pieces of whole lines; the scraper's parser reads each as a page.
//! 2. Samples go in as loose ones, in any order of time; each piece is one commit.
//! 3. At the end everything is in blocks.
//!
//! What stood before an error is stored; the same file can be loaded again, for a sample that is
//! there already is no error. Types, help texts and exemplars are read over.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use scraper::parse::{Entry, Format, Parser, Sample};
use tsdb::model::Labels;
use tsdb::model::labels::METRIC_NAME;
use tsdb::{Append, Cell, Db, Options, Storage};

/// Bytes of lines that are parsed and committed together.
const PIECE_BYTES: usize = 1 << 20;
/// Longest line.
const LINE_BYTES_MAX: usize = 16 << 20;
/// The line that ends a file.
const END: &[u8] = b"# EOF";

/// Loads `file` into the store in `dir`, which is made if it is not there.
pub(super) fn run(file: &Path, dir: &Path) -> anyhow::Result<ExitCode> {
    let name = file.display();
    let input = File::open(file).with_context(|| format!("cannot read {name}"))?;
    let bar = super::progress(input.metadata().map_or(0, |metadata| metadata.len()), "bytes");
    // Any sample may be older than any other one.
    let options = Options { out_of_order_ms: i64::MAX / 4, ..Options::default() };
    let (db, recovery) = super::open_alone(dir, options)?;
    let is_good = super::is_whole(&recovery);
    let mut import = Import { db: &db, line: 0, samples: 0, last: (Vec::new(), Labels::empty()) };
    let read = import.all(BufReader::new(input), |bytes| bar.inc(bytes));
    let (line, samples) = (import.line, import.samples);
    db.flush_all()?;
    db.close()?;
    bar.finish_and_clear();
    read.with_context(|| format!("{name}: stopped after {line} lines with {samples} samples"))?;
    println!("{samples} samples in {}", dir.display());
    Ok(super::exit_code(is_good))
}

struct Import<'a> {
    db: &'a Db,
    /// Lines that are stored.
    line: usize,
    samples: usize,
    /// The series of the last sample, as it was written and as labels.
    last: (Vec<u8>, Labels),
}

impl Import<'_> {
    fn all(&mut self, mut input: impl BufRead, told: impl Fn(u64)) -> anyhow::Result<()> {
        let mut piece = Vec::new();
        loop {
            piece.clear();
            let is_end = read_piece(&mut input, &mut piece)
                .with_context(|| format!("line {}", self.line + 1))?;
            let bytes = piece.len() as u64;
            let lines = piece.iter().filter(|byte| **byte == b'\n').count();
            if !is_end {
                piece.extend_from_slice(END);
                piece.push(b'\n');
            }
            self.piece(&piece)?;
            self.db.flush_if_due()?;
            self.line += lines;
            told(bytes);
            if is_end {
                return Ok(());
            }
        }
    }

    /// Commits the samples of a piece.
    fn piece(&mut self, piece: &[u8]) -> anyhow::Result<()> {
        let mut parser = Parser::new(piece, Format::OpenMetrics);
        let mut appender = self.db.appender();
        let mut line = self.line;
        loop {
            line += 1;
            let entry = parser.next(&self.last.0).map_err(|error| {
                let (line, column) = (self.line + error.line, error.column);
                anyhow::anyhow!("line {line}, column {column}: {}", error.message)
            })?;
            match entry {
                None => break,
                Some(Entry::Sample(sample)) => {
                    self.sample(&mut *appender, &sample).with_context(|| format!("line {line}"))?
                }
                Some(_) => {}
            }
        }
        self.samples += appender.commit()?;
        Ok(())
    }

    fn sample(&mut self, appender: &mut dyn Append, sample: &Sample<'_>) -> anyhow::Result<()> {
        if !sample.as_expected {
            let (name, pairs) = sample.series.decode();
            let name = std::iter::once((METRIC_NAME.to_owned(), name.into_owned()));
            let pairs =
                pairs.into_iter().map(|(own, value)| (own.into_owned(), value.into_owned()));
            self.last = (sample.series.bytes().to_vec(), Labels::from_pairs(pairs.chain(name)));
        }
        let labels = &self.last.1;
        let Some(timestamp) = sample.timestamp else {
            bail!("{labels} has no timestamp; every sample needs one here");
        };
        let stored = appender.sample(labels, timestamp, Cell::float(sample.value));
        stored.with_context(|| format!("{labels} at {timestamp} was refused"))
    }
}

/// Reads whole lines, about [`PIECE_BYTES`] of them; whether it is the last piece, which is the
/// one with the line that ends a file, or with no line behind it.
fn read_piece(input: &mut impl BufRead, piece: &mut Vec<u8>) -> anyhow::Result<bool> {
    while piece.len() < PIECE_BYTES {
        let start = piece.len();
        input.by_ref().take(LINE_BYTES_MAX as u64).read_until(b'\n', piece)?;
        let line = &piece[start..];
        if line.is_empty() {
            return Ok(true);
        }
        if line.starts_with(END) {
            // Something behind it is an error, which the parser words.
            input.by_ref().take(1).read_to_end(piece)?;
            return Ok(true);
        }
        if line.len() == LINE_BYTES_MAX {
            bail!("a line of more than {LINE_BYTES_MAX} bytes");
        }
    }
    Ok(false)
}
