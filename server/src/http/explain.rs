//! `explain=1` on `/api/v1/query` and `/api/v1/query_range`: what the query would do, as a tree and
//! as the text that `inferometer query explain` prints.

use promql::explain::{Explanation, Operator, Selected, Shared};

use super::envelope::Success;
use super::json;

/// `{"explain":{"text":…,"kept":…,"plan":{…}}}`
pub(super) fn success(explanation: &Explanation) -> Success {
    Success::with(|out| {
        out.push_str(r#"{"explain":{"text":"#);
        json::write_html_safe(out, &explanation.to_string());
        out.push_str(r#","kept":"#);
        json::write_html_safe(out, &explanation.kept);
        out.push_str(r#","plan":"#);
        write_operator(out, &explanation.root);
        out.push_str("}}");
    })
}

fn write_operator(out: &mut String, own: &Operator) {
    out.push_str(r#"{"operator":"#);
    json::write_html_safe(out, &own.words);
    out.push_str(r#","query":"#);
    json::write_html_safe(out, &own.text);
    let (line, column) = own.position;
    out.push_str(&format!(r#","position":[{line},{column}],"once":{}"#, own.is_once));
    match own.shared {
        None => {}
        Some(Shared::First(places)) => out.push_str(&format!(r#","places":{places}"#)),
        Some(Shared::As(line, column)) => out.push_str(&format!(r#","as":[{line},{column}]"#)),
    }
    if let Some(selected) = &own.selects {
        write_selected(out, selected);
    }
    out.push_str(r#","inputs":"#);
    json::write_list(out, &own.inputs, write_operator);
    out.push('}');
}

fn write_selected(out: &mut String, own: &Selected) {
    out.push_str(r#","selects":{"matchers":"#);
    json::write_html_safe(out, &own.matchers);
    out.push_str(r#","start":"#);
    json::write_seconds(out, own.range.start);
    out.push_str(r#","end":"#);
    json::write_seconds(out, own.range.end);
    out.push_str(&format!(r#","series":{}}}"#, own.series));
}
