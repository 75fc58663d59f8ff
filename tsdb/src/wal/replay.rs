//! Reading a segment back, frame by frame.
//!
//! The first damage ends the segment: what follows cannot be understood without what was lost. A
//! frame that the end of the file cuts off (or zeros, if the length reached the disk before the
//! bytes) is what a crash leaves, and no damage. One frame is in memory at a time.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crc32c::crc32c;

use super::decoder::Decoder;
use crate::codec::Malformed;
use crate::codec::frame::{
    FRAME_HEAD_BYTES, FrameHead, SEGMENT_HEAD_BYTES, check_segment_head, read_frame_head,
};
use crate::codec::pack::Unpacker;
use crate::disk::{Disk, File};

/// Bytes that are read ahead.
const READ_BYTES: usize = 1 << 20;

/// How the reading of a segment ended.
pub(crate) struct Replayed {
    /// Length of the file.
    pub(crate) len: u64,
    /// Commits that were read.
    pub(crate) commits: u64,
    /// Time of the newest row or sample.
    pub(crate) newest: Option<i64>,
    /// Cells and samples that the store did not take again.
    pub(crate) rejected: u64,
    /// Where and why reading stopped before the end.
    pub(crate) stop: Option<Stop>,
}

/// Why a segment was not read to its end.
pub(crate) struct Stop {
    pub(crate) offset: u64,
    pub(crate) reason: String,
    /// Whether it is only the last write that was cut off.
    pub(crate) is_torn: bool,
}

enum Failure {
    Torn,
    Damaged(Malformed),
    Unreadable(io::Error),
}

impl From<Malformed> for Failure {
    fn from(malformed: Malformed) -> Self {
        Self::Damaged(malformed)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// What takes a commit's bytes and reads them with the decoder.
pub(crate) type Apply<'a> = dyn FnMut(&mut Decoder, &[u8]) -> Result<(), Malformed> + 'a;

/// Reads segment `number` and hands each commit to `apply`.
pub(crate) fn replay(disk: &dyn Disk, path: &Path, number: u64, apply: &mut Apply<'_>) -> Replayed {
    let (mut decoder, mut unpacker) = (Decoder::default(), Unpacker::default());
    let (mut len, mut commits, mut offset) = (0, 0, 0);
    let mut read_all = || {
        let mut source = Source::open(disk, path)?;
        len = source.len;
        if len == 0 {
            return Ok(());
        }
        read_segment_head(&mut source, number)?;
        offset = source.offset;
        while source.offset < source.len {
            let payload = read_frame(&mut source, number)?;
            apply(&mut decoder, unpacker.unpack(&payload)?)?;
            commits += 1;
            offset = source.offset;
        }
        Ok(())
    };
    let stop = read_all().err().map(|failure| stop(offset, failure));
    Replayed { len, commits, newest: decoder.newest, rejected: decoder.rejected, stop }
}

fn stop(offset: u64, failure: Failure) -> Stop {
    let (reason, is_torn) = match failure {
        Failure::Torn => ("the last write was cut off".to_owned(), true),
        Failure::Damaged(expected) => (format!("expected {expected}"), false),
        Failure::Unreadable(error) => (format!("cannot be read: {error}"), false),
    };
    Stop { offset, reason, is_torn }
}

fn read_segment_head(source: &mut Source, number: u64) -> Result<(), Failure> {
    if source.len < SEGMENT_HEAD_BYTES as u64 || source.is_zero_from(0)? {
        return Err(Failure::Torn);
    }
    Ok(check_segment_head(&source.take(SEGMENT_HEAD_BYTES)?, number)?)
}

fn read_frame(source: &mut Source, number: u64) -> Result<Vec<u8>, Failure> {
    let start = source.offset;
    if source.len - start < FRAME_HEAD_BYTES as u64 {
        return Err(Failure::Torn);
    }
    let mut head = [0; FRAME_HEAD_BYTES];
    head.copy_from_slice(&source.take(FRAME_HEAD_BYTES)?);
    let FrameHead { length, crc } = match read_frame_head(number, start, &head) {
        Ok(head) => head,
        Err(_) if source.is_zero_from(start)? => return Err(Failure::Torn),
        Err(malformed) => return Err(malformed.into()),
    };
    if source.len - source.offset < length as u64 {
        return Err(Failure::Torn);
    }
    let payload = source.take(length)?;
    if crc32c(&payload) != crc {
        return Err(Malformed("a frame's bytes with their checksum").into());
    }
    Ok(payload)
}

/// A file that is read from front to back.
struct Source {
    file: Arc<dyn File>,
    len: u64,
    /// How much was taken.
    offset: u64,
    buffer: Vec<u8>,
    /// How much of `buffer` was taken.
    taken: usize,
}

impl Source {
    fn open(disk: &dyn Disk, path: &Path) -> io::Result<Self> {
        let file = disk.open(path)?;
        let len = file.len()?;
        Ok(Self { file, len, offset: 0, buffer: Vec::new(), taken: 0 })
    }

    /// The next `count` bytes; the caller knows that the file has them.
    fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        if self.buffer.len() - self.taken < count {
            self.buffer.drain(..self.taken);
            self.taken = 0;
            let have = self.buffer.len();
            let ahead = (self.len - self.offset).min(READ_BYTES as u64) as usize;
            self.buffer.resize(count.max(ahead), 0);
            let (_, room) = self.buffer.split_at_mut(have);
            let read = self.file.read_at(self.offset + have as u64, room)?;
            self.buffer.truncate(have + read);
        }
        let end = self.taken + count;
        let bytes = self.buffer.get(self.taken..end).map(<[u8]>::to_vec);
        self.taken = end.min(self.buffer.len());
        self.offset += count as u64;
        bytes.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Whether the file holds nothing but zeros from `offset` on.
    fn is_zero_from(&self, mut offset: u64) -> io::Result<bool> {
        let mut buffer = vec![0; READ_BYTES.min((self.len - offset) as usize)];
        while offset < self.len {
            let read = self.file.read_at(offset, &mut buffer)?;
            if read == 0 || buffer.iter().take(read).any(|byte| *byte != 0) {
                return Ok(read == 0);
            }
            offset += read as u64;
        }
        Ok(true)
    }
}
