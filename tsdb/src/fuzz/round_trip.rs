//! Bytes as a script of what to write, and what is read compared with it, bit for bit.
//!
//! - [`rows`]: cells → columns → bytes of a window → cells
//! - [`store`]: rows → log, head → block → merged block → cells, also after a restart

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::decode::{read_store, same_after_restart};
use super::script::Script;
use crate::append::{FamilyColumns, Storage};
use crate::cell::{Stored, StoredCell};
use crate::codec::column::Scratch;
use crate::column::{Column, WINDOW_ROWS};
use crate::db::Db;
use crate::disk::sim::{Ending, SimDisk};
use crate::model::{Labels, Metadata, Timestamp};
use crate::options::Options;
use crate::sealed::{Sealed, SealedColumns};

/// Columns of a window at most.
const COLUMNS_MAX: usize = 40;
/// What [`Script::cell`] knows.
const KINDS: usize = 6;

/// A window as it was meant.
struct Rows {
    timestamps: Vec<i64>,
    cells: Vec<Vec<StoredCell>>,
    lower: Vec<Option<u32>>,
}

impl Rows {
    fn of(script: &mut Script<'_>) -> Self {
        let (rows, columns) = (1 + script.below(WINDOW_ROWS), script.below(COLUMNS_MAX));
        let mut at = script.bits() as i64 >> 8;
        let timestamps = (0..rows).map(|_| {
            at += 1 + i64::from(script.byte());
            at
        });
        let timestamps = timestamps.collect();
        let lower = (0..columns).map(|_| script.byte()).map(|own| own.checked_sub(128));
        let lower = lower.map(|own| own.map(|own| u32::from(own) % COLUMNS_MAX as u32)).collect();
        let mut cells: Vec<Vec<StoredCell>> = Vec::new();
        for _ in 0..columns {
            let kind = script.below(KINDS + 1);
            let copy = cells.last().filter(|_| kind == KINDS).cloned();
            cells.push(copy.unwrap_or_else(|| column(script, kind.min(KINDS - 1), rows)));
        }
        Self { timestamps, cells, lower }
    }

    fn sealed(&self) -> Sealed {
        let column = |cells: &Vec<StoredCell>| {
            let mut column = Column::default();
            let there = cells.iter().enumerate().filter(|(_, cell)| !cell.is_absent());
            there.for_each(|(row, cell)| column.push(row, cell));
            column
        };
        let columns: Vec<_> = self.cells.iter().map(column).collect();
        Sealed::new(&self.timestamps, &columns, &self.lower)
    }
}

fn column(script: &mut Script<'_>, kind: usize, rows: usize) -> Vec<StoredCell> {
    let mut before = f64::from(script.byte());
    let cell = |_| {
        let cell = script.cell(kind, before);
        if let Stored::Float(value) = cell.value {
            before = value;
        }
        cell
    };
    (0..rows).map(cell).collect()
}

/// The bytes of the window that a script describes: valid input of [`window`](super::window).
pub fn encoded_window(script: &[u8]) -> Vec<u8> {
    Rows::of(&mut Script(script)).sealed().bytes().to_vec()
}

/// Writes a window and reads its columns, upwards and downwards.
pub fn rows(script: &[u8]) {
    let rows = Rows::of(&mut Script(script));
    let sealed = rows.sealed();
    assert_eq!(sealed.timestamps(), rows.timestamps, "the timestamps of a window");
    let base = rows.timestamps.first().copied().unwrap_or_default();
    let mut scratch = Scratch::default();
    let mut read = SealedColumns::open(sealed.bytes(), base, &mut scratch)
        .expect("BUG: a window that was written opens");
    let upwards = 0..rows.cells.len();
    for number in upwards.clone().chain(upwards.rev()) {
        let column = read.column(number).expect("BUG: a column that was written is read");
        for (row, cell) in rows.cells[number].iter().enumerate() {
            let found = column.as_ref().map_or(StoredCell::ABSENT, |own| own.cell(row));
            assert_same(cell, &found, &format!("column {number} row {row}"));
        }
    }
}

fn assert_same(written: &StoredCell, read: &StoredCell, place: &str) {
    let is_same = written.value.is_same(&read.value);
    let is_same = is_same && (written.is_absent() || written.start == read.start);
    assert!(is_same, "{place}: {written:?} was written, {read:?} is read");
}

/// Cells by series and time.
pub(super) type Content = BTreeMap<(Labels, i64), StoredCell>;

/// Appends rows, brings them to blocks and merges those as the script says; all is there at any
/// time, and after a restart.
pub fn store(script: &[u8]) {
    let disk = SimDisk::new(1);
    let (mut script, mut content, mut at) = (Script(script), Content::new(), 0);
    let mut db = open(&disk);
    while !script.is_empty() {
        match script.byte() % 16 {
            0 => drop(db.flush_all().expect("BUG: a good disk")),
            1 => drop(db.flush_if_due().expect("BUG: a good disk")),
            2 => drop(db.compact_if_due().expect("BUG: a good disk")),
            3 => {
                drop(db);
                disk.restart(Ending::Kill);
                db = open(&disk);
            }
            _ => {
                at += 1 + i64::from(script.byte());
                append(&db, &mut script, at, &mut content);
                continue;
            }
        }
        assert_content(&db, &content);
    }
    assert_content(&db, &content);
    same_after_restart(&disk, db, open);
}

fn open(disk: &SimDisk) -> Db {
    let options = Options {
        segment_bytes_max: 600,
        window_rows: 3,
        flush_samples: 0,
        flush_rows: 0,
        kept_rows: 2,
        ..Options::default()
    };
    Db::open(Arc::new(disk.clone()), Path::new("d"), options).expect("BUG: a good disk").0
}

fn append(db: &Db, script: &mut Script<'_>, at: i64, content: &mut Content) {
    let mut appender = db.appender();
    let (target, count) = (script.below(3).to_string(), script.below(5));
    let target = Labels::from_pairs([("t", target.as_str())]);
    let own = |number: usize| vec![("__name__".to_owned(), format!("n{number}"))];
    let family = FamilyColumns {
        name: "f".to_owned(),
        metadata: Metadata::default(),
        columns: (0..count).map(own).collect(),
    };
    let group = appender.group(&target).expect("BUG: no limit is near");
    let columns = appender.columns(group, &[family]).expect("BUG: no limit is near");
    let cells: Vec<_> = (0..count).map(|number| script.cell(number % KINDS, 1.0)).collect();
    let given: Vec<_> = cells.iter().map(StoredCell::as_cell).collect();
    let report = appender.row(group, Timestamp::from_ms(at), &columns, &given);
    assert_eq!(report.expect("BUG: no limit is near").rejected(), 0, "a later row");
    appender.commit().expect("BUG: a good disk");
    for (number, cell) in cells.into_iter().enumerate().filter(|(_, cell)| !cell.is_absent()) {
        let mut pairs = own(number);
        pairs.extend(target.iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        content.insert((Labels::from_pairs(pairs), at), cell);
    }
}

fn assert_content(db: &Db, content: &Content) {
    let read = read_store(db).expect("BUG: a good disk");
    assert!(read.keys().eq(content.keys()), "{:?} are there", read.keys());
    for ((place, cell), found) in content.iter().zip(read.values()) {
        assert_same(cell, found, &format!("{place:?}"));
    }
}
