//! A block being read, through a read-only map of its file.
//!
//! 1. Opening checks head, footer and index: their checksums, and that the windows lie one behind
//!    the other between them, so that no byte is without a checksum.
//! 2. A window's checksum is looked at when it is first read; a bit remembers that it was good.
//!
//! Invariant: no bytes of the file, whatever they are, make it panic, or give a window that is
//! not what was written. Every method may fail, for every one reads the file.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use super::file::{Facts, HEAD_BYTES, SECTIONS, Section, check_head, read_footer};
use super::index::Index;
use super::view::View;
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
    pub(super) verified: Box<[AtomicU64]>,
    /// Sums of the hashes of own pairs, by definition; of target pairs, by group.
    pub(super) own_hashes: OnceLock<Box<[u64]>>,
    pub(super) target_hashes: OnceLock<Box<[u64]>>,
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

    /// Looks at the file: how long it is, and where its index is.
    pub(crate) fn view(&self) -> Result<View<'_>, Error> {
        let file = self.map.bytes().map_err(io_error("read", &self.path))?;
        let index = index_of(file, &self.sections).map_err(|own| self.in_index(own))?;
        Ok(View { block: self, file, index })
    }

    /// What is said of an index that cannot be read although its checksums are right.
    pub(super) fn in_index(&self, malformed: Malformed) -> Error {
        corrupt(&self.path, self.sections[0].offset, malformed)
    }

    /// The columns with these labels that have cells, one of each group that has it.
    pub(crate) fn find(&self, labels: &Labels) -> Result<Vec<(u32, u32)>, Error> {
        let equal = |(name, value)| Matcher::equal(name, value);
        let matchers: Vec<_> = labels.iter().map(equal).collect();
        let mut found = self.resolve((i64::MIN, i64::MAX), &matchers)?;
        let mut result = Ok(());
        let view = self.view()?;
        found.retain(|(group, column)| match view.has_labels(*group, *column, labels) {
            Ok(is_same) => is_same,
            Err(error) => {
                result = Err(error);
                false
            }
        });
        result.map(|()| found)
    }

    /// Checks every byte of the file anew.
    pub(crate) fn verify(&self) -> Result<(), Error> {
        let view = self.view()?;
        let file = view.file;
        check_head(file).map_err(|malformed| corrupt(&self.path, 0, malformed))?;
        read_footer(file).map_err(|malformed| corrupt(&self.path, self.bytes, malformed))?;
        for section in &self.sections {
            let damaged = |malformed| corrupt(&self.path, section.offset, malformed);
            section.check(file).map_err(damaged)?;
        }
        for group in 0..self.groups {
            for window in view.windows(group)? {
                view.checked_window(&window)?;
            }
        }
        Ok(())
    }
}

pub(super) fn corrupt(path: &Path, offset: u64, Malformed(what): Malformed) -> Error {
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

impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Block").field("path", &self.path).field("facts", &self.facts).finish()
    }
}
