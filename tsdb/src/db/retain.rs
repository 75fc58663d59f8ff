//! Dropping what is old, by time or because there is too much.

use super::Db;
use super::parts::{Part, Parts};
use crate::error::{Error, io_error};
use crate::layout;
use crate::model::Timestamp;

impl Db {
    /// Hides all samples older than `timestamp`, refuses new ones, frees the memory of rows that
    /// are wholly older (by windows of 256 rows), and removes the blocks and log segments that hold
    /// nothing newer.
    pub fn drop_before(&self, timestamp: Timestamp) -> Result<(), Error> {
        let _one = self.changing();
        {
            let mut log = self.log();
            self.head_mut().drop_before(timestamp.ms());
            log.drop_before(timestamp.ms())?;
        }
        let parts = self.parts();
        let is_old = |number: &u64| {
            let mut parts = parts.list.iter().map(|part| part.block.facts());
            parts.any(|facts| facts.number == *number && facts.span.1 < timestamp.ms())
        };
        let numbers: Vec<_> = parts.list.iter().map(|part| part.block.facts().number).collect();
        self.remove(&numbers.into_iter().filter(is_old).collect::<Vec<_>>())
    }

    /// Removes the oldest blocks until everything on disk takes at most `bytes`; how many those
    /// were. What no block has yet stays: a flush makes it one.
    pub fn drop_beyond(&self, bytes: u64) -> Result<usize, Error> {
        let _one = self.changing();
        let (_, log_bytes) = self.log().size();
        let parts = self.parts();
        let mut total = log_bytes + parts.bytes();
        let mut oldest: Vec<_> = parts.list.iter().collect();
        oldest.sort_by_key(|part| part.block.facts().span.1);
        let mut numbers = Vec::new();
        for part in oldest {
            if total <= bytes {
                break;
            }
            total -= part.block.bytes_len() + part.deleted.bytes_len();
            numbers.push(part.block.facts().number);
        }
        self.remove(&numbers)?;
        Ok(numbers.len())
    }

    /// Takes blocks out of the list, then their files off the disk. `changing` is held.
    pub(super) fn remove(&self, numbers: &[u64]) -> Result<(), Error> {
        if numbers.is_empty() {
            return Ok(());
        }
        {
            let mut head = self.head_mut();
            let facts = |part: &Part| part.block.facts().number;
            let parts = self.parts();
            let removed = parts.list.iter().filter(|part| numbers.contains(&facts(part)));
            let newest = removed.map(|part| part.block.facts().span.1).max();
            head.note_dropped_up_to(newest.unwrap_or(i64::MIN));
            let parts = parts.replaced(numbers, None);
            self.publish(Parts { ..parts });
        }
        self.remove_files(numbers)
    }

    /// Removes the files of blocks that are in no list any more.
    pub(super) fn remove_files(&self, numbers: &[u64]) -> Result<(), Error> {
        for number in numbers {
            let block = layout::block(&self.blocks_dir, *number);
            self.disk.remove(&block).map_err(io_error("remove", &block))?;
            let deleted = layout::deleted(&self.blocks_dir, *number);
            match self.disk.remove(&deleted) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(io_error("remove", &deleted)(error));
                }
                _ => {}
            }
        }
        self.disk.sync_dir(&self.blocks_dir).map_err(io_error("sync", &self.blocks_dir))
    }
}
