//! What tools want to know of the files of a store: each block's facts, each block's check.

use std::path::PathBuf;

use super::Db;
use super::parts::Part;
use crate::error::{Error, io_error};
use crate::layout;
use crate::model::Timestamp;

/// What a block says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockFacts {
    /// Its number.
    pub number: u64,
    /// Its file.
    pub path: PathBuf,
    /// How many times it was merged.
    pub level: u8,
    /// Time of the oldest sample.
    pub oldest: Timestamp,
    /// Time of the newest sample.
    pub newest: Timestamp,
    /// Samples, deleted ones among them.
    pub samples: u64,
    /// Series that have samples in it; one whose samples came in several ways counts for each.
    pub series: u64,
    /// Bytes of the file and of the list of what is deleted in it.
    pub bytes: u64,
}

impl Db {
    /// The blocks, in order of their numbers.
    pub fn blocks(&self) -> Vec<BlockFacts> {
        let mut blocks: Vec<_> = self.parts().list.iter().map(facts).collect();
        blocks.sort_by_key(|block| block.number);
        blocks
    }

    /// Reads block `number` to its end and checks it; fine if there is none.
    pub fn verify_block(&self, number: u64) -> Result<(), Error> {
        let parts = self.parts();
        let mut list = parts.list.iter();
        let found = list.find(|part| part.block.facts().number == number);
        found.map_or(Ok(()), |part| part.block.verify())
    }

    /// The blocks that were set aside because they were damaged when the store was opened, now or
    /// earlier, and which nobody reads.
    pub fn set_aside(&self) -> Result<Vec<PathBuf>, Error> {
        let dir = &self.blocks_dir;
        let mut names = self.disk.list(dir).map_err(io_error("list", dir))?;
        names.retain(|name| layout::damaged_number(name).is_some());
        names.sort_unstable();
        Ok(names.iter().map(|name| dir.join(name)).collect())
    }
}

fn facts(part: &Part) -> BlockFacts {
    let facts = part.block.facts();
    BlockFacts {
        number: facts.number,
        path: part.block.path().to_owned(),
        level: facts.origin.level,
        oldest: Timestamp::from_ms(facts.span.0),
        newest: Timestamp::from_ms(facts.span.1),
        samples: facts.samples,
        series: facts.series,
        bytes: part.block.bytes_len() + part.deleted.bytes_len(),
    }
}
