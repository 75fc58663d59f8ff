//! Deleting series, or a time range of them.
//!
//! Everything in memory goes to a block first. Then each block gets the list of what is deleted in
//! it, durably, and the new lists are put in place of the old ones all at once. What is written
//! later is not touched by it, and there is nothing in the log that could bring it back.

use std::sync::Arc;

use super::Db;
use super::parts::{Part, Parts};
use crate::error::Error;
use crate::layout;
use crate::model::{Matcher, TimeRange};

impl Db {
    /// Deletes the samples in the range of the series that satisfy all matchers; how many series of
    /// blocks were touched.
    pub fn delete(&self, range: TimeRange, matchers: &[Matcher]) -> Result<usize, Error> {
        self.flush_all()?;
        let _one = self.changing();
        let parts = self.parts();
        let (start, end) = (range.start.ms(), range.end.ms());
        let mut list = parts.list.clone();
        let mut touched = 0;
        for part in &mut list {
            let found = part.block.resolve((start, end), matchers)?;
            if found.is_empty() {
                continue;
            }
            let mut deleted = (*part.deleted).clone();
            for (group, column) in &found {
                let (first, last) = part.block.view()?.span(*group, *column)?;
                deleted.add(*group, *column, (start.max(first), end.min(last)));
            }
            let path = layout::deleted(&self.blocks_dir, part.block.facts().number);
            deleted.write(&*self.disk, &path)?;
            touched += found.len();
            *part = Part { deleted: Arc::new(deleted), ..part.clone() };
        }
        let mut head = self.head_mut();
        head.note_deleted_from(start);
        self.publish(Parts { list, flush: self.parts().flush });
        Ok(touched)
    }
}
