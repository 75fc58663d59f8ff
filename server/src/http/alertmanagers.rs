//! `/api/v1/alertmanagers`: whom alerts are sent to, and whom relabelling dropped.

use axum::extract::State as Shared;

use super::State;
use super::envelope::Success;
use super::json;

/// Those that are known now.
pub(super) async fn list(Shared(state): Shared<State>) -> Success {
    let all = state.notifier.alertmanagers();
    Success::with(|out| {
        out.push_str(r#"{"activeAlertmanagers":"#);
        json::write_list(out, all.active.iter().map(String::as_str), write_one);
        out.push_str(r#","droppedAlertmanagers":"#);
        json::write_list(out, all.dropped.iter().map(String::as_str), write_one);
        out.push('}');
    })
}

fn write_one(out: &mut String, url: &str) {
    out.push_str(r#"{"url":"#);
    json::write_html_safe(out, url);
    out.push('}');
}
