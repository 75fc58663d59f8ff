//! What is told when: alerts that are alike in some labels are a group and told together. Pure.
//!
//! 1. A group is told `wait` after its first alert came, and looked at every `interval` from then.
//! 2. It is told again if an alert fires that was not told, if one that was told is over, or if
//!    something fires and the last time is `repeat` ago.
//! 3. Alerts that are over leave the group when that was looked at; an empty group is forgotten.
//!
//! These are Alertmanager's rules (0.33, `dispatch`, `notify`). What is silenced is as if it were
//! not there when a group is looked at.

use std::collections::{BTreeMap, BTreeSet};

use tsdb::model::{Labels, Timestamp};

use super::super::alert::Alert;

/// Alerts that one receiver's groups hold at most.
pub(super) const ALERTS_MAX: usize = 10_000;

/// When groups are told.
#[derive(Clone, Debug)]
pub(super) struct Timing {
    /// Labels in which the alerts of a group are alike.
    pub(super) by: Vec<String>,
    pub(super) wait_ms: i64,
    pub(super) interval_ms: i64,
    pub(super) repeat_ms: i64,
    /// Whether it is told that alerts are over.
    pub(super) sends_resolved: bool,
}

/// What is told of a group, at a time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    /// The labels in which the alerts are alike.
    pub(super) group: Labels,
    /// In order of their labels.
    pub(super) firing: Vec<Alert>,
    /// Those that are over.
    pub(super) resolved: Vec<Alert>,
}

/// All groups of a receiver.
#[derive(Debug)]
pub(super) struct Groups {
    timing: Timing,
    groups: BTreeMap<Labels, Group>,
    alerts: usize,
}

/// Alerts that are told together.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) alerts: BTreeMap<Labels, Alert>,
    /// When it is looked at next.
    pub(super) due: Timestamp,
    pub(super) told: Option<Told>,
}

/// What was told of a group last.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) at: Timestamp,
    /// The alerts that fired then.
    pub(super) firing: BTreeSet<Labels>,
}

impl Groups {
    /// No groups.
    pub(super) fn new(timing: Timing) -> Self {
        Self { timing, groups: BTreeMap::new(), alerts: 0 }
    }

    /// Takes an alert; `false` if there is no room for it.
    pub(super) fn add(&mut self, alert: Alert, now: Timestamp) -> bool {
        let by = self.timing.by.iter();
        let by = by.filter_map(|name| Some((name.as_str(), alert.labels.get(name)?)));
        let key = Labels::from_pairs(by);
        let known = self.groups.get_mut(&key);
        let is_new = known.as_ref().is_none_or(|own| !own.alerts.contains_key(&alert.labels));
        // One that is over and was never here is no news.
        if is_new && alert.ends_at <= now {
            return true;
        }
        if is_new && self.alerts >= ALERTS_MAX {
            return false;
        }
        self.alerts += usize::from(is_new);
        let due = now.plus_ms(self.timing.wait_ms);
        let new = || Group { alerts: BTreeMap::new(), due, told: None };
        let group = self.groups.entry(key).or_insert_with(new);
        group.alerts.insert(alert.labels.clone(), alert);
        true
    }

    /// Takes groups as they were before a restart, as far as there is room.
    pub(super) fn restore(&mut self, groups: Vec<(Labels, Group)>) {
        for (key, group) in groups {
            if self.alerts + group.alerts.len() <= ALERTS_MAX {
                self.alerts += group.alerts.len();
                self.groups.insert(key, group);
            }
        }
    }

    /// All groups, with the labels in which their alerts are alike.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Labels, &Group)> {
        self.groups.iter()
    }

    /// The labels in which the alerts of a group are alike.
    pub(super) fn by(&self) -> &[String] {
        &self.timing.by
    }

    /// When there is something to look at.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.groups.values().map(|group| group.due).min()
    }

    /// Looks at the groups whose time has come, and gives what is to be told.
    pub(super) fn take(
        &mut self,
        now: Timestamp,
        is_silenced: &dyn Fn(&Labels) -> bool,
    ) -> Vec<Message> {
        let mut messages = Vec::new();
        let timing = &self.timing;
        for (key, group) in self.groups.iter_mut().filter(|(_, group)| group.due <= now) {
            messages.extend(group.look(key, now, timing, is_silenced));
            group.due = now.plus_ms(timing.interval_ms);
        }
        self.groups.retain(|_, group| !group.alerts.is_empty());
        self.alerts = self.groups.values().map(|group| group.alerts.len()).sum();
        messages
    }
}

impl Group {
    fn look(
        &mut self,
        key: &Labels,
        now: Timestamp,
        timing: &Timing,
        is_silenced: &dyn Fn(&Labels) -> bool,
    ) -> Option<Message> {
        let heard = self.alerts.values().filter(|alert| !is_silenced(&alert.labels)).cloned();
        let (firing, resolved): (Vec<Alert>, Vec<Alert>) = heard.partition(|a| a.ends_at > now);
        self.alerts.retain(|_, alert| alert.ends_at > now);
        let names = |alerts: &[Alert]| alerts.iter().map(|own| own.labels.clone()).collect();
        let now_firing: BTreeSet<Labels> = names(&firing);
        let over: BTreeSet<Labels> = names(&resolved);
        let is_due = match &self.told {
            None => !firing.is_empty(),
            Some(told) => {
                let is_old = now.ms_since(told.at) >= timing.repeat_ms && !firing.is_empty();
                let is_over = timing.sends_resolved && !told.firing.is_disjoint(&over);
                is_old || is_over || !now_firing.is_subset(&told.firing)
            }
        };
        if !is_due {
            return None;
        }
        self.told = Some(Told { at: now, firing: now_firing });
        let resolved = if timing.sends_resolved { resolved } else { Vec::new() };
        Some(Message { group: key.clone(), firing, resolved })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(name: &str, pod: &str, ends_at: i64) -> Alert {
        Alert {
            labels: Labels::from_pairs([("alertname", name), ("pod", pod)]),
            annotations: BTreeMap::new(),
            starts_at: Timestamp::from_ms(0),
            ends_at: Timestamp::from_ms(ends_at),
            generator_url: String::new(),
        }
    }

    #[test]
    fn groups_are_told_when_something_is_new() {
        let timing = Timing {
            by: vec!["alertname".to_owned()],
            wait_ms: 10,
            interval_ms: 100,
            repeat_ms: 350,
            sends_resolved: true,
        };
        let mut groups = Groups::new(timing);
        const LONG: i64 = 1_000_000;
        // Time, alerts that come, what is told then.
        type Come = &'static [(&'static str, &'static str, i64)];
        let rows: [(i64, Come, &[&str]); 13] = [
            (0, &[("A", "1", LONG), ("B", "1", 50)], &[]),
            (9, &[("A", "2", LONG), ("C", "1", 5)], &[]),
            (10, &[], &["A 1+2 -", "B 1 -"]),
            (60, &[("A", "3", LONG)], &[]),
            (110, &[], &["A 1+2+3 -", "B - 1"]),
            (150, &[("A", "2", 150)], &[]),
            (210, &[], &["A 1+3 2"]),
            (310, &[], &[]),
            (410, &[("A", "s", LONG)], &[]),
            (560, &[], &["A 1+3 -"]),
            (600, &[("A", "1", 600), ("A", "3", 600), ("A", "s", 600)], &[]),
            (660, &[], &["A - 1+3"]),
            (760, &[], &[]),
        ];
        let is_silenced = |labels: &Labels| labels.get("pod") == Some("s");
        for (at, come, expected) in rows {
            let now = Timestamp::from_ms(at);
            for (name, pod, ends_at) in come {
                assert!(groups.add(alert(name, pod, *ends_at), now));
            }
            let pods = |alerts: &[Alert]| {
                let pods: Vec<&str> = alerts.iter().filter_map(|a| a.labels.get("pod")).collect();
                if pods.is_empty() { "-".to_owned() } else { pods.join("+") }
            };
            let told = groups.take(now, &is_silenced).into_iter().map(
                |Message { group, firing, resolved }| {
                    let name = group.get("alertname").unwrap_or_default();
                    format!("{name} {} {}", pods(&firing), pods(&resolved))
                },
            );
            assert_eq!(told.collect::<Vec<_>>(), expected, "{at}");
        }
        assert_eq!((groups.due(), groups.alerts), (None, 0));
    }
}
