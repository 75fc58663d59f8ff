//! A copy of the store in another directory, by links to the same immutable files.

use std::path::Path;

use super::Db;
use crate::error::{Error, io_error};
use crate::layout;

impl Db {
    /// Makes `dir` a store that holds what this one holds now: the head goes to a block first
    /// (unless `skip_head`), then every block gets a second name there. Writing goes on meanwhile.
    ///
    /// `dir` is made, lies on the same file system, and is empty.
    pub fn snapshot(&self, dir: &Path, skip_head: bool) -> Result<usize, Error> {
        if !skip_head {
            self.flush_all()?;
        }
        let _one = self.changing();
        let blocks = layout::blocks(dir);
        for made in [dir, &blocks] {
            self.disk.create_dir(made).map_err(io_error("create", made))?;
        }
        let parts = self.parts();
        for part in &parts.list {
            let number = part.block.facts().number;
            let to = layout::block(&blocks, number);
            self.disk.hard_link(part.block.path(), &to).map_err(io_error("link", &to))?;
            if !part.deleted.is_empty() {
                let (from, to) =
                    (layout::deleted(&self.blocks_dir, number), layout::deleted(&blocks, number));
                self.disk.hard_link(&from, &to).map_err(io_error("link", &to))?;
            }
        }
        for synced in [&blocks, dir] {
            self.disk.sync_dir(synced).map_err(io_error("sync", synced))?;
        }
        Ok(parts.list.len())
    }
}
