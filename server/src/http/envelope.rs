//! The object around every successful answer: `{"status":"success","data":…}` with at most ten
//! warnings and infos.

use axum::response::{IntoResponse, Response};

use super::json;

/// Warnings (and infos) that an answer shows at most; the rest is counted.
const ANNOTATIONS_MAX: usize = 10;

/// A successful answer.
#[derive(Debug, Default)]
pub(super) struct Success {
    /// The object up to the end of its data.
    pub(super) body: String,
    /// "The result may be wrong."
    pub(super) warnings: Vec<String>,
    /// "Probably not what you meant."
    pub(super) infos: Vec<String>,
}

impl Success {
    /// An answer without annotations, whose data `write` appends as JSON.
    pub(super) fn with(write: impl FnOnce(&mut String)) -> Self {
        let mut body = String::from(r#"{"status":"success","data":"#);
        write(&mut body);
        Self { body, ..Self::default() }
    }
}

impl IntoResponse for Success {
    fn into_response(self) -> Response {
        let mut body = self.body;
        write_annotations(&mut body, "warnings", "warning", &self.warnings);
        write_annotations(&mut body, "infos", "info", &self.infos);
        body.push('}');
        ([("content-type", "application/json")], body).into_response()
    }
}

fn write_annotations(body: &mut String, key: &str, singular: &str, texts: &[String]) {
    if texts.is_empty() {
        return;
    }
    let more = texts.len().saturating_sub(ANNOTATIONS_MAX);
    let counted = (more > 0).then(|| format!("{more} more {singular} annotations omitted"));
    let shown = texts.iter().take(ANNOTATIONS_MAX).chain(&counted);
    body.push_str(&format!(r#","{key}":"#));
    json::write_list(body, shown, |body, text| json::write_html_safe(body, text));
}
