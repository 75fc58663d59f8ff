//! One request on its way through the fleet, and what it has met so far.

use super::kv::Lease;

/// A request: what the client asked, and its progress at the engine that has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// Number of the model asked for.
    pub(crate) model: usize,
    /// Unix seconds when the fleet received it.
    pub(crate) born_s: f64,
    /// Tokens of the prompt.
    pub(crate) prompt: u32,
    /// Number of the shared text at the prompt's beginning, if any.
    pub(crate) prefix: Option<usize>,
    /// Tokens that will be generated, at least 1.
    pub(crate) output: u32,
    /// The client's limit of generated tokens.
    pub(crate) max_tokens: u32,
    /// It came to the chat handler, not to the completions handler.
    pub(crate) chat: bool,
    /// The client wants tokens as they come.
    pub(crate) streaming: bool,
    /// KV blocks at the prefill engine that hold the whole prompt, to be fetched.
    pub(crate) remote: Option<Lease>,
    /// What happened at the engine that has it now.
    pub(crate) progress: Progress,
}

/// What happened to a request at one engine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    /// Unix seconds of arrival.
    pub(crate) arrival_s: f64,
    /// Unix seconds when it first left the queue.
    pub(crate) scheduled_s: Option<f64>,
    /// Unix seconds of the first token.
    pub(crate) first_token_s: Option<f64>,
    /// Unix seconds of the last token so far.
    pub(crate) last_token_s: f64,
    /// Tokens generated so far.
    pub(crate) generated: u32,
    /// How often it was preempted.
    pub(crate) preemptions: u32,
    /// Prompt tokens found in the engine's own prefix cache.
    pub(crate) cached: u32,
    /// Prompt tokens fetched from another engine.
    pub(crate) transferred: u32,
}

/// Bytes of text per token, as English has on average.
const BYTES_PER_TOKEN: f64 = 4.2;

impl Request {
    /// Bytes of the request's body.
    pub(crate) fn body_bytes(&self) -> f64 {
        (180.0 + BYTES_PER_TOKEN * f64::from(self.prompt)).round()
    }

    /// Bytes of the answer's body after `tokens` generated tokens.
    pub(crate) fn answer_bytes(&self, tokens: u32) -> f64 {
        (290.0 + BYTES_PER_TOKEN * f64::from(tokens)).round()
    }

    /// Tokens that need KV entries: the prompt and what was generated.
    pub(crate) fn tokens(&self) -> u32 {
        self.prompt + self.progress.generated
    }

    /// Prompt tokens that the engine has computed itself.
    pub(crate) fn computed(&self) -> u32 {
        self.prompt - self.progress.cached - self.progress.transferred
    }

    /// The same request as it arrives at an engine at `arrival_s`.
    pub(crate) fn arriving(self, arrival_s: f64) -> Request {
        Request { progress: Progress { arrival_s, ..Progress::default() }, ..self }
    }
}

/// A request whose answer is complete.
#[derive(Debug, Clone)]
pub(crate) struct Finished {
    /// The request with its progress at the engine that finished it.
    pub(crate) request: Request,
    /// Unix seconds of the last token.
    pub(crate) finished_s: f64,
}
