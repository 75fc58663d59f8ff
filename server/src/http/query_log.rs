//! A query as a line of the query log, in Prometheus's layout (`promql/engine.go`, `util/httputil`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::ConnectInfo;
use axum::http::Method;
use promql::value::Steps;
use scraper::cycle::Clock;
use tsdb::model::Timestamp;

use super::{json, stats};
use crate::queries::{QueryError, Reply};
use crate::query_log::QueryLog;
use crate::rules::ask::{Asker, Question, QuestionLog};

/// The address of who asked, where the server knows it.
pub(super) type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

/// The request that asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) peer: Peer,
}

/// Who asked.
pub(super) enum Origin<'a> {
    Request(&'a Asked),
    Rule(&'a Asker),
}

/// A query that was evaluated, well or not.
pub(super) struct Entry<'a> {
    pub(super) text: &'a str,
    /// An instant query has one step, and 0 between steps.
    pub(super) steps: Steps,
    /// Measured, if it went well.
    pub(super) reply: &'a Result<Reply, QueryError>,
    pub(super) queued: Duration,
    pub(super) origin: Origin<'a>,
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
        if let Err(error) = self.reply {
            out.push_str(r#","error":"#);
            json::write_html_safe(&mut out, &error.to_string());
        }
        let measured = self.reply.as_ref().ok().and_then(|reply| reply.stats.clone());
        stats::write(&mut out, &measured.unwrap_or_default(), self.queued, self.text);
        self.origin.write(&mut out);
        out.push_str("}\n");
        out
    }
}

impl Origin<'_> {
    fn write(&self, out: &mut String) {
        match self {
            Self::Request(Asked { method, path, peer }) => {
                let peer = peer.as_ref().map(|Extension(ConnectInfo(peer))| peer.ip().to_string());
                let peer = peer.unwrap_or_default();
                out.push_str(&format!(
                    r#","httpRequest":{{"clientIP":"{peer}","method":"{method}","path":"{path}"}}"#
                ));
            }
            Self::Rule(Asker { file, group }) => {
                out.push_str(r#","ruleGroup":{"file":"#);
                json::write_html_safe(out, file);
                out.push_str(r#","name":"#);
                json::write_html_safe(out, group);
                out.push('}');
            }
        }
    }
}

/// Writes what rules ask to the query log.
pub struct RuleQuestions {
    /// Where to.
    pub log: Arc<QueryLog>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl QuestionLog for RuleQuestions {
    fn is_on(&self) -> bool {
        self.log.is_on()
    }

    fn write(&self, question: &Question<'_>) {
        let Question { by, text, time, reply } = *question;
        let steps = Steps { start: time, end: time, step_ms: 0 };
        let entry = Entry { text, steps, reply, queued: Duration::ZERO, origin: Origin::Rule(by) };
        self.log.write(&entry.line(self.clock.now()));
    }
}

/// RFC 3339 with milliseconds.
fn time(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(at.ms()).unwrap_or_default();
    format!("{time:.3}")
}
