//! One vLLM engine, simulated iteration by iteration.
//!
//! An iteration gives one token to every running request and spends what is left of the token
//! budget on prompts (chunked prefill, first come first served); how long it takes follows from
//! how much it does. Between two iterations:
//! 1. arrived requests join the queue; requests leave it while the budget, the batch and the KV
//!    cache have room (a request whose KV entries lie at a prefill engine first fetches them);
//! 2. running requests that begin a new block take it; when there is none, the request that came
//!    last goes back to the head of the queue and gives up its blocks (preemption);
//! 3. requests that have all their tokens end.
//!
//! An iteration costs O(1) unless a request begins or ends.
//! Invariant: the state after [`Engine::advance`] depends on the requests and the seed only.

use std::collections::VecDeque;

use super::batch::Batch;
use super::kv::{KvCache, Lease};
use super::ledger::Ledger;
use super::measure::Measure;
use super::random::Random;
use super::record;
use super::request::{Finished, Request};

/// What an engine does in the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Computes prompts and hands them over with their KV entries.
    Prefill,
    /// Generates; fetches KV entries from a prefill engine where there are any.
    Decode,
}

/// An engine's size and speed.
#[derive(Debug, Clone)]
pub(crate) struct EngineOptions {
    /// What it does.
    pub(crate) role: Role,
    /// It has a KV connector (0.32 in a disaggregated pool).
    pub(crate) connector: bool,
    /// KV blocks.
    pub(crate) blocks: u32,
    /// Most requests in the batch.
    pub(crate) max_num_seqs: usize,
    /// Most tokens of an iteration.
    pub(crate) max_num_batched_tokens: u32,
    /// Seconds of an iteration that does nothing: reading the weights.
    pub(crate) step_s: f64,
    /// Seconds more per running request: reading its KV entries.
    pub(crate) sequence_s: f64,
    /// Seconds more per prompt token.
    pub(crate) prompt_token_s: f64,
}

/// Seconds to fetch the KV entries of a prompt token from another pod (256 KiB over 13 GB/s).
const TRANSFER_TOKEN_S: f64 = 2e-5;

/// Seconds to set a transfer up.
const TRANSFER_SETUP_S: f64 = 0.004;

/// Spread of the duration of iterations (sigma of a lognormal).
const STEP_SPREAD: f64 = 0.06;

/// One iteration in so many is held up, by [`HICCUP_S`] seconds on average.
const HICCUP_EVERY: f64 = 400.0;

/// See [`HICCUP_EVERY`].
const HICCUP_S: f64 = 0.035;

#[derive(Debug)]
struct Prefilling {
    request: Request,
    lease: Lease,
    left: u32,
}

#[derive(Debug)]
struct Fetching {
    request: Request,
    lease: Lease,
    ready_s: f64,
}

/// What an engine has for the others, to be taken after every advance.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Complete answers.
    pub(crate) finished: Vec<Finished>,
    /// Prompts that a decode engine goes on with, and when they were ready (Unix seconds).
    pub(crate) prefilled: Vec<(f64, Request)>,
    /// Blocks at the prefill engine that were fetched and can be freed there.
    pub(crate) fetched: Vec<Lease>,
}

/// How an engine spent its time since the last advance.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Effort {
    /// Seconds in iterations.
    pub(crate) busy_s: f64,
    /// Of them, seconds for prompts.
    pub(crate) prompt_s: f64,
    /// Tokens in and out.
    pub(crate) tokens: f64,
}

/// A simulated engine with its queue, batch, KV cache and counters.
#[derive(Debug)]
pub(crate) struct Engine {
    options: EngineOptions,
    random: Random,
    kv: KvCache,
    clock_s: f64,
    iteration: u64,
    arriving: VecDeque<Request>,
    waiting: VecDeque<Request>,
    fetching: Vec<Fetching>,
    prefilling: VecDeque<Prefilling>,
    running: Batch,
    /// What it has counted.
    pub(crate) ledger: Ledger,
    /// What it has for the others.
    pub(crate) outbox: Outbox,
    /// How it spent its time; the reader resets it.
    pub(crate) effort: Effort,
}

impl Engine {
    /// An idle engine at `start_s` (Unix seconds) for prompts with `prefixes` (their tokens).
    pub(crate) fn new(
        options: EngineOptions,
        prefixes: &[u32],
        ledger: Ledger,
        random: Random,
        start_s: f64,
    ) -> Engine {
        let kv = KvCache::new(options.blocks, prefixes);
        let mut engine = Engine {
            options,
            random,
            kv,
            clock_s: start_s,
            iteration: 0,
            arriving: VecDeque::new(),
            waiting: VecDeque::new(),
            fetching: Vec::new(),
            prefilling: VecDeque::new(),
            running: Batch::new(),
            ledger,
            outbox: Outbox::default(),
            effort: Effort::default(),
        };
        engine.ledger.set(Measure::SleepState, 0, 1.0);
        engine
    }

    /// Used share of the KV cache, 0 to 1.
    pub(crate) fn kv_usage(&self) -> f64 {
        self.kv.usage()
    }

    /// Requests in the batch.
    pub(crate) fn num_running(&self) -> usize {
        self.running.len() + self.prefilling.len()
    }

    /// Requests that wait, for room or for KV entries from elsewhere.
    pub(crate) fn num_waiting(&self) -> usize {
        self.waiting.len() + self.fetching.len()
    }

    /// Prompt tokens that would have to be computed for a prompt.
    pub(crate) fn unknown_tokens(&self, request: &Request) -> u32 {
        request.prompt - self.kv.known_tokens(request.prefix, request.prompt)
    }

    /// Sends a request to the engine; it arrives at `arrival_s`.
    pub(crate) fn send(&mut self, request: Request, arrival_s: f64) {
        let place = self.arriving.partition_point(|other| other.progress.arrival_s <= arrival_s);
        self.arriving.insert(place, request.arriving(arrival_s));
    }

    /// Frees blocks of prompts that were handed over.
    pub(crate) fn free(&mut self, lease: Lease) {
        self.kv.give_back(lease);
    }

    /// Runs until `until_s`; the last iteration may end a little later.
    pub(crate) fn advance(&mut self, until_s: f64) {
        while self.clock_s < until_s {
            self.receive();
            self.admit();
            if self.num_running() == 0 {
                self.clock_s = self.next_event_s().clamp(self.clock_s, until_s);
                if self.clock_s < until_s {
                    continue;
                }
            } else {
                self.iterate();
            }
        }
        self.ledger.at(self.clock_s);
        self.show();
    }

    /// When something happens to an idle engine: an arrival, or fetched entries.
    fn next_event_s(&self) -> f64 {
        let arrival = self.arriving.front().map_or(f64::INFINITY, |next| next.progress.arrival_s);
        let fetched = self.fetching.iter().map(|fetching| fetching.ready_s);
        fetched.fold(arrival, f64::min)
    }

    fn receive(&mut self) {
        while self.arriving.front().is_some_and(|next| next.progress.arrival_s <= self.clock_s) {
            self.waiting.extend(self.arriving.pop_front());
        }
        let now_s = self.clock_s;
        while let Some(place) = self.fetching.iter().position(|one| one.ready_s <= now_s) {
            let Fetching { mut request, lease, .. } = self.fetching.remove(place);
            self.outbox.fetched.extend(request.remote.take());
            self.prefilling.push_back(Prefilling { left: request.computed(), request, lease });
        }
    }

    fn admit(&mut self) {
        let mut planned: u32 = self.prefilling.iter().map(|prefilling| prefilling.left).sum();
        while planned < self.options.max_num_batched_tokens
            && self.num_running() + self.fetching.len() < self.options.max_num_seqs
        {
            let Some(next) = self.waiting.front() else { return };
            let known = self.kv.known_tokens(next.prefix, next.prompt);
            let Some(lease) = self.kv.take(next.tokens() + 1, next.prefix) else { return };
            let Some(request) = self.waiting.pop_front() else { return };
            planned += self.schedule(request, lease, known);
        }
    }

    /// Starts a request that left the queue; returns the tokens it adds to the prefill.
    fn schedule(&mut self, mut request: Request, lease: Lease, known: u32) -> u32 {
        let first_time = request.progress.scheduled_s.is_none();
        if first_time {
            request.progress.scheduled_s = Some(self.clock_s);
            request.progress.cached = known;
            if request.remote.is_some() {
                request.progress.transferred = request.prompt - known - 1;
            }
            self.ledger.at(self.clock_s);
            record::lookup(&mut self.ledger, &request, self.options.connector);
        }
        if request.remote.is_some() {
            let took =
                TRANSFER_SETUP_S + TRANSFER_TOKEN_S * f64::from(request.progress.transferred);
            let ready_s = self.clock_s + self.random.lognormal(took, 0.3);
            self.fetching.push(Fetching { request, lease, ready_s });
            return 0;
        }
        let left = request.tokens() - known;
        self.prefilling.push_back(Prefilling { request, lease, left });
        left
    }

    fn iterate(&mut self) {
        let decoding = self.running.len() as u32;
        let prompt_tokens = self.prefill(self.options.max_num_batched_tokens - decoding);
        let took_s = self.duration(decoding, prompt_tokens);
        self.clock_s += took_s;
        self.iteration += 1;
        self.ledger.at(self.clock_s);
        self.ledger.observe(Measure::InterToken, 0, took_s, u64::from(decoding));
        self.ledger.add(Measure::GenerationTokens, 0, f64::from(decoding));
        let tokens = f64::from(decoding + prompt_tokens);
        self.ledger.observe(Measure::IterationTokens, 0, tokens, 1);
        self.effort.tokens += tokens;
        for (request, lease) in self.running.take_ended(self.iteration) {
            self.end(request, lease);
        }
        self.grow();
        self.start_running();
    }

    fn duration(&mut self, decoding: u32, prompt_tokens: u32) -> f64 {
        let prompt_s = self.options.prompt_token_s * f64::from(prompt_tokens);
        let base_s = self.options.step_s + self.options.sequence_s * f64::from(decoding);
        let mut took_s = self.random.lognormal(base_s + prompt_s, STEP_SPREAD);
        if self.random.chance(1.0 / HICCUP_EVERY) {
            took_s += self.random.exponential(HICCUP_S);
        }
        self.effort.busy_s += took_s;
        self.effort.prompt_s += prompt_s;
        took_s
    }

    /// Spends `budget` tokens on prompts in order of arrival; returns those spent.
    fn prefill(&mut self, budget: u32) -> u32 {
        let mut spent = 0;
        for prefilling in &mut self.prefilling {
            let now = prefilling.left.min(budget - spent);
            prefilling.left -= now;
            spent += now;
        }
        spent
    }

    fn end(&mut self, mut request: Request, lease: Lease) {
        request.progress.last_token_s = self.clock_s;
        let handed_over = self.options.role == Role::Prefill;
        let max_tokens = if handed_over { 1 } else { request.max_tokens };
        record::finished(&mut self.ledger, &request, max_tokens, self.clock_s);
        if handed_over {
            let request = Request { remote: Some(lease), ..request };
            self.outbox.prefilled.push((self.clock_s, request));
        } else {
            self.kv.give_back(lease);
            self.outbox.finished.push(Finished { request, finished_s: self.clock_s });
        }
    }

    /// Takes the blocks that running requests begin, preempting the latest while there are none.
    fn grow(&mut self) {
        while !self.kv.grow(self.running.blocks_begun(self.iteration)) {
            let Some((mut request, lease)) = self.running.take_latest(self.iteration) else {
                return;
            };
            self.kv.give_back(lease);
            request.progress.preemptions += 1;
            request.progress.last_token_s = self.clock_s;
            self.ledger.add(Measure::Preemptions, 0, 1.0);
            self.waiting.push_front(request);
        }
    }

    /// Requests whose prompts are done get their next token and join the batch.
    fn start_running(&mut self) {
        while self.prefilling.front().is_some_and(|first| first.left == 0) {
            let Some(Prefilling { mut request, lease, .. }) = self.prefilling.pop_front() else {
                return;
            };
            if request.progress.first_token_s.is_none() {
                request.progress.first_token_s = Some(self.clock_s);
                record::first_token(&mut self.ledger, &request, self.clock_s);
            } else {
                let pause_s = self.clock_s - request.progress.last_token_s;
                self.ledger.observe(Measure::InterToken, 0, pause_s, 1);
            }
            request.progress.generated += 1;
            self.ledger.add(Measure::GenerationTokens, 0, 1.0);
            if self.options.role == Role::Prefill || request.progress.generated == request.output {
                self.end(request, lease);
                continue;
            }
            self.running.join(request, lease, self.iteration);
        }
    }

    fn show(&mut self) {
        let deferred = self.fetching.len() as f64;
        for (measure, cell, value) in [
            (Measure::Running, 0, self.num_running() as f64),
            (Measure::Waiting, 0, self.num_waiting() as f64),
            (Measure::WaitingByReason, 0, self.waiting.len() as f64),
            (Measure::WaitingByReason, 1, deferred),
            (Measure::KvUsage, 0, self.kv.usage()),
        ] {
            self.ledger.set(measure, cell, value);
        }
    }
}
