//! Messages that wait to be sent to one receiver: one for each group, the oldest first, so that no
//! more wait than there are groups; if that is too much, the oldest goes.

use std::sync::Arc;

use super::group::Message;

/// Messages that wait at most.
const MESSAGES_MAX: usize = 1_000;

/// What waits, each message with a number that no other has.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Vec<(u64, Arc<Message>)>,
    added: u64,
}

impl Outbox {
    /// Adds a message, which takes the place of one about the same group; how many had to go.
    pub(super) fn put(&mut self, message: Message) -> u64 {
        self.waiting.retain(|(_, own)| own.group != message.group);
        self.added += 1;
        self.waiting.push((self.added, Arc::new(message)));
        let over = self.waiting.len().saturating_sub(MESSAGES_MAX);
        self.waiting.drain(..over);
        over as u64
    }

    /// The oldest, with its number.
    pub(super) fn first(&self) -> Option<(u64, Arc<Message>)> {
        self.waiting.first().cloned()
    }

    /// Removes the message of that number, if it is still there.
    pub(super) fn remove(&mut self, number: u64) {
        self.waiting.retain(|(own, _)| *own != number);
    }

    /// All of them.
    pub(super) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.waiting.iter().map(|(_, message)| &**message)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use tsdb::model::Labels;

    use super::*;

    #[test]
    fn newer_word_takes_the_place_of_older_and_the_oldest_goes() {
        let message = |number: usize| Message {
            group: Labels::from_pairs([("g", number.to_string().as_str())]),
            firing: Vec::new(),
            resolved: Vec::new(),
        };
        let mut outbox = Outbox::default();
        for number in 0..MESSAGES_MAX {
            assert_eq!(outbox.put(message(number)), 0);
        }
        let (first, _) = outbox.first().unwrap();
        assert_eq!((outbox.put(message(0)), outbox.len()), (0, MESSAGES_MAX));
        assert_eq!(outbox.put(message(MESSAGES_MAX)), 1);
        // What has been replaced is not there to be removed; number 1 was the oldest then.
        outbox.remove(first);
        assert_eq!((outbox.len(), outbox.messages().next()), (MESSAGES_MAX, Some(&message(2))));
    }
}
