//! A block looked at: what one resolving, or the reading of one batch, asks of it.
//!
//! Making a [`View`] asks the operating system how long the file is, since reading behind the end
//! of a map would end the process; so it is made once for many questions, and not kept.

use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use crc32c::crc32c;

use super::index::{GroupEntry, Index, WindowEntry};
use super::open::{Block, corrupt};
use super::{Span, fixed};
use crate::codec::Malformed;
use crate::error::Error;
use crate::model::Labels;
use crate::model::labels::pair_hash;

/// A block's file and index at one moment.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(super) block: &'a Block,
    pub(super) file: &'a [u8],
    pub(super) index: Index<'a>,
}

impl<'a> View<'a> {
    /// Reads something from the index.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Index<'a>) -> Result<T, Malformed>,
    ) -> Result<T, Error> {
        read(&self.index).map_err(|malformed| self.block.in_index(malformed))
    }

    /// Number of columns of a group.
    pub(crate) fn columns(&self, group: u32) -> Result<u32, Error> {
        self.read(|index| Ok(index.shape(index.group(group)?.shape)?.len() as u32))
    }

    /// The labels that name a group in the head.
    pub(crate) fn target(&self, group: u32) -> Result<Labels, Error> {
        self.read(|index| build(index, index.group(group)?.identity.iter().map(fixed::pair)))
    }

    /// The family of a column.
    pub(crate) fn family(&self, group: u32, column: u32) -> Result<&'a str, Error> {
        self.read(|index| {
            let definition = index.column(&index.group(group)?, column)?;
            index.text(index.definition(definition)?.0)
        })
    }

    /// The labels of a column's series.
    pub(crate) fn labels(&self, group: u32, column: u32) -> Result<Labels, Error> {
        self.read(|index| build(index, index.labels(&index.group(group)?, column)?))
    }

    /// Whether a column's series has these labels.
    pub(crate) fn has_labels(
        &self,
        group: u32,
        column: u32,
        labels: &Labels,
    ) -> Result<bool, Error> {
        self.read(|index| {
            let mut expected = labels.iter();
            for (name, value) in index.labels(&index.group(group)?, column)? {
                if expected.next() != Some((index.text(name)?, index.text(value)?)) {
                    return Ok(false);
                }
            }
            Ok(expected.next().is_none())
        })
    }

    /// The [`Labels::pairs_hash`] of a column's labels.
    pub(crate) fn pairs_hash(&self, group: u32, column: u32) -> Result<u64, Error> {
        let Block { own_hashes, target_hashes, .. } = self.block;
        self.read(|index| {
            let entry = index.group(group)?;
            let definition = index.column(&entry, column)?;
            let own = once(own_hashes, index.definitions(), |number| {
                hash(index, index.definition(number)?.1)
            })?;
            let target = once(target_hashes, index.groups.len(), |number| {
                hash(index, index.group(number)?.target)
            })?;
            let sum = |sums: &[u64], at: u32| sums.get(at as usize).copied().unwrap_or_default();
            let both = sum(own, definition).wrapping_add(sum(target, group));
            Ok(both.wrapping_sub(replaced(index, &entry, definition)?))
        })
    }

    /// When a group's first and last row was taken; [`NO_TIME`](super::NO_TIME) if it has none.
    pub(crate) fn group_span(&self, group: u32) -> Result<Span, Error> {
        self.read(|index| index.group(group)?.span())
    }

    /// When the first and last cell of a column was taken; [`NO_TIME`](super::NO_TIME) if it has
    /// none.
    pub(crate) fn span(&self, group: u32, column: u32) -> Result<Span, Error> {
        self.read(|index| index.group(group)?.column_span(column))
    }

    /// The windows of a group in order of time.
    pub(crate) fn windows(&self, group: u32) -> Result<Vec<WindowEntry>, Error> {
        self.read(|index| index.group(group)?.windows().collect())
    }

    /// The first window of a group with a row at `timestamp` or later.
    pub(crate) fn window_from(
        &self,
        group: u32,
        timestamp: i64,
    ) -> Result<Option<WindowEntry>, Error> {
        self.read(|index| index.group(group)?.window_from(timestamp))
    }

    /// The last window of a group with a row at `timestamp` or earlier.
    pub(crate) fn window_until(
        &self,
        group: u32,
        timestamp: i64,
    ) -> Result<Option<WindowEntry>, Error> {
        self.read(|index| index.group(group)?.window_until(timestamp))
    }

    /// The bytes of a window of this block.
    pub(crate) fn window_bytes(&self, window: &WindowEntry) -> Result<&'a [u8], Error> {
        let word = self.block.verified.get(window.number as usize / 64);
        let bit = 1 << (window.number % 64);
        if word.is_some_and(|word| word.load(Ordering::Relaxed) & bit != 0) {
            return self.unchecked_window(window);
        }
        let bytes = self.checked_window(window)?;
        if let Some(word) = word {
            word.fetch_or(bit, Ordering::Relaxed);
        }
        Ok(bytes)
    }

    fn unchecked_window(&self, window: &WindowEntry) -> Result<&'a [u8], Error> {
        let end = window.end().and_then(|end| usize::try_from(end).ok());
        let range = usize::try_from(window.offset).ok().zip(end);
        let bytes = range.and_then(|(start, end)| self.file.get(start..end));
        bytes.ok_or_else(|| corrupt(self.block.path(), window.offset, Malformed("a window")))
    }

    /// The same, its checksum looked at.
    pub(super) fn checked_window(&self, window: &WindowEntry) -> Result<&'a [u8], Error> {
        let bytes = self.unchecked_window(window)?;
        if crc32c(bytes) != window.crc {
            let what = Malformed("a window with its checksum");
            return Err(corrupt(self.block.path(), window.offset, what));
        }
        Ok(bytes)
    }
}

fn build(index: &Index<'_>, pairs: impl Iterator<Item = (u32, u32)>) -> Result<Labels, Malformed> {
    let texts = pairs.map(|(name, value)| Ok((index.text(name)?, index.text(value)?)));
    texts.collect::<Result<Vec<_>, _>>().map(|texts| Labels::from_texts(&texts))
}

fn hash(index: &Index<'_>, pairs: &[[u8; 8]]) -> Result<u64, Malformed> {
    pairs.iter().map(fixed::pair).try_fold(0, |sum: u64, (name, value)| {
        Ok(sum.wrapping_add(pair_hash(index.text(name)?, index.text(value)?)))
    })
}

/// The sum of the hashes of the target pairs of which a definition has the name.
fn replaced(index: &Index<'_>, group: &GroupEntry<'_>, definition: u32) -> Result<u64, Malformed> {
    let mut sum = 0_u64;
    for (name, _) in index.definition(definition)?.1.iter().map(fixed::pair) {
        let at = group.target.binary_search_by_key(&name, |row| fixed::pair(row).0);
        let row = at.ok().and_then(|at| group.target.get(at..=at));
        sum = sum.wrapping_add(hash(index, row.unwrap_or_default())?);
    }
    Ok(sum)
}

/// What `cell` holds, computed if it holds nothing yet.
fn once(
    cell: &OnceLock<Box<[u64]>>,
    count: u32,
    compute: impl FnMut(u32) -> Result<u64, Malformed>,
) -> Result<&[u64], Malformed> {
    if let Some(own) = cell.get() {
        return Ok(own);
    }
    let computed = (0..count).map(compute).collect::<Result<Box<[u64]>, _>>()?;
    Ok(cell.get_or_init(|| computed))
}
