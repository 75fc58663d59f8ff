//! Dropping what is old.
//!
//! Memory is freed by whole windows; the floor hides the older rows of a window that stays. A
//! series without samples leaves the index, and is forgotten after the next flushes
//! ([`forget`](super::forget)).

use super::{Head, NO_SAMPLE};
use crate::commit::SeriesId;

impl Head {
    /// Hides everything older than `timestamp` and frees what is wholly older.
    pub(crate) fn drop_before(&mut self, timestamp: i64) {
        if timestamp <= self.floor {
            return;
        }
        self.floor = timestamp;
        self.note_dropped_up_to(timestamp.saturating_sub(1));
        for group in self.groups.iter_mut() {
            while let Some(samples) = group.windows.pop_before(timestamp) {
                self.samples -= samples as u64;
            }
        }
        let times = self.newest.iter().zip(&mut self.oldest);
        for ((id, series), (newest, oldest)) in (0..).zip(&mut self.series).zip(times) {
            if let Some(loose) = &mut series.loose {
                self.samples -= loose.drop_before(timestamp) as u64;
                if loose.is_empty() {
                    series.loose = None;
                    self.layout += 1;
                    self.loose.remove(&SeriesId(id));
                }
            }
            if *oldest != NO_SAMPLE && *newest < timestamp {
                *oldest = NO_SAMPLE;
                self.retired += 1;
                self.postings.remove(id, &series.labels);
                self.layout += 1;
            }
        }
        while self.exemplars.front().is_some_and(|(_, own)| own.timestamp.ms() < timestamp) {
            self.exemplars.pop_front();
        }
    }
}
