//! A queue of alerts with a limit: when it is full, the oldest go.

use std::collections::VecDeque;
use std::sync::Arc;

/// Alerts as JSON, the oldest first.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: VecDeque<Arc<str>>,
    capacity: usize,
}

impl Queue {
    /// An empty queue.
    pub(super) fn new(capacity: usize) -> Self {
        Self { waiting: VecDeque::new(), capacity }
    }

    /// Adds alerts; how many were dropped for that.
    pub(super) fn add(&mut self, alerts: &[Arc<str>]) -> usize {
        self.waiting.extend(alerts.iter().cloned());
        let over = self.waiting.len().saturating_sub(self.capacity);
        self.waiting.drain(..over);
        over
    }

    /// Takes the oldest, at most `count`, and at least one if there is any.
    pub(super) fn take(&mut self, count: usize) -> Vec<Arc<str>> {
        let count = count.max(1).min(self.waiting.len());
        self.waiting.drain(..count).collect()
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go() {
        let alerts = |range: std::ops::Range<u32>| -> Vec<Arc<str>> {
            range.map(|n| n.to_string().into()).collect()
        };
        let mut queue = Queue::new(4);
        // What is added, how many are dropped, what is taken then, how many wait.
        let rows = [(0..3, 0, 0..1, 2), (3..6, 1, 2..4, 2), (6..16, 8, 12..14, 2)];
        for (added, dropped, taken, len) in rows {
            assert_eq!(queue.add(&alerts(added.clone())), dropped, "{added:?}");
            let count = taken.len();
            assert_eq!(queue.take(count), alerts(taken), "{added:?}");
            assert_eq!(queue.len(), len, "{added:?}");
        }
    }
}
