//! What is deleted in a block: intervals of series, in a small file beside the block.
//!
//! The file is replaced as a whole. A deletion first brings all samples of the head into a block,
//! so there is nothing in the log that it could forget. Merging blocks leaves out what is deleted
//! and the files end with their blocks. `docs/format/deleted.md` draws the bytes.

use std::collections::BTreeMap;
use std::path::Path;

use crc32c::crc32c;

use crate::codec::varint::{put_signed, put_varint};
use crate::codec::{Input, Malformed};
use crate::disk::Disk;
use crate::error::{Error, io_error};
use crate::layout;

const MAGIC: &[u8; 8] = b"inferdel";
const VERSION: u8 = 1;
/// Magic, version and checksum.
const HEAD_BYTES: usize = 13;

/// The intervals (both ends included) of each series, by group and column; they do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Deleted {
    intervals: BTreeMap<(u32, u32), Vec<(i64, i64)>>,
    bytes: u64,
}

impl Deleted {
    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }

    /// Length of the file.
    pub(super) fn bytes_len(&self) -> u64 {
        self.bytes
    }

    /// The intervals of a series, rising.
    pub(super) fn of(&self, group: u32, column: u32) -> &[(i64, i64)] {
        self.intervals.get(&(group, column)).map_or(&[], |own| own)
    }

    /// Whether a sample is deleted.
    pub(super) fn contains(&self, group: u32, column: u32, timestamp: i64) -> bool {
        self.of(group, column).iter().any(|(first, last)| (*first..=*last).contains(&timestamp))
    }

    /// Adds an interval.
    pub(super) fn add(&mut self, group: u32, column: u32, interval: (i64, i64)) {
        let own = self.intervals.entry((group, column)).or_default();
        own.push(interval);
        own.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::new();
        for (first, last) in own.drain(..) {
            match joined.last_mut().filter(|before| first <= before.1.saturating_add(1)) {
                Some(before) => before.1 = before.1.max(last),
                None => joined.push((first, last)),
            }
        }
        *own = joined;
    }

    /// Reads the file of a block; nothing if there is none.
    pub(super) fn read(disk: &dyn Disk, path: &Path) -> Result<Self, Error> {
        let file = match disk.map(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(io_error("open", path)(error)),
        };
        let bytes = file.bytes().map_err(io_error("read", path))?;
        Self::decode(bytes).map_err(|Malformed(what)| Error::Corrupt {
            path: path.to_owned(),
            offset: 0,
            what: what.to_owned(),
        })
    }

    /// Reads the bytes of a file.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let (head, body) = bytes.split_at_checked(HEAD_BYTES).ok_or(Malformed("a head"))?;
        let (magic, rest) = head.split_at_checked(MAGIC.len()).ok_or(Malformed("a head"))?;
        let (version, crc) = rest.split_first().ok_or(Malformed("a head"))?;
        if magic != MAGIC || *version != VERSION {
            return Err(Malformed("a list of deletions of this format version"));
        }
        if crc32c(body).to_le_bytes() != *crc {
            return Err(Malformed("bytes with their checksum"));
        }
        let mut input = Input(body);
        let mut intervals: BTreeMap<(u32, u32), Vec<_>> = BTreeMap::new();
        while !input.0.is_empty() {
            let number = |own: usize| u32::try_from(own).map_err(|_| Malformed("a column"));
            let (group, column) = (number(input.size()?)?, number(input.size()?)?);
            let interval = (input.signed()?, input.signed()?);
            intervals.entry((group, column)).or_default().push(interval);
        }
        Ok(Self { intervals, bytes: bytes.len() as u64 })
    }

    /// Writes the file of a block, durably; the old one stays if that fails.
    pub(super) fn write(&mut self, disk: &dyn Disk, path: &Path) -> Result<(), Error> {
        let mut body = Vec::new();
        for ((group, column), intervals) in &self.intervals {
            for (first, last) in intervals {
                put_varint(&mut body, u64::from(*group));
                put_varint(&mut body, u64::from(*column));
                put_signed(&mut body, *first);
                put_signed(&mut body, *last);
            }
        }
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        bytes.extend_from_slice(&crc32c(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        let new = layout::unfinished(path);
        // Left by an attempt that failed; if it is not there, so much the better.
        let _ = disk.remove(&new);
        let file = disk.create(&new).map_err(io_error("create", &new))?;
        file.append(&bytes).map_err(io_error("write", &new))?;
        file.sync().map_err(io_error("sync", &new))?;
        disk.rename(&new, path).map_err(io_error("rename", &new))?;
        let dir = path.parent().unwrap_or(path);
        disk.sync_dir(dir).map_err(io_error("sync", dir))?;
        self.bytes = bytes.len() as u64;
        Ok(())
    }
}
