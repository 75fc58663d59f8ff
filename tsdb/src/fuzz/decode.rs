//! Bytes of a stranger. Each function looks at all that can be read of them, through the same
//! calls as a store does, and returns.

use std::path::Path;
use std::sync::Arc;

use super::mend;
use super::round_trip::Content;
use crate::block::{Block, BlockWriter, Origin};
use crate::cell::{NO_START, Stored, StoredCell};
use crate::codec::cell::CellState;
use crate::codec::column::{EncodedWindow, Scratch};
use crate::codec::histogram::histogram;
use crate::codec::{Input, text};
use crate::db::Db;
use crate::disk::Disk;
use crate::disk::sim::{Ending, SimDisk};
use crate::error::Error;
use crate::layout;
use crate::model::regex::{Anchored, translate};
use crate::model::{Labels, Matcher, TimeRange, Timestamp, is_stale};
use crate::options::Options;
use crate::sealed::SealedColumns;
use crate::select::{BatchColumn, Select, Values};

/// Columns that are read of a window; all of them have the same decoder.
const COLUMNS_MAX: usize = 64;

fn dir() -> &'static Path {
    Path::new("d")
}

/// A cell, a histogram, a label set, as the log holds them.
pub fn cells(bytes: &[u8]) {
    let (mut input, mut state) = (Input(bytes), CellState::NEW);
    while state.read(&mut input).is_ok() {}
    let _ = (histogram(&mut Input(bytes)), text::labels(&mut Input(bytes)));
}

/// A regular expression of a query, and a text that it may match.
pub fn regex(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let (Ok(_), Ok(regex)) = (translate(&text), Anchored::new(&text)) {
        let _ = regex.is_match(&text);
    }
}

/// The bytes of a window: its columns, and a store with a block of it.
pub fn window(bytes: &[u8]) {
    let Ok(window) = EncodedWindow::open(bytes) else { return };
    let timestamps = window.timestamps().unwrap_or_default();
    let span = timestamps.first().copied().zip(timestamps.last().copied()).unwrap_or((0, 9));
    let mut scratch = Scratch::default();
    if let Ok(mut columns) = SealedColumns::open(bytes, span.0, &mut scratch) {
        for number in 0..COLUMNS_MAX {
            let column = columns.column(number).ok().flatten();
            let rows = columns.rows();
            let _ = column.map(|own| rows.filter(|row| !own.cell(*row).is_absent()).count());
        }
    }
    if span.0 <= span.1 {
        let disk = SimDisk::new(1);
        block_of(&disk, span, window.rows(), bytes).expect("BUG: a good disk");
        change_store(&disk);
    }
}

/// Writes block 1 with one window.
fn block_of(disk: &SimDisk, span: (i64, i64), rows: usize, bytes: &[u8]) -> Result<(), Error> {
    let blocks = layout::blocks(dir());
    disk.create_dir(&blocks).expect("BUG: a good disk");
    let mut writer = BlockWriter::create(disk, &blocks, 1)?;
    let sets: Vec<_> = (0..COLUMNS_MAX).map(|own| named(&format!("n{own}"))).collect();
    let columns: Vec<_> = sets.iter().map(|own| ("f", own)).collect();
    writer.begin_group(&Labels::from_pairs([("t", "1")]), &columns);
    writer.window(span, rows as u32, rows as u64, bytes, &[Some(span); COLUMNS_MAX])?;
    writer.finish(Origin { log_start: 0, sources: Vec::new(), precedence: 1, level: 0 }).map(drop)
}

fn named(name: &str) -> Labels {
    Labels::from_pairs([("__name__", name), ("t", "1")])
}

/// Opens a store, reads it, deletes, merges, and reads it again.
fn change_store(disk: &SimDisk) {
    let db = open(disk);
    let _ = read_store(&db);
    let range = TimeRange::new(Timestamp::MIN, Timestamp::from_ms(5));
    let _ = db.delete(range, &[Matcher::equal("__name__", "n1")]);
    let _ = (read_store(&db), db.clean_deleted(), db.compact_if_due());
    let _ = (read_store(&db), db.verify());
}

fn open(disk: &SimDisk) -> Db {
    let opened = Db::open(Arc::new(disk.clone()), dir(), Options::default());
    opened.expect("BUG: a store opens whatever its files hold").0
}

/// The file of a block, as it is and with its checksums made good.
pub fn block(bytes: &[u8]) {
    let mended = mend::block(bytes);
    for bytes in [Some(bytes), mended.as_deref()].into_iter().flatten() {
        let disk = SimDisk::new(1);
        let path = layout::block(&layout::blocks(dir()), 1);
        put(&disk, &path, bytes);
        if let Ok(block) = Block::open(&disk, &path) {
            let _ = (block.verify(), block.label_names(), block.label_values("t"));
            let _ = (block.find(&named("n1")), block.resolve((i64::MIN, i64::MAX), &[]));
        }
        change_store(&disk);
    }
}

fn put(disk: &SimDisk, path: &Path, bytes: &[u8]) {
    let parent = path.parent().unwrap_or(dir());
    disk.create_dir(parent).expect("BUG: a good disk");
    let file = disk.create(path).expect("BUG: a good disk");
    file.append(bytes).expect("BUG: a good disk");
}

/// The first segment of a log, as it is and with its checksums made good. What the store finds in
/// it, it finds again.
pub fn log(bytes: &[u8]) {
    for bytes in [bytes, &mend::log(bytes)] {
        let disk = SimDisk::new(1);
        put(&disk, &layout::segment(&layout::wal(dir()), 1), bytes);
        same_after_restart(&disk, open(&disk), open);
        change_store(&disk);
    }
}

/// A list of deletions, as it is and as the body of a good one, beside a block.
pub fn deleted(bytes: &[u8]) {
    let window = super::encoded_window(&[2, 3, 0, 0, 0, 0, 0, 0, 0, 0]);
    for bytes in [bytes, &mend::deleted(bytes)] {
        let disk = SimDisk::new(1);
        block_of(&disk, (0, 9), 3, &window).expect("BUG: a good disk");
        put(&disk, &layout::deleted(&layout::blocks(dir()), 1), bytes);
        change_store(&disk);
    }
}

/// Ends and opens the store; the same cells are there.
pub(super) fn same_after_restart(disk: &SimDisk, db: Db, open: impl Fn(&SimDisk) -> Db) {
    let before = read_store(&db).expect("BUG: a log is read, or it is not");
    drop(db);
    disk.restart(Ending::Kill);
    let after = read_store(&open(disk)).expect("BUG: a log is read, or it is not");
    assert!(before.keys().eq(after.keys()), "a restart changes what is there");
    let mut both = before.values().zip(after.values());
    let is_same = |a: &StoredCell, b: &StoredCell| a.value.is_same(&b.value) && a.start == b.start;
    assert!(both.all(|(a, b)| is_same(a, b)), "a restart changes a cell");
}

/// All cells that a query can see.
pub(super) fn read_store(db: &Db) -> Result<Content, Error> {
    let selection = db.resolve(TimeRange::ALL, &[])?;
    let mut content = Content::new();
    let mut batches = db.read(&selection, TimeRange::ALL)?;
    while batches.next(&mut |batch| {
        for column in batch.columns {
            let labels = &selection.series[column.series].labels;
            for (row, at) in batch.timestamps.iter().enumerate() {
                if column.present.is_none_or(|present| present.contains(row)) {
                    let before = content.insert((labels.clone(), *at), cell(column, row));
                    assert!(before.is_none(), "{labels} at {at} is given twice");
                }
            }
        }
    })? {}
    Ok(content)
}

fn cell(column: &BatchColumn<'_>, row: usize) -> StoredCell {
    let (floats, histograms) = match column.values {
        Values::Floats(floats) => (floats, None),
        Values::Mixed(floats, histograms) => (floats, Some(histograms)),
    };
    let value = match histograms.and_then(|own| own[row].clone()) {
        Some(histogram) => Stored::Histogram(histogram),
        None if is_stale(floats[row]) => Stored::Stale,
        None => Stored::Float(floats[row]),
    };
    StoredCell { value, start: column.starts.map_or(NO_START, |starts| starts[row]) }
}
