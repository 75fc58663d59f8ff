//! What is sent: the JSON of Alertmanager's webhook (version 4), and that of Slack's.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tsdb::model::labels::Quoted;
use tsdb::model::{Labels, Timestamp};

use super::super::alert::Alert;
use super::group::Message;
use crate::config::ReceiverKind;
use crate::rules::file::Texts;

/// Go's zero time.
const NEVER: &str = "0001-01-01T00:00:00Z";
/// Alerts that a message for people shows.
const ALERTS_SHOWN: usize = 20;

/// The body of a message for the receiver of that name.
pub(super) fn body(
    message: &Message,
    kind: ReceiverKind,
    receiver: &str,
    external_url: &str,
) -> String {
    let value = match kind {
        ReceiverKind::Webhook => webhook(message, receiver, external_url),
        ReceiverKind::Slack => slack(message),
    };
    value.to_string()
}

impl Message {
    fn all(&self) -> impl Iterator<Item = &Alert> {
        self.firing.iter().chain(&self.resolved)
    }

    fn status(&self) -> &'static str {
        if self.firing.is_empty() { "resolved" } else { "firing" }
    }

    /// Labels that all alerts have, with the same values.
    fn common_labels(&self) -> BTreeMap<String, String> {
        let labels = |alert: &Alert| -> BTreeMap<String, String> {
            alert.labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
        };
        common(self.all().map(labels))
    }
}

fn common(mut all: impl Iterator<Item = Texts>) -> Texts {
    let mut shared = all.next().unwrap_or_default();
    for other in all {
        shared.retain(|name, value| other.get(name) == Some(value));
    }
    shared
}

/// Each alert with whether it fires, in order of their labels, as Alertmanager has them.
fn sorted(message: &Message) -> Vec<(&Alert, bool)> {
    let firing = message.firing.iter().map(|alert| (alert, true));
    firing.chain(message.resolved.iter().map(|alert| (alert, false))).collect()
}

fn webhook(message: &Message, receiver: &str, external_url: &str) -> Value {
    let alerts = sorted(message).into_iter().map(|(alert, fires)| {
        json!({
            "status": if fires { "firing" } else { "resolved" },
            "labels": object(&alert.labels),
            "annotations": alert.annotations,
            "startsAt": rfc3339(alert.starts_at),
            "endsAt": if fires { NEVER.to_owned() } else { rfc3339(alert.ends_at) },
            "generatorURL": alert.generator_url,
            "fingerprint": format!("{:016x}", fingerprint(&alert.labels)),
        })
    });
    json!({
        "receiver": receiver,
        "status": message.status(),
        "alerts": alerts.collect::<Vec<_>>(),
        "groupLabels": object(&message.group),
        "commonLabels": message.common_labels(),
        "commonAnnotations": common(message.all().map(|alert| alert.annotations.clone())),
        "externalURL": external_url,
        "version": "4",
        "groupKey": group_key(&message.group),
        "truncatedAlerts": 0,
    })
}

fn slack(message: &Message) -> Value {
    let group: Vec<String> =
        message.group.iter().map(|(name, value)| format!("{name}={}", Quoted(value))).collect();
    let counts = [("FIRING", message.firing.len()), ("RESOLVED", message.resolved.len())];
    let counts = counts.into_iter().filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts.map(|(word, count)| format!("{word}:{count}")).collect();
    let text = format!("[{}] {}", counts.join(", "), group.join(" "));
    let alerts = sorted(message);
    let more = alerts.len().saturating_sub(ALERTS_SHOWN);
    let shown = alerts.iter().take(ALERTS_SHOWN);
    let mut attachments: Vec<Value> =
        shown.map(|(alert, fires)| attachment(alert, *fires)).collect();
    if more > 0 {
        attachments.push(json!({"text": format!("and {more} more"), "fallback": "more"}));
    }
    json!({"text": escaped(&text), "attachments": attachments})
}

fn attachment(alert: &Alert, fires: bool) -> Value {
    let name = alert.labels.get("alertname").unwrap_or("alert");
    let labels = alert.labels.iter().filter(|(name, _)| *name != "alertname");
    let labels: Vec<String> = labels.map(|(n, v)| format!("{n}={}", Quoted(v))).collect();
    let texts = alert
        .annotations
        .iter()
        .map(|(name, text)| format!("*{}*: {}", escaped(name), escaped(text)));
    let lines: Vec<String> = texts.chain([escaped(&labels.join(" "))]).collect();
    json!({
        "color": if fires { "danger" } else { "good" },
        "title": escaped(name),
        "title_link": alert.generator_url,
        "fallback": escaped(&format!("{name}: {}", labels.join(" "))),
        "text": lines.join("\n"),
        "mrkdwn_in": ["text"],
    })
}

/// What Slack gives a meaning.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn object(labels: &Labels) -> BTreeMap<&str, &str> {
    labels.iter().collect()
}

/// As Alertmanager names a group of its only route.
fn group_key(group: &Labels) -> String {
    let pairs = group.iter().map(|(name, value)| format!("{name}={}", Quoted(value)));
    format!("{{}}:{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

/// FNV-1a of 64 bits, over names and values with 0xff behind each: Prometheus's.
fn fingerprint(labels: &Labels) -> u64 {
    let texts = labels.iter().flat_map(|(name, value)| [name, value]);
    let bytes = texts.flat_map(|text| text.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn rfc3339(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(time.ms());
    time.map_or_else(|_| NEVER.to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slack_messages() {
        let alert = |pod: &str| Alert {
            labels: Labels::from_pairs([("alertname", "A<"), ("pod", pod)]),
            annotations: [("summary".to_owned(), "a & b".to_owned())].into(),
            starts_at: Timestamp::from_ms(0),
            ends_at: Timestamp::from_ms(1),
            generator_url: "http://h/graph".to_owned(),
        };
        let pods: Vec<String> = (0..30).map(|n| format!("{n:02}")).collect();
        let message = Message {
            group: Labels::from_pairs([("alertname", "A<")]),
            firing: pods.iter().map(|pod| alert(pod)).collect(),
            resolved: vec![alert("x")],
        };
        let body: Value = body(&message, ReceiverKind::Slack, "r", "u").parse().unwrap();
        assert_eq!(body["text"], "[FIRING:30, RESOLVED:1] alertname=\"A&lt;\"");
        let attachments = body["attachments"].as_array().unwrap();
        assert_eq!(attachments.len(), ALERTS_SHOWN + 1);
        assert_eq!(
            attachments[0],
            json!({
                "color": "danger",
                "title": "A&lt;",
                "title_link": "http://h/graph",
                "fallback": "A&lt;: pod=\"00\"",
                "text": "*summary*: a &amp; b\npod=\"00\"",
                "mrkdwn_in": ["text"],
            })
        );
        assert_eq!(attachments[ALERTS_SHOWN]["text"], "and 11 more");
    }
}
