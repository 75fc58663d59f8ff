//! The endpoint picker (EPP): it sees every request when it comes and when it is answered, chooses
//! the pods, and knows the pool.
//!
//! Each model has one decode endpoint here, so the choice is whether a prompt is computed by a
//! prefill pod first: it is when there is one for the model whose queue is short, and enough of
//! the prompt is unknown to the decode pod. When the decode pod's queue is full, the request is
//! refused.

use super::engine::Engine;
use super::ledger::Ledger;
use super::measure::Measure;
use super::random::Random;
use super::request::{Finished, Request};

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The decode pod with this number does everything.
    Decode(usize),
    /// The prefill pod with this number computes the prompt.
    Prefill(usize),
    /// Answered with an error.
    Refused,
}

/// Prompt tokens unknown to the decode pod from which on a prefill pod is worth it.
const PREFILL_FROM_TOKENS: u32 = 192;

/// Queue of a prefill pod from which on the decode pod computes prompts itself.
const PREFILL_QUEUE: usize = 24;

/// Longest queue of a decode pod; beyond it requests are refused.
const LONGEST_QUEUE: usize = 96;

/// Queue length and KV usage at which the pool counts as full (the saturation detector's defaults
/// are 5 and 0.8; saturation is the mean of both shares).
const SATURATED_QUEUE: f64 = 5.0;

/// See [`SATURATED_QUEUE`].
const SATURATED_KV: f64 = 0.8;

/// Median seconds of a scheduling decision, and of each plugin's part (in the page's order).
const DECISION_S: f64 = 0.00021;
const PLUGIN_S: [f64; 4] = [0.000012, 0.000105, 0.000019, 0.000006];

/// Median seconds in flow control of a request that does not wait.
const FLOW_S: f64 = 0.00042;

/// Bytes of a block of the picker's prefix index.
const INDEX_BLOCK_BYTES: f64 = 64.0;

/// Most entries of the picker's prefix index.
const LARGEST_INDEX: f64 = 31_250.0;

/// The picker and its counters.
#[derive(Debug)]
pub(crate) struct Picker {
    random: Random,
    /// Requests under way, by model.
    running: Vec<u32>,
    /// What it has counted.
    pub(crate) ledger: Ledger,
}

impl Picker {
    /// A picker for `models` models.
    pub(crate) fn new(models: usize, ledger: Ledger, random: Random) -> Picker {
        Picker { random, running: vec![0; models], ledger }
    }

    /// Requests under way.
    pub(crate) fn open(&self) -> u32 {
        self.running.iter().sum()
    }

    /// Decides about a request, given the numbers of its model's endpoints among `engines`.
    pub(crate) fn route(
        &mut self,
        request: &Request,
        engines: &[Engine],
        decode: usize,
        prefill: Option<usize>,
    ) -> Decision {
        self.ledger.at(request.born_s);
        self.ledger.add(Measure::Routed, request.model, 1.0);
        self.ledger.observe(Measure::RoutedRequestBytes, request.model, request.body_bytes(), 1);
        if engines[decode].num_waiting() >= LONGEST_QUEUE {
            self.ledger.add(Measure::Refused, request.model, 1.0);
            return Decision::Refused;
        }
        self.running[request.model] += 1;
        let unknown = engines[decode].unknown_tokens(request);
        self.look_up(request, unknown);
        self.take_time(request.model);
        self.ledger.add(Measure::SchedulerAttempts, decode, 1.0);
        let prefill = prefill.filter(|at| {
            unknown >= PREFILL_FROM_TOKENS && engines[*at].num_waiting() < PREFILL_QUEUE
        });
        let Some(prefill) = prefill else {
            self.ledger.add(Measure::DisaggDecisions, 2 * request.model, 1.0);
            return Decision::Decode(decode);
        };
        self.ledger.add(Measure::SchedulerAttempts, prefill, 1.0);
        self.ledger.add(Measure::DisaggDecisions, 2 * request.model + 1, 1.0);
        Decision::Prefill(prefill)
    }

    fn look_up(&mut self, request: &Request, unknown: u32) {
        let ratio = 1.0 - f64::from(unknown) / f64::from(request.prompt);
        let bytes = (ratio * request.body_bytes() / INDEX_BLOCK_BYTES).floor() * INDEX_BLOCK_BYTES;
        self.ledger.observe(Measure::PrefixIndexHitRatio, 0, ratio, 1);
        self.ledger.observe(Measure::PrefixIndexHitBytes, 0, bytes, 1);
        let learned = ((request.body_bytes() - bytes) / INDEX_BLOCK_BYTES).ceil();
        let size = self.ledger.number(Measure::PrefixIndexSize, 0).value + learned;
        self.ledger.set(Measure::PrefixIndexSize, 0, size.min(LARGEST_INDEX));
    }

    fn take_time(&mut self, model: usize) {
        let took_s = self.random.lognormal(DECISION_S, 0.5);
        self.ledger.observe(Measure::SchedulerDuration, 0, took_s, 1);
        for (plugin, share_s) in PLUGIN_S.into_iter().enumerate() {
            let took_s = took_s * share_s / DECISION_S;
            self.ledger.observe(Measure::PluginDuration, plugin, took_s, 1);
        }
        let held_s = self.random.lognormal(FLOW_S, 0.6);
        self.ledger.observe(Measure::FlowDuration, model, held_s, 1);
    }

    /// Notes a complete answer.
    pub(crate) fn answered(&mut self, finished: &Finished) {
        let Finished { request, finished_s } = finished;
        let (model, progress) = (request.model, &request.progress);
        self.running[model] -= 1;
        self.ledger.at(*finished_s);
        let took_s = finished_s - request.born_s;
        let first_s = progress.first_token_s.unwrap_or(*finished_s) - request.born_s;
        let ttft_s = if request.streaming { first_s } else { took_s };
        let streamed = 2 * model + usize::from(request.streaming);
        let generated = progress.generated;
        let cached = f64::from(progress.cached + progress.transferred);
        for (measure, cell, value) in [
            (Measure::RoutedDuration, model, took_s),
            (Measure::RoutedTtft, streamed, ttft_s),
            (Measure::RoutedNormalised, model, took_s / f64::from(generated)),
            (Measure::RoutedInputTokens, model, f64::from(request.prompt)),
            (Measure::RoutedOutputTokens, model, f64::from(generated)),
            (Measure::RoutedCachedTokens, model, cached),
            (Measure::RoutedResponseBytes, model, request.answer_bytes(generated)),
        ] {
            self.ledger.observe(measure, cell, value, 1);
        }
        if request.streaming && generated > 1 {
            let token_s = (took_s - first_s) / f64::from(generated - 1);
            self.ledger.observe(Measure::RoutedTpot, model, token_s, 1);
            self.ledger.observe(Measure::RoutedItl, model, token_s, u64::from(generated - 1));
        }
    }

    /// Shows the pool as it is at `now_s`.
    pub(crate) fn show(&mut self, engines: &[Engine], now_s: f64) {
        self.ledger.at(now_s);
        let kv: Vec<f64> = engines.iter().map(Engine::kv_usage).collect();
        let queues: Vec<f64> = engines.iter().map(|engine| engine.num_waiting() as f64).collect();
        let running: Vec<f64> = engines.iter().map(|engine| engine.num_running() as f64).collect();
        for (mean, deviation, values) in [
            (Measure::PoolKvMean, Measure::PoolKvDeviation, &kv),
            (Measure::PoolQueueMean, Measure::PoolQueueDeviation, &queues),
            (Measure::PoolRunningMean, Measure::PoolRunningDeviation, &running),
        ] {
            let (centre, spread) = mean_and_deviation(values);
            self.ledger.set(mean, 0, centre);
            self.ledger.set(deviation, 0, spread);
        }
        for (endpoint, queue) in queues.iter().enumerate() {
            self.ledger.set(Measure::EndpointQueue, endpoint, *queue);
        }
        for (model, running) in self.running.iter().enumerate() {
            self.ledger.set(Measure::RoutedRunning, model, f64::from(*running));
        }
        let full = |(kv, queue): (&f64, &f64)| {
            ((kv / SATURATED_KV).min(1.0) + (queue / SATURATED_QUEUE).min(1.0)) / 2.0
        };
        let saturation = kv.iter().zip(&queues).map(full).sum::<f64>() / engines.len() as f64;
        self.ledger.set(Measure::FlowSaturation, 0, saturation);
        self.ledger.set(Measure::PoolReady, 0, engines.len() as f64);
    }
}

fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}
