//! Merging blocks: many short ones become few long ones, and what is deleted goes.
//!
//! The choice is [`plan`]'s. The new block says which ones it replaces, so that a crash between
//! its birth and their end leaves no doubt.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Db;
use super::merge::Merger;
use super::parts::{Part, Parts};
use crate::block::{Block, BlockWriter, Candidate, Origin, plan};
use crate::error::Error;
use crate::model::Labels;

impl Db {
    /// Merges some blocks if there are enough of them; whether it did.
    pub fn compact_if_due(&self) -> Result<bool, Error> {
        let _one = self.changing();
        let parts = self.parts();
        let candidate = |part: &Part| {
            let facts = part.block.facts();
            Candidate {
                span: facts.span,
                bytes: part.block.bytes_len(),
                level: facts.origin.level,
                precedence: facts.origin.precedence,
            }
        };
        let candidates: Vec<_> = parts.list.iter().map(candidate).collect();
        let Some(chosen) = plan(&candidates, &self.limits) else { return Ok(false) };
        let is_chosen = |(at, part): (usize, &Part)| chosen.contains(&at).then(|| part.clone());
        let sources: Vec<_> = parts.list.iter().enumerate().filter_map(is_chosen).collect();
        self.replace(&sources)?;
        Ok(true)
    }

    /// Merges all blocks with deletions with themselves, so that what is deleted takes no room.
    pub fn clean_deleted(&self) -> Result<usize, Error> {
        let _one = self.changing();
        let parts = self.parts();
        let cut: Vec<_> = parts.list.iter().filter(|part| !part.deleted.is_empty()).collect();
        for part in &cut {
            self.replace(&[(*part).clone()])?;
        }
        Ok(cut.len())
    }

    /// Writes one block in the place of others, which are given in order of precedence. `changing`
    /// is held.
    fn replace(&self, sources: &[Part]) -> Result<(), Error> {
        let number = self.next_block();
        let mut writer = BlockWriter::create(&*self.disk, &self.blocks_dir, number)?;
        for ((_, target), groups) in groups(sources)? {
            let merger = Merger::new(target, &groups)?;
            if !merger.is_empty() {
                merger.write(&mut writer)?;
            }
        }
        let facts = || sources.iter().map(|part| part.block.facts());
        let numbers: Vec<_> = facts().map(|facts| facts.number).collect();
        let level = facts().map(|facts| facts.origin.level).max().unwrap_or(0);
        let written = writer.finish(Origin {
            log_start: facts().map(|facts| facts.origin.log_start).max().unwrap_or(0),
            sources: numbers.clone(),
            precedence: facts().map(|facts| facts.origin.precedence).min().unwrap_or(number),
            level: if sources.len() > 1 { level.saturating_add(1) } else { level },
        })?;
        self.note_block(number);
        let block = Arc::new(Block::open(&*self.disk, &written.path)?);
        let part = Part { block, deleted: Arc::default() };
        {
            let _head = self.head_mut();
            let parts = self.parts().replaced(&numbers, Some(part));
            self.publish(Parts { ..parts });
        }
        self.remove_files(&numbers)
    }
}

/// The groups of blocks by target; a loose series by its labels, behind all groups of rows: of two
/// samples of one time the one in a row was there first (a later row would have been refused), and
/// the first group of a block counts.
type Groups<'a> = BTreeMap<(Option<Labels>, Labels), Vec<(&'a Part, u32)>>;

fn groups(sources: &[Part]) -> Result<Groups<'_>, Error> {
    let mut groups = Groups::new();
    for part in sources {
        for group in 0..part.block.groups() {
            let view = part.block.view()?;
            if view.columns(group)? == 0 {
                continue;
            }
            let target = view.target(group)?;
            let labels = if target.is_empty() { Some(view.labels(group, 0)?) } else { None };
            groups.entry((labels, target)).or_default().push((part, group));
        }
    }
    Ok(groups)
}
