//! What the head has to know of the blocks when a store opens.
//!
//! The log brings back the newest rows of each group, not the newest samples of each series: a
//! loose sample, or one in another group, may be newer and in a block already. A series that the
//! head knows nothing of is looked up when its first sample comes; one that it knows a little of
//! would not be, so it is looked up here, in the blocks that are newer than the oldest of them.

use hashbrown::HashMap;

use super::Db;
use super::parts::Part;
use crate::block::NO_TIME;
use crate::commit::SeriesId;
use crate::error::Error;
use crate::head::Head;

impl Db {
    /// Tells the head, after replay, of newer samples in blocks.
    pub(super) fn learn_newest(&self) {
        let known = Known::of(&self.head());
        let parts = self.parts();
        // A block that cannot be read now says so when it is asked for its samples.
        let found = parts.list.iter().filter_map(|part| known.newer_in(part, &self.head()).ok());
        let found: Vec<_> = found.flatten().collect();
        self.head_mut().learn(&found);
    }
}

/// The head's series that have samples.
struct Known {
    by_hash: HashMap<u64, Vec<SeriesId>>,
    /// The oldest of their newest times.
    oldest: i64,
}

impl Known {
    fn of(head: &Head) -> Self {
        let mut known = Self { by_hash: HashMap::new(), oldest: i64::MAX };
        for id in head.postings().all().iter().map(SeriesId) {
            let (Some(series), Some(newest)) = (head.series(id), head.newest(id)) else { continue };
            known.by_hash.entry(series.labels.pairs_hash()).or_default().push(id);
            known.oldest = known.oldest.min(newest);
        }
        known
    }

    /// Those of which a block has a newer sample, and when that was taken.
    fn newer_in(&self, part: &Part, head: &Head) -> Result<Vec<(SeriesId, Option<i64>)>, Error> {
        let mut found = Vec::new();
        if part.block.facts().span.1 <= self.oldest {
            return Ok(found);
        }
        let view = part.block.view()?;
        for group in 0..part.block.groups() {
            if view.group_span(group)?.1 <= self.oldest {
                continue;
            }
            for column in 0..view.columns(group)? {
                let span = view.span(group, column)?;
                if span == NO_TIME || span.1 <= self.oldest {
                    continue;
                }
                let same = self.by_hash.get(&view.pairs_hash(group, column)?);
                for id in same.into_iter().flatten().filter(|id| head.newest(**id) < Some(span.1)) {
                    let Some(series) = head.series(*id) else { continue };
                    if view.has_labels(group, column, &series.labels)? {
                        found.push((*id, Some(span.1)));
                    }
                }
            }
        }
        Ok(found)
    }
}
