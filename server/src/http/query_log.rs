//! A query as a line of the query log, in Prometheus's layout (`promql/engine.go`, `util/httputil`).

use std::net::SocketAddr;
use std::time::Duration;

use axum::Extension;
use axum::extract::ConnectInfo;
use axum::http::Method;
use promql::value::Steps;
use tsdb::model::Timestamp;

use super::{json, stats};
use crate::queries::QueryStats;

/// The address of who asked, where the server knows it.
pub(super) type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

/// Who asked and how.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) peer: Peer,
}

/// A query that was evaluated, well or not.
pub(super) struct Entry<'a> {
    pub(super) text: &'a str,
    /// An instant query has one step, and 0 between steps.
    pub(super) steps: Steps,
    pub(super) error: Option<String>,
    pub(super) stats: Option<&'a QueryStats>,
    pub(super) queued: Duration,
    pub(super) asked: &'a Asked,
}

impl Entry<'_> {
    /// The line, with its end.
    pub(super) fn line(&self, now: Timestamp) -> String {
        let mut out =
            format!(r#"{{"time":"{}","level":"INFO","msg":"promql query logged""#, time(now));
        let Steps { start, end, step_ms } = self.steps;
        out.push_str(&format!(r#","params":{{"end":"{}","query":"#, time(end)));
        json::write_html_safe(&mut out, self.text);
        out.push_str(&format!(r#","start":"{}","step":{}}}"#, time(start), step_ms / 1000));
        if let Some(error) = &self.error {
            out.push_str(r#","error":"#);
            json::write_html_safe(&mut out, error);
        }
        stats::write(
            &mut out,
            self.stats.unwrap_or(&QueryStats::default()),
            self.queued,
            self.text,
        );
        let peer = self.asked.peer.as_ref().map(|Extension(ConnectInfo(peer))| peer.ip());
        let peer = peer.map(|ip| ip.to_string()).unwrap_or_default();
        let Asked { method, path, .. } = self.asked;
        out.push_str(&format!(
            r#","httpRequest":{{"clientIP":"{peer}","method":"{method}","path":"{path}"}}}}"#
        ));
        out.push('\n');
        out
    }
}

/// RFC 3339 with milliseconds.
fn time(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(at.ms()).unwrap_or_default();
    format!("{time:.3}")
}
