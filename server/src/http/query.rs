//! `/api/v1/query` and `/api/v1/query_range`.

use std::time::{Duration, Instant};

use axum::extract::{RawQuery, State as Shared};
use axum::http::Method;
use promql::value::{Steps, Value};

use super::envelope::Success;
use super::error::ApiError;
use super::params::{Form, Params, invalid};
use super::query_log::{Asked, Entry, Origin, Peer};
use super::{State, blocking};
use super::{default_rollup, explain, json, stats};
use crate::queries::{QueryError, QueryOptions, Reply, StatsLevel};

/// Steps that a range query may have (Prometheus's number).
const STEPS_MAX: i64 = 11_000;

/// The value of an expression at one time (`time`, now if missing).
pub(super) async fn instant(
    Shared(state): Shared<State>,
    peer: Peer,
    method: Method,
    RawQuery(query): RawQuery,
    Form(body): Form,
) -> Result<Success, ApiError> {
    let params = Params::new(&body, query.as_deref().unwrap_or(""));
    let limit = params.limit()?;
    let time = params.time("time")?.unwrap_or_else(|| state.clock.now());
    let options = query_options(&params, &state)?;
    let asked = Instant::now();
    blocking(move || {
        let text = params.get("query").unwrap_or("");
        if is_explained(&params) {
            return Ok(explain::success(&state.queries.explain_instant(text, time, options)?));
        }
        let steps = Steps { start: time, end: time, step_ms: 0 };
        let by = Asked { method, path: "/api/v1/query", peer };
        let query = Asking { state: &state, text, steps, options, asked, by };
        query.answer(limit, |options| match default_rollup::read(text) {
            Some((selector, range_ms)) => {
                let options = QueryOptions { lookback_ms: Some(range_ms), ..options };
                state.queries.instant(selector, time, options)
            }
            None => state.queries.instant(text, time, options),
        })
    })
    .await
}

/// The values of an expression at each step from `start` to `end`.
pub(super) async fn range(
    Shared(state): Shared<State>,
    peer: Peer,
    method: Method,
    RawQuery(query): RawQuery,
    Form(body): Form,
) -> Result<Success, ApiError> {
    let params = Params::new(&body, query.as_deref().unwrap_or(""));
    let limit = params.limit()?;
    let steps = steps(&params)?;
    let options = query_options(&params, &state)?;
    let asked = Instant::now();
    blocking(move || {
        let text = params.get("query").unwrap_or("");
        if is_explained(&params) {
            return Ok(explain::success(&state.queries.explain_range(text, steps, options)?));
        }
        let by = Asked { method, path: "/api/v1/query_range", peer };
        let query = Asking { state: &state, text, steps, options, asked, by };
        query.answer(limit, |options| state.queries.range(text, steps, options))
    })
    .await
}

/// A query on its way.
struct Asking<'a> {
    state: &'a State,
    text: &'a str,
    steps: Steps,
    options: QueryOptions,
    /// When.
    asked: Instant,
    by: Asked,
}

impl Asking<'_> {
    /// Evaluates, measures, and writes it to the query log if there is one.
    fn answer(
        &self,
        limit: Option<usize>,
        evaluate: impl FnOnce(QueryOptions) -> Result<Reply, QueryError>,
    ) -> Result<Success, ApiError> {
        let Self { state, text, options, .. } = self;
        let (began, queued) = (Instant::now(), self.asked.elapsed());
        let is_logged = state.query_log.is_on();
        let is_measured = is_logged && options.stats == StatsLevel::Off;
        let stats = if is_measured { StatsLevel::Whole } else { options.stats };
        let mut reply = evaluate(QueryOptions { stats, ..*options });
        state.mixin.query_evaluated(queued, began.elapsed());
        if is_logged && !matches!(reply, Err(QueryError::Parse(_))) {
            self.log(&reply, queued);
        }
        if let Ok(reply) = &mut reply
            && is_measured
        {
            reply.stats = None;
        }
        Ok(success(text, reply?, queued, limit))
    }

    fn log(&self, reply: &Result<Reply, QueryError>, queued: Duration) {
        let Self { text, steps, .. } = *self;
        let entry = Entry { text, steps, reply, queued, origin: Origin::Request(&self.by) };
        self.state.query_log.write(&entry.line(self.state.clock.now()));
    }
}

/// Whether to say what the query would do instead of doing it.
fn is_explained(params: &Params) -> bool {
    params.get("explain") == Some("1")
}

fn steps(params: &Params) -> Result<Steps, ApiError> {
    let start = params.required_time("start")?;
    let end = params.required_time("end")?;
    if end < start {
        let message = "end timestamp must not be before start time";
        return Err(invalid("end", message.to_owned()));
    }
    let step_ms = params.required_duration_ms("step")?;
    if step_ms <= 0 {
        let message = "zero or negative query resolution step widths are not accepted. \
                       Try a positive integer";
        return Err(invalid("step", message.to_owned()));
    }
    if end.ms_since(start) / step_ms > STEPS_MAX {
        return Err(ApiError::bad_data(
            "exceeded maximum resolution of 11,000 points per timeseries. \
             Try decreasing the query resolution (?step=XX)",
        ));
    }
    Ok(Steps { start, end, step_ms })
}

fn query_options(params: &Params, state: &State) -> Result<QueryOptions, ApiError> {
    let lookback_ms = params.duration_ms("lookback_delta").map_err(|message| {
        ApiError::bad_data(format!("error parsing lookback delta duration: {message}"))
    })?;
    let asked_ms = params.duration_ms("timeout").map_err(|message| invalid("timeout", message))?;
    let longest = state.options.query_timeout;
    let asked = asked_ms.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
    let timeout = asked.map_or(longest, |asked| asked.min(longest));
    let is_fresh = params.get("nocache") == Some("1");
    let stats = match params.get("stats") {
        None => StatsLevel::Off,
        Some("all") => StatsLevel::All,
        Some(_) => StatsLevel::Whole,
    };
    Ok(QueryOptions { timeout, lookback_ms, is_fresh, stats })
}

/// The answer to `text`, which waited for `queued` before it was looked at.
fn success(text: &str, reply: Reply, queued: Duration, limit: Option<usize>) -> Success {
    let Reply { mut answer, stats } = reply;
    if limit.is_some_and(|limit| truncate(&mut answer.value, limit)) {
        answer.warnings.push("results truncated due to limit".to_owned());
    }
    let success = Success::with(|out| {
        json::write_value(out, &answer.value);
        if let Some(stats) = &stats {
            // Within the object of the value.
            let end = out.pop();
            stats::write(out, stats, queued, text);
            out.extend(end);
        }
    });
    Success { warnings: answer.warnings, infos: answer.infos, ..success }
}

fn truncate(value: &mut Value, limit: usize) -> bool {
    let length = match value {
        Value::Vector(samples) => samples.len(),
        Value::Matrix(series) => series.len(),
        Value::Scalar(..) | Value::Text(..) => 0,
    };
    match value {
        Value::Vector(samples) => samples.truncate(limit),
        Value::Matrix(series) => series.truncate(limit),
        Value::Scalar(..) | Value::Text(..) => {}
    }
    length > limit
}
