//! What an engine and its HTTP server write down when something happens to a request.
//!
//! Kept in one place so that families that must agree do: every finished request is observed once
//! by each per-request histogram and counted under one reason; prompt tokens by source add up to
//! the prompt tokens; hits by tier add up to the local and external hits.

use super::ledger::Ledger;
use super::measure::Measure;
use super::request::Request;

/// Cells of [`Measure::PromptTokensBySource`].
const COMPUTED: usize = 0;
const CACHED: usize = 1;
const TRANSFERRED: usize = 2;

/// Cells of [`Measure::CachedBySource`].
const DEVICE: usize = 0;
const PEER: usize = 2;

/// Cells of [`Measure::Finished`].
const STOP: usize = 0;
const LENGTH: usize = 1;

/// Cells of the HTTP server's measures.
const CHAT: usize = 0;
const COMPLETIONS: usize = 1;
const MODELS: usize = 2;
const BAD_COMPLETIONS: usize = 3;

/// A request leaves the queue for the first time; its prompt was looked up in the caches.
pub(crate) fn lookup(ledger: &mut Ledger, request: &Request, connector: bool) {
    let [prompt, cached, transferred] =
        [request.prompt, request.progress.cached, request.progress.transferred].map(f64::from);
    ledger.add(Measure::PrefixQueries, 0, prompt);
    ledger.add(Measure::PrefixHits, 0, cached);
    ledger.add(Measure::CachedBySource, DEVICE, cached);
    if connector {
        ledger.add(Measure::ExternalQueries, 0, prompt - cached);
        ledger.add(Measure::ExternalHits, 0, transferred);
        ledger.add(Measure::CachedBySource, PEER, transferred);
    }
}

/// A request's prompt is done: its first token exists at `now_s`.
pub(crate) fn first_token(ledger: &mut Ledger, request: &Request, now_s: f64) {
    let Request { prompt, progress, .. } = request;
    ledger.observe(Measure::TimeToFirstToken, 0, now_s - progress.arrival_s, 1);
    ledger.add(Measure::PromptTokens, 0, f64::from(*prompt));
    ledger.add(Measure::PromptTokensBySource, COMPUTED, f64::from(request.computed()));
    ledger.add(Measure::PromptTokensBySource, CACHED, f64::from(progress.cached));
    ledger.add(Measure::PromptTokensBySource, TRANSFERRED, f64::from(progress.transferred));
    ledger.add(Measure::PromptTokensCached, 0, f64::from(progress.cached + progress.transferred));
}

/// A request ends at `now_s`; `max_tokens` is the limit this engine was given.
pub(crate) fn finished(ledger: &mut Ledger, request: &Request, max_tokens: u32, now_s: f64) {
    let Request { prompt, progress, .. } = request;
    let scheduled_s = progress.scheduled_s.unwrap_or(progress.arrival_s);
    let first_token_s = progress.first_token_s.unwrap_or(now_s);
    let generated = progress.generated;
    let ended_by_limit = generated >= max_tokens;
    ledger.add(Measure::Finished, if ended_by_limit { LENGTH } else { STOP }, 1.0);
    let per_token = (now_s - first_token_s) / f64::from(generated.saturating_sub(1).max(1));
    for (measure, value) in [
        (Measure::EndToEnd, now_s - progress.arrival_s),
        (Measure::QueueTime, scheduled_s - progress.arrival_s),
        (Measure::InferenceTime, now_s - scheduled_s),
        (Measure::PrefillTime, first_token_s - scheduled_s),
        (Measure::DecodeTime, now_s - first_token_s),
        (Measure::TimePerOutputToken, per_token),
        (Measure::RequestPromptTokens, f64::from(*prompt)),
        (Measure::RequestGenerationTokens, f64::from(generated)),
        (Measure::RequestMaxTokens, f64::from(max_tokens)),
        (Measure::RequestN, 1.0),
        (Measure::RequestPreemptions, f64::from(progress.preemptions)),
        (Measure::RequestPrefillComputed, f64::from(request.computed())),
    ] {
        ledger.observe(measure, 0, value, 1);
    }
    let handler = if request.chat { CHAT } else { COMPLETIONS };
    let bytes = (request.body_bytes(), request.answer_bytes(generated));
    called(ledger, handler, handler, bytes, now_s - progress.arrival_s);
}

/// A call to `/v1/models`.
pub(crate) fn models_listed(ledger: &mut Ledger) {
    called(ledger, MODELS, MODELS, (0.0, 478.0), 0.0011);
}

/// A call to `/v1/completions` that the server refuses as malformed.
pub(crate) fn refused(ledger: &mut Ledger) {
    called(ledger, COMPLETIONS, BAD_COMPLETIONS, (212.0, 131.0), 0.0023);
}

fn called(ledger: &mut Ledger, handler: usize, answer: usize, bytes: (f64, f64), took_s: f64) {
    ledger.add(Measure::HttpRequests, answer, 1.0);
    ledger.observe(Measure::HttpRequestBytes, handler, bytes.0, 1);
    ledger.observe(Measure::HttpResponseBytes, handler, bytes.1, 1);
    ledger.observe(Measure::HttpDuration, 0, took_s, 1);
    ledger.observe(Measure::HttpDurationByHandler, handler, took_s, 1);
}
