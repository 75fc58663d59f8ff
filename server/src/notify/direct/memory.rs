//! What the built-in sender remembers over a restart: for each receiver its groups, what it was told
//! of them and when, and the messages that did not arrive yet.
//!
//! It is kept in one file of the store's directory, written soon after each change, a second apart at
//! least, and at the end. A file that cannot be read is put aside, and said: then all that fires is
//! told anew.
//!
//! Who fired when the file was written counts as firing for a while after the start (the grace of
//! [`Memory::open`]), in which its rule may tell it again; then it counts as over, and that is told.
//! Without this, everything would be over after a long pause.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use tracing::{error, info, warn};
use tsdb::model::{Labels, Timestamp};

use super::super::alert::Alert;
use super::file::JsonFile;
use super::group::{Group, Message, Told};
use crate::rules::file::Texts;

/// The file in the store's directory.
const FILE: &str = "notified.json";

/// What is remembered of all receivers, by name.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    /// When it was written, in milliseconds.
    written_at: i64,
    receivers: BTreeMap<String, KeptReceiver>,
}

/// What is remembered of one receiver.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct KeptReceiver {
    /// The labels in which the alerts of a group are alike.
    pub(super) by: Vec<String>,
    groups: Vec<KeptGroup>,
    /// The oldest first.
    waiting: Vec<KeptMessage>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptGroup {
    labels: Texts,
    due: i64,
    /// When it was told last, and which alerts fired then.
    told: Option<(i64, Vec<Texts>)>,
    alerts: Vec<KeptAlert>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptMessage {
    group: Texts,
    firing: Vec<KeptAlert>,
    resolved: Vec<KeptAlert>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptAlert {
    labels: Texts,
    annotations: Texts,
    starts_at: i64,
    ends_at: i64,
    generator_url: String,
}

/// The file.
#[derive(Debug)]
pub(super) struct Memory {
    file: JsonFile,
    fails: AtomicBool,
}

impl Memory {
    /// That of the store in `directory`, and what is in it at `now`. Who fired then counts as firing
    /// for `grace_ms` more.
    pub(super) fn open(directory: &Path, grace_ms: i64, now: Timestamp) -> (Self, Kept) {
        let file = JsonFile::new(directory, FILE);
        let kept = file.read().unwrap_or_else(|error| {
            let path = file.path().display();
            match file.put_aside() {
                Ok(aside) => warn!(
                    "{path}: {error}; the file was put aside as {}, all that fires is told anew",
                    aside.display()
                ),
                Err(why) => error!("{path}: {error}; it cannot be put aside: {why}"),
            }
            None
        });
        let mut kept: Kept = kept.unwrap_or_default();
        let written_at = kept.written_at;
        let groups = kept.receivers.values_mut().flat_map(|own| &mut own.groups);
        for alert in groups.flat_map(|group| &mut group.alerts) {
            if alert.ends_at > written_at {
                alert.ends_at = alert.ends_at.max(now.ms()).saturating_add(grace_ms);
            }
        }
        (Self { file, fails: AtomicBool::new(false) }, kept)
    }

    /// Writes what is to be remembered; a failure is said when it begins and when it is over.
    pub(super) fn write(&self, kept: &Kept) {
        let written = self.file.write(kept);
        match (&written, self.fails.swap(written.is_err(), Ordering::Relaxed)) {
            (Err(error), false) => {
                error!("{}: what was told cannot be kept: {error}", self.file.path().display());
            }
            (Ok(()), true) => info!("what was told is kept again"),
            _ => {}
        }
    }
}

impl Kept {
    /// What is to be remembered at `now`.
    pub(super) fn new(
        now: Timestamp,
        receivers: impl Iterator<Item = (String, KeptReceiver)>,
    ) -> Self {
        Self { written_at: now.ms(), receivers: receivers.collect() }
    }

    /// Takes what is remembered of a receiver whose groups are alike in these labels.
    pub(super) fn take(&mut self, receiver: &str, by: &[String]) -> Option<KeptReceiver> {
        self.receivers.remove(receiver).filter(|own| own.by == by)
    }
}

impl KeptReceiver {
    /// What is to be remembered.
    pub(super) fn new<'a>(
        by: &[String],
        groups: impl Iterator<Item = (&'a Labels, &'a Group)>,
        waiting: impl Iterator<Item = &'a Message>,
    ) -> Self {
        let groups = groups.map(|(labels, own)| KeptGroup {
            labels: texts(labels),
            due: own.due.ms(),
            told: own
                .told
                .as_ref()
                .map(|told| (told.at.ms(), told.firing.iter().map(texts).collect())),
            alerts: own.alerts.values().map(KeptAlert::new).collect(),
        });
        let waiting = waiting.map(|own| KeptMessage {
            group: texts(&own.group),
            firing: own.firing.iter().map(KeptAlert::new).collect(),
            resolved: own.resolved.iter().map(KeptAlert::new).collect(),
        });
        Self { by: by.to_owned(), groups: groups.collect(), waiting: waiting.collect() }
    }

    /// The groups, and the messages that wait.
    pub(super) fn restored(self) -> (Vec<(Labels, Group)>, Vec<Message>) {
        let groups = self.groups.into_iter().map(|own| {
            let told = own.told.map(|(at, firing)| Told {
                at: Timestamp::from_ms(at),
                firing: firing.iter().map(labels).collect(),
            });
            let alerts = own.alerts.into_iter().map(KeptAlert::restored);
            let alerts = alerts.map(|own| (own.labels.clone(), own)).collect();
            (labels(&own.labels), Group { alerts, due: Timestamp::from_ms(own.due), told })
        });
        let all = |alerts: Vec<KeptAlert>| alerts.into_iter().map(KeptAlert::restored).collect();
        let waiting = self.waiting.into_iter().map(|own| Message {
            group: labels(&own.group),
            firing: all(own.firing),
            resolved: all(own.resolved),
        });
        (groups.collect(), waiting.collect())
    }
}

impl KeptAlert {
    fn new(alert: &Alert) -> Self {
        Self {
            labels: texts(&alert.labels),
            annotations: alert.annotations.clone(),
            starts_at: alert.starts_at.ms(),
            ends_at: alert.ends_at.ms(),
            generator_url: alert.generator_url.clone(),
        }
    }

    fn restored(self) -> Alert {
        Alert {
            labels: labels(&self.labels),
            annotations: self.annotations,
            starts_at: Timestamp::from_ms(self.starts_at),
            ends_at: Timestamp::from_ms(self.ends_at),
            generator_url: self.generator_url,
        }
    }
}

fn texts(labels: &Labels) -> Texts {
    labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn labels(texts: &Texts) -> Labels {
    Labels::from_pairs(texts.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

#[cfg(test)]
mod tests {
    use super::super::group::{Groups, Timing};
    use super::*;

    const AT: fn(i64) -> Timestamp = Timestamp::from_ms;

    fn alert(pod: &str, ends_at: i64) -> Alert {
        Alert {
            labels: Labels::from_pairs([("alertname", "A"), ("pod", pod)]),
            annotations: Texts::from([("summary".to_owned(), "<b>".to_owned())]),
            starts_at: AT(5),
            ends_at: AT(ends_at),
            generator_url: "/graph".to_owned(),
        }
    }

    fn timing() -> Timing {
        let by = vec!["alertname".to_owned()];
        Timing { by, wait_ms: 0, interval_ms: 100, repeat_ms: 10_000, sends_resolved: true }
    }

    fn pods(alerts: &[Alert]) -> String {
        alerts.iter().filter_map(|own| own.labels.get("pod")).collect()
    }

    #[test]
    fn what_was_told_is_not_told_again_and_what_ended_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let (memory, kept) = Memory::open(folder.path(), 500, AT(0));
        assert!(kept.receivers.is_empty());
        let mut groups = Groups::new(timing());
        for (pod, ends_at) in [("a", 1_000), ("b", 1_000), ("c", 40)] {
            assert!(groups.add(alert(pod, ends_at), AT(10)));
        }
        let told = groups.take(AT(20), &|_| false);
        assert_eq!(pods(&told[0].firing), "abc");
        let kept = KeptReceiver::new(&timing().by, groups.iter(), told.iter());
        memory.write(&Kept::new(AT(50), [("r".to_owned(), kept)].into_iter()));

        // A long time later.
        let (_, mut kept) = Memory::open(folder.path(), 500, AT(9_000));
        assert!(kept.take("r", &["pod".to_owned()]).is_none(), "groups of another kind");
        let (_, mut kept) = Memory::open(folder.path(), 500, AT(9_000));
        let kept = kept.take("r", &timing().by).unwrap();
        let (restored, waiting) = kept.restored();
        assert_eq!(waiting, told);
        let mut groups = Groups::new(timing());
        groups.restore(restored);
        // Time, alerts that come, what is told then: who fires, and who does not any more.
        let rows = [
            // The one that had ended before is over, the others count as firing.
            (9_000, None, Some("ab c")),
            (9_200, Some(alert("a", 99_000)), None),
            (9_400, Some(alert("d", 99_000)), Some("abd ")),
            (9_500, None, Some("ad b")),
        ];
        for (at, comes, expected) in rows {
            if let Some(alert) = comes {
                assert!(groups.add(alert, AT(at)));
            }
            let told = groups.take(AT(at), &|_| false);
            let told: Vec<_> = told
                .iter()
                .map(|own| format!("{} {}", pods(&own.firing), pods(&own.resolved)))
                .collect();
            assert_eq!(told, expected.into_iter().collect::<Vec<_>>(), "{at}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["{", "[]", r#"{"written_at":1,"receivers":{"a":{"by":["x"],"groups":[{}]}}}"#]
        {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            let (memory, kept) = Memory::open(folder.path(), 0, AT(0));
            assert!(kept.receivers.is_empty());
            let aside = std::fs::read(folder.path().join("notified.json.damaged")).unwrap();
            assert_eq!(aside, text.as_bytes());
            memory.write(&Kept::default());
            assert!(folder.path().join(FILE).exists());
        }
    }
}
