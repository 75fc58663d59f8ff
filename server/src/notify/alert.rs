//! An alert on its way, and the JSON that Alertmanager's v2 API takes: Prometheus's, to the byte.

use std::collections::BTreeMap;

use scraper::relabel::{self, Rule};
use serde::Serialize;
use tsdb::model::{Labels, Timestamp};

use crate::rules::file::Texts;
use crate::rules::notify::Notice;
use crate::rules::template::table_link;

/// An alert on its way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Alert {
    /// What it is, external labels included.
    pub(super) labels: Labels,
    /// Texts for people.
    pub(super) annotations: Texts,
    /// Since when it fires.
    pub(super) starts_at: Timestamp,
    /// When it ended, or counts as ended if nothing more is heard.
    pub(super) ends_at: Timestamp,
    /// A page that shows the rule's expression.
    pub(super) generator_url: String,
}

impl Alert {
    /// The notice with `external` labels where it has none of that name.
    pub(super) fn new(notice: Notice, external: &Labels, external_url: &str) -> Self {
        let mut labels = notice.labels.to_builder();
        for (name, value) in external.iter() {
            if notice.labels.get(name).is_none() {
                labels.set(name, value);
            }
        }
        Self {
            labels: labels.build(),
            annotations: notice.annotations,
            starts_at: notice.starts_at,
            ends_at: notice.ends_at,
            generator_url: format!("{external_url}{}", table_link(&notice.query)),
        }
    }

    /// What relabelling makes of it, unless that drops it.
    pub(super) fn relabelled(mut self, rules: &[Rule]) -> Option<Self> {
        if !rules.is_empty() {
            let mut labels = self.labels.to_builder();
            if !relabel::apply(&mut labels, rules) {
                return None;
            }
            self.labels = labels.build();
        }
        Some(self)
    }

    /// As JSON: fields in the order that Prometheus's client writes them.
    pub(super) fn to_json(&self) -> String {
        let written = Postable {
            annotations: &self.annotations,
            ends_at: milliseconds(self.ends_at),
            starts_at: milliseconds(self.starts_at),
            generator_url: &self.generator_url,
            labels: self.labels.iter().collect(),
        };
        let json = serde_json::to_string(&written).expect("BUG: texts are no JSON");
        html_safe(&json)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Postable<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a Texts,
    ends_at: String,
    starts_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: &'a str,
    labels: BTreeMap<&'a str, &'a str>,
}

/// As Go writes JSON: what HTML gives a meaning is escaped. It stands nowhere but in texts.
pub(super) fn html_safe(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out
}

/// RFC 3339 with three digits behind the second, always.
fn milliseconds(time: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(time.ms()) {
        Ok(time) => time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        // Beyond the year 9999: Go's zero time.
        Err(_) => "0001-01-01T00:00:00.000Z".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_json() {
        let notice = Notice {
            labels: Labels::from_pairs([("alertname", "A"), ("cluster", "own")]),
            annotations: [("summary".to_owned(), "a < b & \"c\"".to_owned())].into(),
            starts_at: Timestamp::from_ms(1_000),
            ends_at: Timestamp::from_ms(241_007),
            query: "up == 0".to_owned(),
        };
        let external = Labels::from_pairs([("cluster", "outer"), ("region", "x")]);
        let alert = Alert::new(notice, &external, "http://h:9090");
        assert_eq!(
            alert.to_json(),
            concat!(
                r#"{"annotations":{"summary":"a \u003c b \u0026 \"c\""},"#,
                r#""endsAt":"1970-01-01T00:04:01.007Z","startsAt":"1970-01-01T00:00:01.000Z","#,
                r#""generatorURL":"http://h:9090/graph?g0.expr=up+%3D%3D+0\u0026g0.tab=1","#,
                r#""labels":{"alertname":"A","cluster":"own","region":"x"}}"#
            )
        );
    }
}
