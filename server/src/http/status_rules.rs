//! `/api/v1/status/rules`, which is ours: for each rule the metrics that it references and that
//! nobody has, with the nearest name that somebody has.

use axum::extract::State as Shared;

use super::State;
use super::envelope::Success;
use super::json;
use crate::rules::file::RuleKind;
use crate::rules::group::Group;
use crate::rules::lookout::Missing;

/// Of all rules, in the order of `/api/v1/rules`.
pub(super) async fn list(Shared(state): Shared<State>) -> Success {
    let groups = state.rules.groups();
    Success::with(|out| {
        out.push_str(r#"{"groups":"#);
        json::write_list(out, &groups, |out, (group, _)| write_group(out, &state, group));
        out.push('}');
    })
}

fn write_group(out: &mut String, state: &State, group: &Group) {
    let written = &group.definition.written;
    out.push_str(r#"{"name":"#);
    json::write_html_safe(out, &written.name);
    out.push_str(r#","file":"#);
    json::write_html_safe(out, &written.file);
    out.push_str(r#","rules":"#);
    json::write_list(out, written.rules.iter().enumerate(), |out, (index, rule)| {
        out.push_str(r#"{"name":"#);
        json::write_html_safe(out, &rule.name);
        let is_alert = matches!(rule.kind, RuleKind::Alerting { .. });
        let kind = if is_alert { "alerting" } else { "recording" };
        out.push_str(&format!(r#","type":"{kind}","missing":"#));
        json::write_list(out, state.lookout.missing(group, index), write_missing);
        out.push('}');
    });
    out.push('}');
}

fn write_missing(out: &mut String, missing: Missing) {
    out.push_str(r#"{"name":"#);
    json::write_html_safe(out, &missing.name);
    out.push_str(r#","nearest":"#);
    match &missing.nearest {
        Some(near) => json::write_html_safe(out, near),
        None => out.push_str("null"),
    }
    out.push('}');
}
