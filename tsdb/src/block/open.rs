//! A block being read, through a read-only map of its file.
//!
//! 1. Opening checks head, footer and index: their checksums, and that the windows lie one behind
//!    the other between them, so that no byte is without a checksum.
//! 2. A window's checksum is looked at when it is first read; a bit remembers that it was good.
//!
//! Invariant: no bytes of the file, whatever they are, make it panic, or give a window that is
//! not what was written. Every method may fail, for every one reads the file.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crc32c::crc32c;

use super::file::{Facts, HEAD_BYTES, SECTIONS, Section, check_head, read_footer};
use super::hash::pair_hash;
use super::index::{GroupEntry, Index, WindowEntry};
use super::{Span, fixed};
use crate::codec::Malformed;
use crate::disk::{Disk, Mapped};
use crate::error::{Error, io_error};
use crate::model::{Labels, Matcher};

/// One block.
pub(crate) struct Block {
    path: PathBuf,
    map: Arc<dyn Mapped>,
    bytes: u64,
    sections: [Section; SECTIONS],
    facts: Facts,
    groups: u32,
    /// A bit for each window whose checksum was seen to be good.
    verified: Box<[AtomicU64]>,
    /// Sums of the hashes of own pairs, by definition; of target pairs, by group.
    own_hashes: OnceLock<Box<[u64]>>,
    target_hashes: OnceLock<Box<[u64]>>,
}

impl Block {
    /// Opens the block in a file; the file is not changed, whatever it holds.
    pub(crate) fn open(disk: &dyn Disk, path: &Path) -> Result<Self, Error> {
        let map = disk.map(path).map_err(io_error("open", path))?;
        let file = map.bytes().map_err(io_error("read", path))?;
        let damaged = |offset: u64| move |malformed| corrupt(path, offset, malformed);
        check_head(file).map_err(damaged(0))?;
        let sections = read_footer(file).map_err(damaged(file.len() as u64))?;
        for section in &sections {
            section.check(file).map_err(damaged(section.offset))?;
        }
        let in_index = damaged(sections[0].offset);
        let (facts, groups, windows) = survey(file, &sections).map_err(in_index)?;
        let words = (0..windows.div_ceil(64)).map(|_| AtomicU64::new(0));
        Ok(Self {
            path: path.to_owned(),
            bytes: file.len() as u64,
            sections,
            facts,
            groups,
            verified: words.collect(),
            own_hashes: OnceLock::new(),
            target_hashes: OnceLock::new(),
            map,
        })
    }

    /// What it says about itself.
    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Its file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Length of the file.
    pub(crate) fn bytes_len(&self) -> u64 {
        self.bytes
    }

    /// Number of groups.
    pub(crate) fn groups(&self) -> u32 {
        self.groups
    }

    /// Number of columns of a group.
    pub(crate) fn columns(&self, group: u32) -> Result<u32, Error> {
        self.read(|index| Ok(index.shape(index.group(group)?.shape)?.len() as u32))
    }

    /// The labels that name a group in the head.
    pub(crate) fn target(&self, group: u32) -> Result<Labels, Error> {
        self.read(|index| build(&index, index.group(group)?.identity.iter().map(fixed::pair)))
    }

    /// The family of a column.
    pub(crate) fn family(&self, group: u32, column: u32) -> Result<&str, Error> {
        self.read(|index| {
            let definition = index.column(&index.group(group)?, column)?;
            index.text(index.definition(definition)?.0)
        })
    }

    /// The labels of a column's series.
    pub(crate) fn labels(&self, group: u32, column: u32) -> Result<Labels, Error> {
        self.read(|index| build(&index, index.labels(&index.group(group)?, column)?))
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

    /// The [`label_hash`](super::label_hash) of a column's labels.
    pub(crate) fn label_hash(&self, group: u32, column: u32) -> Result<u64, Error> {
        self.read(|index| {
            let entry = index.group(group)?;
            let definition = index.column(&entry, column)?;
            let own = once(&self.own_hashes, index.definitions(), |number| {
                hash(&index, index.definition(number)?.1)
            })?;
            let target = once(&self.target_hashes, self.groups, |number| {
                hash(&index, index.group(number)?.target)
            })?;
            let sum = |sums: &[u64], at: u32| sums.get(at as usize).copied().unwrap_or_default();
            let both = sum(own, definition).wrapping_add(sum(target, group));
            Ok(both.wrapping_sub(replaced(&index, &entry, definition)?))
        })
    }

    /// The columns with these labels that have cells, one of each group that has it.
    pub(crate) fn find(&self, labels: &Labels) -> Result<Vec<(u32, u32)>, Error> {
        let equal = |(name, value)| Matcher::equal(name, value);
        let matchers: Vec<_> = labels.iter().map(equal).collect();
        let mut found = self.resolve((i64::MIN, i64::MAX), &matchers)?;
        let mut result = Ok(());
        found.retain(|(group, column)| match self.has_labels(*group, *column, labels) {
            Ok(is_same) => is_same,
            Err(error) => {
                result = Err(error);
                false
            }
        });
        result.map(|()| found)
    }

    /// When the first and last cell of a column was taken; [`NO_TIME`](super::NO_TIME) if it has none.
    pub(crate) fn span(&self, group: u32, column: u32) -> Result<Span, Error> {
        self.read(|index| index.group(group)?.column_span(column))
    }

    /// The windows of a group in order of time.
    pub(crate) fn windows(&self, group: u32) -> Result<Vec<WindowEntry>, Error> {
        self.read(|index| index.group(group)?.windows().collect())
    }

    /// The bytes of a window of this block.
    pub(crate) fn window_bytes(&self, window: &WindowEntry) -> Result<&[u8], Error> {
        let word = self.verified.get(window.number as usize / 64);
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

    fn unchecked_window(&self, window: &WindowEntry) -> Result<&[u8], Error> {
        let file = self.file()?;
        let end = window.end().and_then(|end| usize::try_from(end).ok());
        let range = usize::try_from(window.offset).ok().zip(end);
        let bytes = range.and_then(|(start, end)| file.get(start..end));
        bytes.ok_or_else(|| corrupt(&self.path, window.offset, Malformed("a window")))
    }

    fn checked_window(&self, window: &WindowEntry) -> Result<&[u8], Error> {
        let bytes = self.unchecked_window(window)?;
        if crc32c(bytes) != window.crc {
            let what = Malformed("a window with its checksum");
            return Err(corrupt(&self.path, window.offset, what));
        }
        Ok(bytes)
    }

    /// Checks every byte of the file anew.
    pub(crate) fn verify(&self) -> Result<(), Error> {
        let file = self.file()?;
        check_head(file).map_err(|malformed| corrupt(&self.path, 0, malformed))?;
        read_footer(file).map_err(|malformed| corrupt(&self.path, self.bytes, malformed))?;
        for section in &self.sections {
            let damaged = |malformed| corrupt(&self.path, section.offset, malformed);
            section.check(file).map_err(damaged)?;
        }
        for group in 0..self.groups {
            for window in self.windows(group)? {
                self.checked_window(&window)?;
            }
        }
        Ok(())
    }

    fn file(&self) -> Result<&[u8], Error> {
        self.map.bytes().map_err(io_error("read", &self.path))
    }

    /// Reads something from the index.
    pub(super) fn read<'a, T>(
        &'a self,
        read: impl FnOnce(Index<'a>) -> Result<T, Malformed>,
    ) -> Result<T, Error> {
        let index = index_of(self.file()?, &self.sections);
        let damaged = |malformed| corrupt(&self.path, self.sections[0].offset, malformed);
        index.and_then(read).map_err(damaged)
    }
}

fn corrupt(path: &Path, offset: u64, Malformed(what): Malformed) -> Error {
    Error::Corrupt { path: path.to_owned(), offset, what: what.to_owned() }
}

fn index_of<'a>(file: &'a [u8], sections: &[Section; SECTIONS]) -> Result<Index<'a>, Malformed> {
    let [_, a, b, c, d, e, f] = sections;
    let bytes = |section: &Section| section.bytes(file);
    Index::open([bytes(a)?, bytes(b)?, bytes(c)?, bytes(d)?, bytes(e)?, bytes(f)?])
}

/// The facts, the number of groups, and the number of windows, which have to fill the file from
/// its head to its index.
fn survey(file: &[u8], sections: &[Section; SECTIONS]) -> Result<(Facts, u32, u32), Malformed> {
    let facts = Facts::read(sections[0].bytes(file)?)?;
    let index = index_of(file, sections)?;
    let (mut offset, mut number) = (HEAD_BYTES as u64, 0_u32);
    for group in 0..index.groups.len() {
        let mut before = None;
        for window in index.group(group)?.windows() {
            let window = window?;
            let in_time = before < Some(window.span.0) && window.span.0 <= window.span.1;
            if (window.offset, window.number) != (offset, number) || !in_time {
                return Err(Malformed("windows one behind the other"));
            }
            before = Some(window.span.1);
            offset = window.end().ok_or(Malformed("a window in the file"))?;
            number = number.checked_add(1).ok_or(Malformed("fewer windows"))?;
        }
    }
    let fills = offset == sections[0].offset;
    fills.then_some((facts, index.groups.len(), number)).ok_or(Malformed("windows up to the index"))
}

fn build(index: &Index<'_>, pairs: impl Iterator<Item = (u32, u32)>) -> Result<Labels, Malformed> {
    let texts = pairs.map(|(name, value)| Ok((index.text(name)?, index.text(value)?)));
    texts.collect::<Result<Vec<_>, _>>().map(Labels::from_pairs)
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

impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Block").field("path", &self.path).field("facts", &self.facts).finish()
    }
}
