//! Who asks what: the arrivals of one model's requests.
//!
//! Arrivals are a Poisson process whose rate follows two slow waves and, now and then, a burst.
//! Lengths are lognormal. Many prompts begin with one of a few shared texts, some of them far more
//! often than others, and the share of such prompts drifts, which moves the prefix-cache hit rate.

use std::f64::consts::TAU;

use super::kv::BLOCK_TOKENS;
use super::random::Random;
use super::request::Request;

/// A model's load.
#[derive(Debug, Clone)]
pub(crate) struct Workload {
    /// The model's number.
    pub(crate) model: usize,
    /// Mean requests per second, bursts apart.
    pub(crate) rate: f64,
    /// How many shared texts there are.
    pub(crate) prefixes: usize,
    /// Median tokens of the part of a prompt that is not shared.
    pub(crate) prompt_median: f64,
    /// Median tokens of an answer.
    pub(crate) output_median: f64,
    /// Mean share of the prompts that begin with a shared text.
    pub(crate) shared_share: f64,
    /// Where the waves begin, in radians.
    pub(crate) phase: f64,
    /// Seconds until the first burst.
    pub(crate) first_burst_s: f64,
}

/// Periods (seconds) and heights of the waves of the rate.
const WAVES: [(f64, f64); 2] = [(1500.0, 0.24), (420.0, 0.10)];

/// Period (seconds) and height of the wave of the share of prompts with a shared text.
const SHARE_WAVE: (f64, f64) = (1100.0, 0.2);

/// Mean seconds between two bursts.
const BURST_EVERY_S: f64 = 540.0;

/// Shortest and longest burst, seconds.
const BURST_S: (f64, f64) = (30.0, 75.0);

/// Smallest and largest factor by which a burst raises the rate.
const BURST_FACTOR: (f64, f64) = (1.5, 2.2);

/// Spread (sigma) of the lengths of prompts and answers.
const LENGTH_SPREAD: f64 = 0.75;

/// Longest part of a prompt that is not shared, tokens.
const LONGEST_PROMPT: f64 = 9000.0;

/// The limits that clients set, and how often.
const MAX_TOKENS: [u32; 5] = [128, 256, 512, 1024, 2048];
const MAX_TOKENS_WEIGHTS: [f64; 5] = [0.15, 0.25, 0.35, 0.2, 0.05];

/// Share of chat calls; the others go to the completions handler.
const CHAT_SHARE: f64 = 0.7;

/// Share of clients that stream.
const STREAMING_SHARE: f64 = 0.8;

/// Answers without a shared text ask about longer documents: factor of their prompts' length.
const UNSHARED_FACTOR: f64 = 2.5;

#[derive(Debug, Clone, Copy)]
struct Burst {
    from_s: f64,
    to_s: f64,
    factor: f64,
}

/// The source of one model's requests.
#[derive(Debug)]
pub(crate) struct Traffic {
    load: Workload,
    random: Random,
    prefixes: Vec<u32>,
    weights: Vec<f64>,
    burst: Burst,
}

impl Traffic {
    /// The source of `load`; its shared texts are drawn from `random`.
    pub(crate) fn new(load: Workload, mut random: Random) -> Traffic {
        let length = |_| {
            let tokens = random.lognormal(1500.0, 0.45).clamp(320.0, 4000.0);
            tokens as u32 / BLOCK_TOKENS * BLOCK_TOKENS
        };
        let prefixes = (0..load.prefixes).map(length).collect();
        // Zipf's law: the second text is half as popular as the first, and so on.
        let weights = (0..load.prefixes).map(|rank| 1.0 / (rank as f64 + 1.0)).collect();
        let (from_s, factor) = (load.first_burst_s, BURST_FACTOR.1);
        let burst = Burst { from_s, to_s: from_s + BURST_S.0, factor };
        Traffic { load, random, prefixes, weights, burst }
    }

    /// Tokens of the shared texts.
    pub(crate) fn prefixes(&self) -> &[u32] {
        &self.prefixes
    }

    /// Requests per second at `age_s`, seconds after the fleet's start.
    fn rate(&mut self, age_s: f64) -> f64 {
        if age_s >= self.burst.to_s {
            let from_s = age_s + self.random.exponential(BURST_EVERY_S);
            let to_s = from_s + self.random.between(BURST_S.0, BURST_S.1);
            let factor = self.random.between(BURST_FACTOR.0, BURST_FACTOR.1);
            self.burst = Burst { from_s, to_s, factor };
        }
        let bursting = (self.burst.from_s..self.burst.to_s).contains(&age_s);
        let wave = |(period_s, height): (f64, f64)| {
            height * (TAU * age_s / period_s + self.load.phase).sin()
        };
        let waves: f64 = WAVES.into_iter().map(wave).sum();
        self.load.rate * (1.0 + waves) * if bursting { self.burst.factor } else { 1.0 }
    }

    /// The requests that are born in the `step_s` seconds after `now_s` (Unix seconds), in order.
    pub(crate) fn arrivals(&mut self, age_s: f64, now_s: f64, step_s: f64) -> Vec<Request> {
        let gap_s = 1.0 / self.rate(age_s);
        let mut requests = Vec::new();
        let mut at_s = self.random.exponential(gap_s);
        while at_s < step_s {
            requests.push(self.request(age_s, now_s + at_s));
            at_s += self.random.exponential(gap_s);
        }
        requests
    }

    fn request(&mut self, age_s: f64, born_s: f64) -> Request {
        let (period_s, height) = SHARE_WAVE;
        let share =
            self.load.shared_share + height * (TAU * age_s / period_s + self.load.phase).cos();
        let prefix = self.random.chance(share).then(|| self.random.weighted(&self.weights));
        let shared = prefix.map_or(0, |prefix| self.prefixes[prefix]);
        let factor = if prefix.is_some() { 1.0 } else { UNSHARED_FACTOR };
        let own = self.random.lognormal(self.load.prompt_median * factor, LENGTH_SPREAD);
        let max_tokens = MAX_TOKENS[self.random.weighted(&MAX_TOKENS_WEIGHTS)];
        let wanted = self.random.lognormal(self.load.output_median, LENGTH_SPREAD);
        Request {
            model: self.load.model,
            born_s,
            prompt: shared + own.clamp(4.0, LONGEST_PROMPT) as u32,
            prefix,
            output: (wanted as u32).clamp(1, max_tokens),
            max_tokens,
            chat: self.random.chance(CHAT_SHARE),
            streaming: self.random.chance(STREAMING_SHARE),
            ..Request::default()
        }
    }
}
