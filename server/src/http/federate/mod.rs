//! `/federate`: the newest sample of each series that a `match[]` chooses, for another Prometheus
//! to scrape.
//!
//! 1. `read`: the newest sample within the lookback of each series, once, in order of names; what
//!    ended is left out.
//! 2. Each gets the external labels that it does not have; `instance` is among them, empty.
//! 3. `text` or `protobuf` writes the families, as `negotiate` chose by the `Accept` header.
//!
//! A family is untyped, since the store knows types by target and not by series; native histograms
//! are histograms, and only protobuf has them.

mod escape;
mod negotiate;
mod protobuf;
mod read;
mod text;

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use promql::parse::parse_metric_selector;
use promql::value::PointValue;
use tsdb::model::{Matcher, Timestamp};

use super::State;
use super::params::Params;
use negotiate::{Form, Format};

/// The label that names a target, which a scraper would add.
const INSTANCE: &str = "instance";

/// A sample as it is written.
struct Exposed {
    name: String,
    labels: Vec<(String, String)>,
    timestamp: Timestamp,
    value: PointValue,
}

/// All that the selectors choose; nothing without one.
pub(super) async fn expose(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::new(&[], query.as_deref().unwrap_or(""));
    let selectors = params.all("match[]").map(parse_metric_selector).collect();
    let selectors: Vec<Vec<Matcher>> = match selectors {
        Ok(selectors) => selectors,
        Err(error) => return failed(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let format = Format::negotiate(accepted.unwrap_or(""));
    let written = tokio::task::spawn_blocking(move || write(&state, &selectors, format)).await;
    match written {
        Ok(Ok(body)) => ([(header::CONTENT_TYPE, format.content_type())], body).into_response(),
        Ok(Err(error)) => failed(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        Err(error) => failed(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn failed(status: StatusCode, message: &str) -> Response {
    (status, format!("{message}\n")).into_response()
}

fn write(
    state: &State,
    selectors: &[Vec<Matcher>],
    format: Format,
) -> Result<Vec<u8>, tsdb::Error> {
    let newest = read::newest(&*state.db, selectors, state.clock.now(), state.options.lookback_ms)?;
    let config = state.lifecycle.reloader.as_ref().map(|reloader| reloader.config());
    let mut external =
        config.map(|config| config.global.external_labels.clone()).unwrap_or_default();
    external.entry(INSTANCE.to_owned()).or_default();
    let samples = newest.into_iter().map(|newest| expose_one(newest, &external, format));
    let samples: Vec<_> = samples.collect();
    Ok(match format.form {
        Form::Text => text::write(&samples).into_bytes(),
        Form::Protobuf => protobuf::write(&samples),
    })
}

/// With the external labels behind its own, all names written as `format` wants them.
fn expose_one(
    newest: read::Newest,
    external: &BTreeMap<String, String>,
    format: Format,
) -> Exposed {
    let read::Newest { name, labels, timestamp, value } = newest;
    let own = labels.iter().filter(|(name, _)| *name != tsdb::model::METRIC_NAME);
    let missing = external.iter().filter(|(name, _)| labels.get(name).is_none());
    let added = missing.map(|(name, value)| (name.as_str(), value.as_str()));
    let labels = own.chain(added);
    Exposed {
        labels: labels
            .map(|(name, value)| (escape::name(name, format.escaping), value.to_owned()))
            .collect(),
        name: escape::name(&name, format.escaping),
        timestamp,
        value,
    }
}
