//! vLLM's own families, each once; `vllm_0_32` and `vllm_0_10` list those of a release.
//!
//! Names, types, labels and buckets are those of pages captured from vLLM 0.10.2 and 0.32.0.

use super::super::family::{Family, Kind, Labels};
use super::super::measure::Measure;
use super::bucket;

const ENGINE: Labels = &[("engine", "0"), ("model_name", "$model")];

pub(super) const FLOPS: Family = counter(
    "vllm:estimated_flops_per_gpu_total",
    Measure::Zero,
    "Floating point operations per GPU, estimated; 0 unless their estimation is switched on.",
);

pub(super) const READ_BYTES: Family = counter(
    "vllm:estimated_read_bytes_per_gpu_total",
    Measure::Zero,
    "Bytes read from GPU memory, estimated; 0 unless their estimation is switched on.",
);

pub(super) const WRITE_BYTES: Family = counter(
    "vllm:estimated_write_bytes_per_gpu_total",
    Measure::Zero,
    "Bytes written to GPU memory, estimated; 0 unless their estimation is switched on.",
);

pub(super) const RUNNING: Family =
    gauge("vllm:num_requests_running", Measure::Running, "Requests in the engine's batch.");

pub(super) const WAITING: Family =
    gauge("vllm:num_requests_waiting", Measure::Waiting, "Requests in the engine's queue.");

pub(super) const WAITING_BY_REASON: Family = gauge(
    "vllm:num_requests_waiting_by_reason",
    Measure::WaitingByReason,
    "Requests in the engine's queue by what they wait for: capacity, or something else that holds them up.",
).series(&[&[("reason", "capacity")], &[("reason", "deferred")]]);

pub(super) const SLEEP_STATE: Family =
    gauge("vllm:engine_sleep_state", Measure::SleepState, "1 for the state that the engine is in.")
        .series(&[
            &[("sleep_state", "awake")],
            &[("sleep_state", "weights_offloaded")],
            &[("sleep_state", "discard_all")],
        ]);

pub(super) const OLD_KV_USAGE: Family = gauge(
    "vllm:gpu_cache_usage_perc",
    Measure::KvUsage,
    "Used share of the KV cache; 1 is full. Superseded by vllm:kv_cache_usage_perc.",
);

pub(super) const OLD_PREFIX_QUERIES: Family = counter(
    "vllm:gpu_prefix_cache_queries_total",
    Measure::PrefixQueries,
    "Tokens looked up in the prefix cache. Superseded by vllm:prefix_cache_queries.",
);

pub(super) const OLD_PREFIX_HITS: Family = counter(
    "vllm:gpu_prefix_cache_hits_total",
    Measure::PrefixHits,
    "Tokens found in the prefix cache. Superseded by vllm:prefix_cache_hits.",
);

pub(super) const KV_USAGE: Family =
    gauge("vllm:kv_cache_usage_perc", Measure::KvUsage, "Used share of the KV cache; 1 is full.");

pub(super) const PREFIX_QUERIES: Family = counter(
    "vllm:prefix_cache_queries_total",
    Measure::PrefixQueries,
    "Tokens looked up in the prefix cache.",
);

pub(super) const PREFIX_HITS: Family = counter(
    "vllm:prefix_cache_hits_total",
    Measure::PrefixHits,
    "Tokens found in the prefix cache.",
);

pub(super) const EXTERNAL_QUERIES: Family = counter(
    "vllm:external_prefix_cache_queries_total",
    Measure::ExternalQueries,
    "Tokens asked of other instances through the KV connector.",
);

pub(super) const EXTERNAL_HITS: Family = counter(
    "vllm:external_prefix_cache_hits_total",
    Measure::ExternalHits,
    "Tokens got from other instances through the KV connector.",
);

pub(super) const MM_QUERIES: Family = counter(
    "vllm:mm_cache_queries_total",
    Measure::Zero,
    "Items looked up in the multi-modal cache.",
);

pub(super) const MM_HITS: Family =
    counter("vllm:mm_cache_hits_total", Measure::Zero, "Items found in the multi-modal cache.");

pub(super) const PREEMPTIONS: Family = counter(
    "vllm:num_preemptions_total",
    Measure::Preemptions,
    "Requests put out of the batch again.",
);

pub(super) const PROMPT_TOKENS: Family =
    counter("vllm:prompt_tokens_total", Measure::PromptTokens, "Prompt tokens processed.");

pub(super) const PROMPT_TOKENS_BY_SOURCE: Family = counter(
    "vllm:prompt_tokens_by_source_total",
    Measure::PromptTokensBySource,
    "Prompt tokens processed, by where their KV entries came from.",
)
.series(&[
    &[("source", "local_compute")],
    &[("source", "local_cache_hit")],
    &[("source", "external_kv_transfer")],
]);

pub(super) const PROMPT_TOKENS_CACHED: Family = counter(
    "vllm:prompt_tokens_cached_total",
    Measure::PromptTokensCached,
    "Prompt tokens processed that were not computed here.",
);

pub(super) const CACHED_BY_SOURCE: Family = counter(
    "vllm:prompt_tokens_cached_by_source_total",
    Measure::CachedBySource,
    "Prompt tokens found in a cache, by the tier that had them.",
)
.series(&[
    &[("source", "device")],
    &[("source", "host")],
    &[("source", "p2p")],
    &[("source", "disk")],
    &[("source", "external_unspecified")],
]);

pub(super) const GENERATION_TOKENS: Family =
    counter("vllm:generation_tokens_total", Measure::GenerationTokens, "Tokens generated.");

pub(super) const FINISHED: Family =
    counter("vllm:request_success_total", Measure::Finished, "Requests that ended, by how.")
        .series(&[
            &[("finished_reason", "stop")],
            &[("finished_reason", "length")],
            &[("finished_reason", "abort")],
            &[("finished_reason", "error")],
            &[("finished_reason", "repetition")],
        ]);

pub(super) const PROMPT_LENGTHS: Family = histogram(
    "vllm:request_prompt_tokens",
    bucket::LENGTHS,
    Measure::RequestPromptTokens,
    "Prompt tokens per request.",
);

pub(super) const GENERATION_LENGTHS: Family = histogram(
    "vllm:request_generation_tokens",
    bucket::LENGTHS,
    Measure::RequestGenerationTokens,
    "Generated tokens per request.",
);

pub(super) const ITERATION_TOKENS: Family = histogram(
    "vllm:iteration_tokens_total",
    bucket::ITERATION,
    Measure::IterationTokens,
    "Tokens per engine iteration.",
);

pub(super) const MAX_GENERATION_LENGTHS: Family = histogram(
    "vllm:request_max_num_generation_tokens",
    bucket::LENGTHS,
    Measure::RequestGenerationTokens,
    "Most tokens generated by one sequence of a request.",
);

pub(super) const PARAMETER_N: Family = histogram(
    "vllm:request_params_n",
    bucket::N,
    Measure::RequestN,
    "The parameter n of requests.",
);

pub(super) const PARAMETER_MAX_TOKENS: Family = histogram(
    "vllm:request_params_max_tokens",
    bucket::LENGTHS,
    Measure::RequestMaxTokens,
    "The parameter max_tokens of requests.",
);

pub(super) const FIRST_TOKEN: Family = histogram(
    "vllm:time_to_first_token_seconds",
    bucket::FIRST_TOKEN,
    Measure::TimeToFirstToken,
    "Time to the first token in seconds.",
);

pub(super) const OLD_INTER_TOKEN: Family = histogram(
    "vllm:time_per_output_token_seconds",
    bucket::TOKEN,
    Measure::InterToken,
    "Time between tokens in seconds. Superseded by vllm:inter_token_latency_seconds.",
);

pub(super) const INTER_TOKEN: Family = histogram(
    "vllm:inter_token_latency_seconds",
    bucket::TOKEN,
    Measure::InterToken,
    "Time between tokens in seconds.",
);

pub(super) const REQUEST_TOKEN: Family = histogram(
    "vllm:request_time_per_output_token_seconds",
    bucket::TOKEN,
    Measure::TimePerOutputToken,
    "A request's mean time per token after the first in seconds.",
);

pub(super) const END_TO_END: Family = histogram(
    "vllm:e2e_request_latency_seconds",
    bucket::REQUEST,
    Measure::EndToEnd,
    "Time from a request's arrival to its end in seconds.",
);

pub(super) const QUEUE_TIME: Family = histogram(
    "vllm:request_queue_time_seconds",
    bucket::REQUEST,
    Measure::QueueTime,
    "Time a request waited in seconds.",
);

pub(super) const INFERENCE_TIME: Family = histogram(
    "vllm:request_inference_time_seconds",
    bucket::REQUEST,
    Measure::InferenceTime,
    "Time a request was in the batch in seconds.",
);

pub(super) const PREFILL_TIME: Family = histogram(
    "vllm:request_prefill_time_seconds",
    bucket::REQUEST,
    Measure::PrefillTime,
    "Time of a request's prefill in seconds.",
);

pub(super) const DECODE_TIME: Family = histogram(
    "vllm:request_decode_time_seconds",
    bucket::REQUEST,
    Measure::DecodeTime,
    "Time of a request's decode in seconds.",
);

pub(super) const REQUEST_PREEMPTIONS: Family = histogram(
    "vllm:request_num_preemptions",
    bucket::PREEMPTIONS,
    Measure::RequestPreemptions,
    "How often a request was put out of the batch.",
);

pub(super) const PREFILL_COMPUTED: Family = histogram(
    "vllm:request_prefill_kv_computed_tokens",
    bucket::LENGTHS,
    Measure::RequestPrefillComputed,
    "Prompt tokens per request that were computed here.",
);

/// How requests end in the releases before errors and repetitions were told apart.
pub(super) const FINISHED_0_10: Family = FINISHED.series(&[
    &[("finished_reason", "stop")],
    &[("finished_reason", "length")],
    &[("finished_reason", "abort")],
]);

/// Belongs to the API server, not to an engine.
pub(super) const REJECTIONS: Family = counter(
    "vllm:admission_rejections_total",
    Measure::Zero,
    "Requests refused because a queue was full, by the limit that was reached.",
)
.labels(&[("model_name", "$model")])
.series(&[&[("reason", "max_num_queued_reqs")], &[("reason", "max_num_queued_tokens")]]);

/// Its labels differ from release to release; it has none for the model.
pub(super) const CACHE_CONFIG: Family = Family::new(
    "vllm:cache_config_info",
    Kind::Gauge,
    Measure::One,
    "How the engine's cache is set up",
);

const fn counter(name: &'static str, measure: Measure, help: &'static str) -> Family {
    Family::new(name, Kind::Counter, measure, help).labels(ENGINE).created()
}

const fn gauge(name: &'static str, measure: Measure, help: &'static str) -> Family {
    Family::new(name, Kind::Gauge, measure, help).labels(ENGINE)
}

const fn histogram(
    name: &'static str,
    buckets: Kind,
    measure: Measure,
    help: &'static str,
) -> Family {
    Family::new(name, buckets, measure, help).labels(ENGINE).created()
}
