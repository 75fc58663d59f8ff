//! Which rows of a column hold what.
//!
//! Columns of a group mostly share this (a scrape that failed leaves the same gap in all of
//! them), so a window has a table of the patterns that occur; the most frequent one comes first
//! and costs its columns nothing. A table without patterns means: all floats.
//!
//! A pattern: number of runs, then for each `length · 4 + kind` (varints).

use super::ROWS_MAX;
use crate::codec::varint::put_varint;
use crate::codec::{Input, Malformed};

/// What a row of a column holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum RowKind {
    /// A float.
    #[default]
    Float,
    /// Nothing.
    Absent,
    /// The staleness marker.
    Stale,
    /// A native histogram.
    Histogram,
}

const KINDS: [RowKind; 4] = [RowKind::Float, RowKind::Absent, RowKind::Stale, RowKind::Histogram];

/// What each row of a column holds, and as bits (bit `row % 64` of word `row / 64`), which rows are
/// there, and which are stale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    kinds: Box<[RowKind]>,
    present: Box<[u64]>,
    stale: Box<[u64]>,
}

impl Pattern {
    /// The pattern of these rows.
    pub(crate) fn new(kinds: Vec<RowKind>) -> Self {
        let bits = |is_set: fn(RowKind) -> bool| {
            let word = |kinds: &[RowKind]| {
                let bits =
                    kinds.iter().enumerate().map(|(at, kind)| u64::from(is_set(*kind)) << at);
                bits.fold(0, |word, bit| word | bit)
            };
            kinds.chunks(64).map(word).collect()
        };
        let present = bits(|kind| kind != RowKind::Absent);
        let stale = bits(|kind| kind == RowKind::Stale);
        Self { kinds: kinds.into(), present, stale }
    }

    /// What each row holds.
    pub(crate) fn kinds(&self) -> &[RowKind] {
        &self.kinds
    }

    /// The rows that hold something.
    pub(crate) fn present(&self) -> &[u64] {
        &self.present
    }

    /// The rows that hold the staleness marker.
    pub(crate) fn stale(&self) -> &[u64] {
        &self.stale
    }
}

/// Writes a pattern of as many rows as the window has.
pub(super) fn put(out: &mut Vec<u8>, kinds: &[RowKind]) {
    let runs = || kinds.chunk_by(|a, b| a == b);
    put_varint(out, runs().count() as u64);
    for run in runs() {
        let kind = run.first().map_or(0, |kind| *kind as u64);
        put_varint(out, run.len() as u64 * 4 + kind);
    }
}

/// Reads a pattern into `out`, one entry for each row.
pub(super) fn read(input: &mut Input<'_>, out: &mut [RowKind]) -> Result<(), Malformed> {
    let mut rest = out;
    for run in runs(input)? {
        let (length, kind) = run?;
        let (own, others) =
            rest.split_at_mut_checked(length).ok_or(Malformed("a pattern of the window's rows"))?;
        own.fill(kind);
        rest = others;
    }
    if rest.is_empty() { Ok(()) } else { Err(Malformed("a pattern of all rows")) }
}

fn runs<'a, 'b>(
    input: &'b mut Input<'a>,
) -> Result<impl Iterator<Item = Result<(usize, RowKind), Malformed>> + use<'a, 'b>, Malformed> {
    let count = input.size()?;
    if count > ROWS_MAX {
        return Err(Malformed("no more runs than rows"));
    }
    Ok((0..count).map(|_| {
        let run = input.size()?;
        let kind = KINDS.get(run % 4).ok_or(Malformed("a kind of rows"))?;
        Ok((run / 4, *kind))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn read_is_what_was_written(
            kinds in prop::collection::vec(prop::sample::select(KINDS.to_vec()), 0..99),
        ) {
            let (mut out, mut again) = (Vec::new(), vec![RowKind::Stale; kinds.len()]);
            put(&mut out, &kinds);
            let mut input = Input(&out);
            read(&mut input, &mut again).unwrap();
            prop_assert!(input.is_empty());
            prop_assert_eq!(&again, &kinds);
            let pattern = Pattern::new(again);
            let bit = |words: &[u64], row: usize| words[row / 64] >> (row % 64) & 1 == 1;
            for (row, kind) in kinds.iter().enumerate() {
                prop_assert_eq!(bit(pattern.present(), row), *kind != RowKind::Absent);
                prop_assert_eq!(bit(pattern.stale(), row), *kind == RowKind::Stale);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, rows in 0..99_usize) {
            let _ = read(&mut Input(&bytes), &mut vec![RowKind::Float; rows]);
        }
    }
}
