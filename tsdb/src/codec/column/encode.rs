//! A window to bytes.
//!
//! 1. Each column becomes a list of one float for each row; a row without a float repeats the
//!    one before it (the first ones the first float there is), so that it changes nothing.
//! 2. Cheap tests first: constant, then the same as an earlier column (found by a sum of its
//!    bits, then compared), then whole numbers, then fractions.
//! 3. Whole numbers are written less those of the lower neighbour, if that changes by less than
//!    they do. Lower neighbours come first, so that it is known how long a chain they make.
//! 4. The bodies are put together in the order of the columns, behind a table of offsets.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashMap;

use super::floats::{self, Tag};
use super::integers::Plan;
use super::presence::{self, RowKind};
use super::{
    CHAIN_MAX, COLUMNS_PER_OFFSET, HAS_HISTOGRAMS, HAS_PATTERN, HAS_STARTS, ROWS_MAX, histogram,
    start, timestamps,
};
use crate::codec::varint::{put_varint, zigzag};
use crate::model::Histogram;

/// A column to be written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ColumnInput<'a> {
    /// The row of the first float of `floats`.
    pub(crate) first: usize,
    /// A float for each row from `first` on, of which those of rows that hold none may be
    /// anything. Rows behind the last one repeat it.
    pub(crate) floats: &'a [f64],
    /// What each row holds; empty if all hold floats.
    pub(crate) kinds: &'a [RowKind],
    /// The histograms with their rows, rising.
    pub(crate) histograms: &'a [(u16, Arc<Histogram>)],
    /// Each start timestamp with the row from which on it holds, rising.
    pub(crate) starts: &'a [(u16, i64)],
    /// The column whose values this one is expected to be a little more than: the next lower
    /// bucket of its histogram; for a count, the highest bucket.
    pub(crate) lower: Option<usize>,
}

/// Writes a window; `timestamps` are at most [`ROWS_MAX`], and rise.
pub(crate) fn encode_window(timestamps: &[i64], columns: &[ColumnInput<'_>]) -> Vec<u8> {
    debug_assert!(timestamps.len() <= ROWS_MAX);
    let patterns = Patterns::of(columns);
    let base = timestamps.first().copied().unwrap_or_default();
    let mut writer = Writer {
        patterns: &patterns,
        base,
        drafts: columns.iter().map(|column| Draft::new(column, timestamps.len())).collect(),
        by_sum: HashMap::new(),
        bodies: Vec::new(),
    };
    for column in 0..columns.len() {
        writer.put_with_lower(column);
    }
    let mut out = Vec::new();
    put_varint(&mut out, timestamps.len() as u64);
    put_varint(&mut out, columns.len() as u64);
    let mut part = Vec::new();
    timestamps::put(&mut part, timestamps);
    put_part(&mut out, &part);
    part.clear();
    patterns.put(&mut part);
    put_part(&mut out, &part);
    writer.put_all(&mut out);
    out
}

fn put_part(out: &mut Vec<u8>, part: &[u8]) {
    put_varint(out, part.len() as u64);
    out.extend_from_slice(part);
}

/// The different lists of kinds, the most frequent one first.
struct Patterns<'a>(Vec<&'a [RowKind]>);

impl<'a> Patterns<'a> {
    fn of(columns: &[ColumnInput<'a>]) -> Self {
        // How often each one occurs, and how many came before it.
        let mut counts: HashMap<&[RowKind], (usize, usize)> = HashMap::new();
        for column in columns.iter().filter(|column| !is_empty(column)) {
            let before = counts.len();
            counts.entry(kinds(column)).or_insert((0, before)).0 += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_unstable_by_key(|(_, (count, before))| (Reverse(*count), *before));
        Self(counts.into_iter().map(|(kinds, _)| kinds).collect())
    }

    fn number(&self, kinds: &[RowKind]) -> usize {
        self.0.iter().position(|own| *own == kinds).unwrap_or(0)
    }

    fn put(&self, out: &mut Vec<u8>) {
        if self.0.iter().all(|kinds| kinds.is_empty()) {
            return;
        }
        put_varint(out, self.0.len() as u64);
        for kinds in &self.0 {
            // No run at all: floats in all rows.
            presence::put(out, kinds);
        }
    }
}

/// The column's kinds, empty if all are floats.
fn kinds<'a>(column: &ColumnInput<'a>) -> &'a [RowKind] {
    let is_float = |kind: &RowKind| *kind == RowKind::Float;
    if column.kinds.iter().all(is_float) { &[] } else { column.kinds }
}

/// Whether the column has no cell.
fn is_empty(column: &ColumnInput<'_>) -> bool {
    !column.kinds.is_empty() && column.kinds.iter().all(|kind| *kind == RowKind::Absent)
}

/// A column while the window is written.
struct Draft<'a> {
    /// What is to be written.
    input: &'a ColumnInput<'a>,
    /// One for each row, or one for all.
    floats: Cow<'a, [f64]>,
    is_constant: bool,
    /// Whether all are whole; constants were not asked.
    is_whole: bool,
    /// Columns that have to be decoded before this one.
    depth: usize,
    /// Where its bytes are, once they were written.
    body: Option<Range<usize>>,
}

impl<'a> Draft<'a> {
    fn new(input: &'a ColumnInput<'a>, rows: usize) -> Self {
        let (floats, is_constant) = match input.floats {
            [_] => (Cow::Borrowed(input.floats), true),
            _ => {
                let floats = dense(input, rows);
                let is_constant = floats::is_constant(&floats);
                (floats, is_constant)
            }
        };
        Self { input, floats, is_constant, is_whole: false, depth: 0, body: None }
    }
}

/// A float for each row.
fn dense<'a>(column: &ColumnInput<'a>, rows: usize) -> Cow<'a, [f64]> {
    let kinds = kinds(column);
    if kinds.is_empty() && column.floats.len() == rows {
        return Cow::Borrowed(column.floats);
    }
    let is_float = |kind: Option<&RowKind>| kind.is_none_or(|kind| *kind == RowKind::Float);
    let given = |row: usize| column.floats.get(row.checked_sub(column.first)?);
    let own = |row: usize| given(row).filter(|_| is_float(kinds.get(row))).copied();
    let mut before = (0..rows).find_map(own).unwrap_or(0.0);
    let fill = |row: usize| {
        before = own(row).unwrap_or(before);
        before
    };
    (0..rows).map(fill).collect()
}

struct Writer<'a> {
    patterns: &'a Patterns<'a>,
    /// The first timestamp.
    base: i64,
    /// One for each column.
    drafts: Vec<Draft<'a>>,
    /// The first column with each sum of bits.
    by_sum: HashMap<u64, usize>,
    bodies: Vec<u8>,
}

#[expect(clippy::indexing_slicing, reason = "each column has its draft, and a draft its body")]
impl<'a> Writer<'a> {
    fn draft(&self, column: usize) -> &Draft<'a> {
        &self.drafts[column]
    }

    fn draft_mut(&mut self, column: usize) -> &mut Draft<'a> {
        &mut self.drafts[column]
    }

    fn body(&self, draft: &Draft<'_>) -> &[u8] {
        draft.body.clone().map_or(&[], |body| &self.bodies[body])
    }
}

impl Writer<'_> {
    /// Writes a column after those below it.
    fn put_with_lower(&mut self, column: usize) {
        let mut below = vec![column];
        while let Some(lower) = below.last().and_then(|own| self.draft(*own).input.lower) {
            let is_new = self.drafts.get(lower).is_some_and(|draft| draft.body.is_none());
            if !is_new || below.contains(&lower) {
                break;
            }
            below.push(lower);
        }
        for column in below.into_iter().rev() {
            if self.draft(column).body.is_none() {
                self.put(column);
            }
        }
    }

    fn put(&mut self, number: usize) {
        let start = self.bodies.len();
        let column = *self.draft(number).input;
        if is_empty(&column) {
            self.bodies.push(Tag::None as u8);
            self.draft_mut(number).body = Some(start..self.bodies.len());
            return;
        }
        let mut body = Vec::new();
        let mut flags = 0;
        let pattern = self.patterns.number(kinds(&column));
        if pattern > 0 {
            flags |= HAS_PATTERN;
            put_varint(&mut body, pattern as u64);
        }
        if !column.starts.is_empty() {
            flags |= HAS_STARTS;
            let mut starts = Vec::new();
            start::put(&mut starts, column.starts, self.base);
            put_part(&mut body, &starts);
        }
        if !column.histograms.is_empty() {
            flags |= HAS_HISTOGRAMS;
            let mut histograms = Vec::new();
            histogram::put(&mut histograms, column.histograms);
            put_part(&mut body, &histograms);
        }
        let tag = self.put_floats(&mut body, number);
        self.bodies.push(tag as u8 | flags);
        if tag != Tag::Zero || flags != 0 {
            put_part(&mut self.bodies, &body);
        }
        self.draft_mut(number).body = Some(start..self.bodies.len());
    }

    fn put_floats(&mut self, out: &mut Vec<u8>, number: usize) -> Tag {
        let draft = self.draft(number);
        if draft.is_constant {
            return floats::put_constant(out, draft.floats.first().copied().unwrap_or_default());
        }
        if let Some(source) = self.same_column(number) {
            self.draft_mut(number).depth = self.draft(source).depth + 1;
            self.draft_mut(number).is_whole = self.draft(source).is_whole;
            put_reference(out, number, source);
            return Tag::Alias;
        }
        let Some(integers) = floats::integers_of(&self.draft(number).floats) else {
            return floats::put_fractions(out, &self.draft(number).floats);
        };
        self.draft_mut(number).is_whole = true;
        if let Some((lower, less)) = self.less_lower(number, &integers) {
            self.draft_mut(number).depth = self.draft(lower).depth + 1;
            put_reference(out, number, lower);
            Plan::new(&less).put(out);
            return Tag::Bucket;
        }
        Plan::new(&integers).put(out);
        Tag::Integers
    }

    /// A column before this one with the same floats.
    fn same_column(&mut self, number: usize) -> Option<usize> {
        let floats = self.draft(number).floats.iter();
        let sum = floats.fold(0_u64, |sum, own| sum.wrapping_add(own.to_bits()));
        let source = *self.by_sum.entry(sum).or_insert(number);
        let (own, other) = (self.draft(number), self.draft(source));
        let is_it = source != number
            && other.depth < CHAIN_MAX
            && floats::is_same(&own.floats, &other.floats);
        is_it.then_some(source)
    }

    /// The lower neighbour, and what this column has more than it, if that changes by less than
    /// the column itself.
    fn less_lower(&self, number: usize, own: &[i64]) -> Option<(usize, Vec<i64>)> {
        let lower = self.draft(number).input.lower?;
        let below = self.drafts.get(lower)?;
        if !below.is_whole || below.body.is_none() || below.depth >= CHAIN_MAX {
            return None;
        }
        let both = own.iter().zip(&*below.floats);
        let less: Vec<_> = both.map(|(own, other)| own - *other as i64).collect();
        (changes(&less) < changes(own)).then_some((lower, less))
    }

    /// Writes offsets and bodies in the order of the columns.
    fn put_all(&self, out: &mut Vec<u8>) {
        let bodies = || self.drafts.iter().map(|draft| self.body(draft));
        let mut offset = 0;
        for (number, body) in bodies().enumerate() {
            if number % COLUMNS_PER_OFFSET == 0 {
                out.extend_from_slice(&(offset as u32).to_le_bytes());
            }
            offset += body.len();
        }
        out.reserve(offset);
        bodies().for_each(|body| out.extend_from_slice(body));
    }
}

/// How far a list of integers below 2^54 goes up and down; only for comparing.
fn changes(values: &[i64]) -> u64 {
    let steps = values.iter().zip(values.iter().skip(1));
    steps.fold(0, |sum, (a, b)| sum.wrapping_add(a.abs_diff(*b)))
}

/// Writes the number of another column.
fn put_reference(out: &mut Vec<u8>, own: usize, other: usize) {
    put_varint(out, zigzag(own as i64 - other as i64));
}
