//! What the operator should know now: shown by the page, and sent on as it changes.
//!
//! Texts are Prometheus's. A notification is there while what it says holds.

use tokio::sync::watch;
use tsdb::model::Timestamp;

/// The configuration file could not be loaded.
pub const RELOAD_FAILED: &str = "Configuration reload has failed.";

/// A sentence and since when it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// In words.
    pub text: String,
    /// Since when.
    pub since: Timestamp,
}

/// Those that hold, oldest first; `None` from the end of the server on.
pub struct Notifications(watch::Sender<Option<Vec<Notification>>>);

impl Default for Notifications {
    fn default() -> Self {
        Self(watch::Sender::new(Some(Vec::new())))
    }
}

impl Notifications {
    /// From now on `text` holds, or does not.
    pub fn set(&self, text: &str, holds: bool, now: Timestamp) {
        self.0.send_if_modified(|list| {
            let Some(list) = list else { return false };
            let is_there = list.iter().any(|own| own.text == text);
            if holds && !is_there {
                list.push(Notification { text: text.to_owned(), since: now });
            } else if !holds {
                list.retain(|own| own.text != text);
            }
            holds != is_there
        });
    }

    /// What holds now.
    pub fn list(&self) -> Vec<Notification> {
        self.0.borrow().clone().unwrap_or_default()
    }

    /// Tells of changes.
    pub fn follow(&self) -> watch::Receiver<Option<Vec<Notification>>> {
        self.0.subscribe()
    }

    /// Nothing will be told any more; who follows ends.
    pub fn end(&self) {
        self.0.send_replace(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_is_there_once() {
        let notifications = Notifications::default();
        let follower = notifications.follow();
        let texts = || notifications.list().into_iter().map(|own| own.text).collect::<Vec<_>>();
        // Text, whether it holds, what is there then, and whether followers are told.
        let rows = [
            ("a", true, vec!["a"], true),
            ("a", true, vec!["a"], false),
            ("b", true, vec!["a", "b"], true),
            ("a", false, vec!["b"], true),
            ("a", false, vec!["b"], false),
        ];
        let mut follower = follower;
        for (text, holds, expected, is_told) in rows {
            notifications.set(text, holds, Timestamp::from_ms(1));
            assert_eq!(texts(), expected, "{text} {holds}");
            assert_eq!(follower.has_changed().unwrap(), is_told, "{text} {holds}");
            follower.mark_unchanged();
        }
        notifications.end();
        notifications.set("c", true, Timestamp::from_ms(1));
        assert_eq!(*follower.borrow_and_update(), None);
    }
}
