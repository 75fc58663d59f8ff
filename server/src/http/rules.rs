//! `/api/v1/rules` and `/api/v1/alerts`: what is evaluated, how that went, and what fires.

use axum::extract::{RawQuery, State as Shared};
use tsdb::model::number::format_json;
use tsdb::model::{Labels, Matcher, Timestamp};

use super::State;
use super::envelope::Success;
use super::error::ApiError;
use super::json;
use super::params::{Params, invalid};
use crate::rules::Alert;
use crate::rules::file::{Rule, RuleKind, Texts};
use crate::rules::group::{Group, GroupStatus, RuleStatus, key};

/// What of the rules is asked for.
struct Filter<'a> {
    params: &'a Params,
    kind: Option<String>,
    matchers: Vec<Vec<Matcher>>,
    leaves_alerts_out: bool,
}

impl<'a> Filter<'a> {
    fn new(params: &'a Params) -> Result<Self, ApiError> {
        let kind = params.get("type").map(str::to_lowercase);
        if let Some(kind) = kind.as_deref().filter(|kind| !["alert", "record"].contains(kind)) {
            return Err(invalid("type", format!("not supported value {kind:?}")));
        }
        let leaves_alerts_out = match params.get("exclude_alerts") {
            None | Some("0" | "f" | "F" | "false" | "FALSE" | "False") => false,
            Some("1" | "t" | "T" | "true" | "TRUE" | "True") => true,
            Some(other) => {
                let what = format!("strconv.ParseBool: parsing {other:?}: invalid syntax");
                let what = format!("error converting exclude_alerts: {what}");
                return Err(invalid("exclude_alerts", what));
            }
        };
        Ok(Self { params, kind, matchers: params.matchers()?, leaves_alerts_out })
    }

    /// Whether `value` is among those of parameter `name`, if there are any.
    fn names(&self, name: &str, value: &str) -> bool {
        let mut all = self.params.all(name).peekable();
        all.peek().is_none() || all.any(|own| own == value)
    }

    fn takes(&self, rule: &Rule) -> bool {
        let is_alert = matches!(rule.kind, RuleKind::Alerting { .. });
        let labels = to_labels(&rule.labels);
        let matches = |set: &Vec<Matcher>| set.iter().all(|one| one.matches_labels(&labels));
        self.kind.as_deref().is_none_or(|kind| (kind == "alert") == is_alert)
            && self.names("rule_name[]", &rule.name)
            && (self.matchers.is_empty() || self.matchers.iter().any(matches))
    }
}

/// A part of all groups: how many, and which is the first.
struct Page {
    limit: usize,
    token: Option<String>,
}

impl Page {
    fn new(params: &Params) -> Result<Self, ApiError> {
        let token = params.get("group_next_token").map(str::to_owned);
        let Some(text) = params.get("group_limit") else {
            let what = "group_limit needs to be present in order to paginate over the groups";
            return match token {
                Some(_) => Err(invalid("group_next_token", what.to_owned())),
                None => Ok(Self { limit: usize::MAX, token }),
            };
        };
        let limit: i32 = text.parse().map_err(|_| {
            let what = format!("strconv.ParseInt: parsing {text:?}: invalid syntax");
            invalid("group_limit", format!("group_limit needs to be a valid number: {what}"))
        })?;
        match usize::try_from(limit) {
            Ok(limit) if limit > 0 => Ok(Self { limit, token }),
            _ => {
                let what = "group_limit needs to be greater than 0";
                Err(invalid("group_limit", what.to_owned()))
            }
        }
    }
}

/// A group that is shown, and which of its rules.
type Shown<'a> = (&'a Group, &'a GroupStatus, Vec<usize>);

/// Filtered by `type`, `rule_name[]`, `rule_group[]`, `file[]`, `match[]`; page by page with
/// `group_limit` and `group_next_token`.
pub(super) async fn list(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Success, ApiError> {
    let params = Params::new(&[], query.as_deref().unwrap_or(""));
    let (filter, page) = (Filter::new(&params)?, Page::new(&params)?);
    let groups = state.rules.groups();
    let mut shown: Vec<Shown<'_>> = Vec::new();
    let mut next = None;
    let mut has_begun = page.token.is_none();
    for (group, status) in &groups {
        let own = token(group);
        has_begun = has_begun || page.token.as_ref() == Some(&own);
        let written = &group.definition.written;
        let is_named =
            filter.names("rule_group[]", &written.name) && filter.names("file[]", &written.file);
        let rules = written.rules.iter().enumerate().filter(|(_, rule)| filter.takes(rule));
        let rules: Vec<usize> = rules.map(|(index, _)| index).collect();
        if !has_begun || !is_named || rules.is_empty() {
            continue;
        }
        if shown.len() == page.limit {
            next = Some(own);
            break;
        }
        shown.push((group, status, rules));
    }
    if let Some(token) = page.token.filter(|_| !has_begun) {
        let what = format!("invalid group_next_token '{token}'. were rule groups changed?");
        return Err(invalid("group_next_token", what));
    }
    Ok(Success::with(|out| {
        out.push_str(r#"{"groups":"#);
        json::write_list(out, shown, |out, one| write_group(out, &one, filter.leaves_alerts_out));
        if let Some(next) = next {
            out.push_str(&format!(r#","groupNextToken":"{next}""#));
        }
        out.push('}');
    }))
}

/// Names a group to those who ask page by page.
fn token(group: &Group) -> String {
    let key = key(&group.definition.written);
    format!("{:016x}", twox_hash::XxHash64::oneshot(0, key.as_bytes()))
}

/// All alerts that are pending or firing.
pub(super) async fn alerts(Shared(state): Shared<State>) -> Success {
    let groups = state.rules.groups();
    let rules = groups.iter().flat_map(|(_, status)| &status.rules);
    let alerts: Vec<&Alert> = rules.flat_map(|rule| &rule.alerts).collect();
    Success::with(|out| {
        out.push_str(r#"{"alerts":"#);
        json::write_list(out, alerts, write_alert);
        out.push('}');
    })
}

fn write_group(out: &mut String, (group, status, rules): &Shown<'_>, leaves_alerts_out: bool) {
    let written = &group.definition.written;
    out.push_str(r#"{"name":"#);
    json::write_html_safe(out, &written.name);
    out.push_str(r#","file":"#);
    json::write_html_safe(out, &written.file);
    out.push_str(r#","rules":"#);
    let pairs =
        rules.iter().filter_map(|at| Some((written.rules.get(*at)?, status.rules.get(*at)?)));
    json::write_list(out, pairs, |out, (rule, status)| {
        write_rule(out, rule, status, leaves_alerts_out);
    });
    let interval = format_json(group.definition.interval_ms as f64 / 1000.0);
    let duration = format_json(status.duration.as_secs_f64());
    out.push_str(&format!(
        r#","interval":{interval},"limit":{},"evaluationTime":{duration},"lastEvaluation":"{}"}}"#,
        written.limit,
        rfc3339(status.last_evaluation),
    ));
}

fn write_rule(out: &mut String, rule: &Rule, status: &RuleStatus, leaves_alerts_out: bool) {
    out.push('{');
    let is_alert = matches!(rule.kind, RuleKind::Alerting { .. });
    if is_alert {
        let state = status.alerts.iter().map(|alert| alert.state).max().unwrap_or_default();
        out.push_str(&format!(r#""state":"{}","#, state.as_str()));
    }
    out.push_str(r#""name":"#);
    json::write_html_safe(out, &rule.name);
    out.push_str(r#","query":"#);
    json::write_html_safe(out, &rule.query);
    if let RuleKind::Alerting { hold_ms, keep_firing_ms, .. } = rule.kind {
        let seconds = |ms: i64| format_json(ms as f64 / 1000.0);
        let (hold, keep) = (seconds(hold_ms), seconds(keep_firing_ms));
        out.push_str(&format!(r#","duration":{hold},"keepFiringFor":{keep}"#));
    }
    if is_alert || !rule.labels.is_empty() {
        out.push_str(r#","labels":"#);
        write_texts(out, &rule.labels);
    }
    if let RuleKind::Alerting { annotations, .. } = &rule.kind {
        out.push_str(r#","annotations":"#);
        write_texts(out, annotations);
        out.push_str(r#","alerts":"#);
        match leaves_alerts_out {
            true => out.push_str("null"),
            false => json::write_list(out, &status.alerts, write_alert),
        }
    }
    out.push_str(&format!(r#","health":"{}""#, status.health.as_str()));
    if let Some(error) = &status.last_error {
        out.push_str(r#","lastError":"#);
        json::write_html_safe(out, error);
    }
    out.push_str(&format!(
        r#","evaluationTime":{},"lastEvaluation":"{}","type":"{}"}}"#,
        format_json(status.duration.as_secs_f64()),
        rfc3339(status.last_evaluation),
        if is_alert { "alerting" } else { "recording" },
    ));
}

fn write_alert(out: &mut String, alert: &Alert) {
    out.push_str(r#"{"labels":"#);
    json::write_labels(out, &alert.labels);
    out.push_str(r#","annotations":"#);
    write_texts(out, &alert.annotations);
    let state = alert.state.as_str();
    let active = rfc3339(Some(alert.active_at));
    out.push_str(&format!(r#","state":"{state}","activeAt":"{active}""#));
    if let Some(since) = alert.keep_firing_since {
        out.push_str(&format!(r#","keepFiringSince":"{}""#, rfc3339(Some(since))));
    }
    out.push_str(&format!(r#","value":"{}"}}"#, exponent(alert.value)));
}

fn write_texts(out: &mut String, texts: &Texts) {
    out.push('{');
    for (index, (name, text)) in texts.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        json::write_text(out, name);
        out.push(':');
        json::write_text(out, text);
    }
    out.push('}');
}

/// Go's `'e', -1`: `1e+00`, `2.5e-07`.
fn exponent(value: f64) -> String {
    if !value.is_finite() {
        return format_json(value);
    }
    let digits = format!("{value:e}");
    let (mantissa, exponent) = digits.split_once('e').unwrap_or((&digits, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{exponent:0>2}")
}

fn to_labels(texts: &Texts) -> Labels {
    Labels::from_pairs(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

/// Go's RFC 3339; its zero time if there is none.
fn rfc3339(time: Option<Timestamp>) -> String {
    let time = time.and_then(|time| jiff::Timestamp::from_millisecond(time.ms()).ok());
    time.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |time| time.to_string())
}
