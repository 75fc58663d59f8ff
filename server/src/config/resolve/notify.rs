//! `notify.yml`: whom the built-in sender tells, and when. Defaults are Alertmanager's.

use std::collections::BTreeSet;
use std::path::Path;

use promql::parse::parse_metric_selector;
use scraper::job::Secret;
use tsdb::model::Matcher;
use tsdb::model::duration::parse_duration;

use super::super::error::{Place, Problem};
use super::super::raw::{self, given, items, or_default};
use super::super::settings::{NotifyFile, Receiver, ReceiverKind};
use super::super::yaml::Value;
use super::{client, present, value};

const GROUP_BY: &str = "alertname";
const WAIT_MS: i64 = 30_000;
const INTERVAL_MS: i64 = 300_000;
const REPEAT_MS: i64 = 4 * 3_600_000;
const TIMEOUT_MS: i64 = 10_000;
/// Longest time that is configured, in milliseconds: a year.
const TIME_MAX_MS: i64 = 366 * 86_400_000;

/// Decides everything, or says all that is wrong.
pub(in crate::config) fn notify_file(
    raw: &raw::NotifyFile,
    base_dir: &Path,
) -> Result<NotifyFile, Vec<Problem>> {
    let refused = raw::found(raw).refused;
    if !refused.is_empty() {
        return Err(refused);
    }
    decide(raw, base_dir).map_err(|problem| vec![problem])
}

fn decide(raw: &raw::NotifyFile, base_dir: &Path) -> Result<NotifyFile, Problem> {
    let receivers = items(&raw.receivers).iter().map(|item| {
        let (raw, place) = present(item, "empty or null receiver")?;
        receiver(raw, place, base_dir)
    });
    let receivers: Vec<Receiver> = receivers.collect::<Result<_, _>>()?;
    let mut names = BTreeSet::new();
    if let Some(twice) = receivers.iter().find(|one| !names.insert(&one.name)) {
        let what = format!("there are two receivers {:?}", twice.name);
        let place = value::place(&raw.receivers);
        return Err(Problem::new(place, what, "give each its own name"));
    }
    let by = given(&raw.group_by).map(|(list, _)| value::texts(list));
    Ok(NotifyFile {
        group_by: by.unwrap_or_else(|| vec![GROUP_BY.to_owned()]),
        group_wait_ms: time(&raw.group_wait, 0, WAIT_MS)?,
        group_interval_ms: time(&raw.group_interval, 1, INTERVAL_MS)?,
        repeat_interval_ms: time(&raw.repeat_interval, 1, REPEAT_MS)?,
        receivers,
    })
}

fn receiver(raw: &raw::Receiver, place: Place, base_dir: &Path) -> Result<Receiver, Problem> {
    let Some((name, _)) = value::text(&raw.name) else {
        return Err(Problem::new(place, "a receiver has no name", "write `name`"));
    };
    let kind = match value::text(&raw.kind) {
        None | Some(("webhook", _)) => ReceiverKind::Webhook,
        Some(("slack", _)) => ReceiverKind::Slack,
        Some((other, place)) => {
            let what = format!("unknown type {other:?} of receiver {name:?}");
            return Err(Problem::new(place, what, "write webhook or slack"));
        }
    };
    let twice = "at most one of url & url_file must be configured";
    let Some((url, at)) = client::secret(&raw.url, &raw.url_file, twice, base_dir)? else {
        let what = format!("receiver {name:?} has no URL");
        return Err(Problem::new(place, what, "write `url` or `url_file`"));
    };
    if let Secret::Inline(url) = &url {
        value::http_url(url, at)?;
    }
    Ok(Receiver {
        name: name.to_owned(),
        kind,
        url,
        matchers: matchers(raw)?,
        sends_resolved: or_default(&raw.send_resolved, true),
        timeout_ms: time(&raw.timeout, 1, TIMEOUT_MS)?,
        client: client::client(&raw.client, base_dir)?,
    })
}

fn matchers(raw: &raw::Receiver) -> Result<Vec<Matcher>, Problem> {
    let parsed = items(&raw.matchers).iter().map(|item| {
        let text = item.value.as_deref().unwrap_or_default();
        let cure = "write it as severity=\"page\", or with !=, =~ or !~";
        parse_metric_selector(&format!("{{{text}}}"))
            .map_err(|error| Problem::new(item.place, error, cure))
    });
    parsed.collect::<Result<Vec<_>, _>>().map(|lists| lists.concat())
}

/// Milliseconds, from `min` to a year.
fn time(field: &Option<Value<String>>, min: i64, default: i64) -> Result<i64, Problem> {
    let Some((text, place)) = given(field) else { return Ok(default) };
    let cure = "write whole numbers with units, such as 30s, 5m or 4h";
    let ms = parse_duration(text).map_err(|error| Problem::new(place, error, cure))?;
    if (min..=TIME_MAX_MS).contains(&ms) {
        return Ok(ms);
    }
    Err(Problem::new(place, format!("{text} is too short or too long"), cure))
}
