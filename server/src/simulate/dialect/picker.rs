//! The page of llm-d's endpoint picker (EPP) with today's names, `llm_d_epp_…`.
//!
//! Names, labels and buckets are those of llm-d-router 0.9; a Go page shows its families in
//! alphabetical order. Left out are the families that appear only with optional plugins.

use super::super::family::{Dialect, Each, Family, Kind, Labels};
use super::super::measure::Measure;
use super::super::number::Style;
use super::bucket;

/// The endpoint picker.
pub(crate) static PICKER: Dialect = Dialect {
    style: Style::Go,
    content_type: "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
    families: FAMILIES,
};

const POOL: Labels = &[("name", "$pool")];

const MODEL: Labels = &[
    ("fairness_id", "default-flow"),
    ("model_name", "$model"),
    ("priority", "0"),
    ("target_model_name", "$model"),
];

const MODEL_ERROR: Labels = &[
    ("error_code", "InferencePoolResourceExhausted"),
    ("fairness_id", "default-flow"),
    ("model_name", "$model"),
    ("priority", "0"),
    ("target_model_name", "$model"),
];

/// [`MODEL`] up to where the label `streaming` stands.
const MODEL_HEAD: Labels =
    &[("fairness_id", "default-flow"), ("model_name", "$model"), ("priority", "0")];

const STREAMED_NO: Labels = &[("streaming", "false"), ("target_model_name", "$model")];

const STREAMED_YES: Labels = &[("streaming", "true"), ("target_model_name", "$model")];

const FLOW: Labels = &[
    ("fairness_id", "default-flow"),
    ("inference_pool", "$pool"),
    ("model_name", "$model"),
    ("priority", "0"),
    ("target_model_name", "$model"),
];

const FLOW_OUTCOME: Labels = &[
    ("fairness_id", "default-flow"),
    ("inference_pool", "$pool"),
    ("model_name", "$model"),
    ("outcome", "Dispatched"),
    ("priority", "0"),
    ("target_model_name", "$model"),
];

const ATTEMPT: Labels = &[
    ("endpoint_name", "$endpoint"),
    ("namespace", "$namespace"),
    ("port", "$port"),
    ("status", "success"),
    ("target_model_name", "$model"),
];

const DECISIONS: &[Labels] = &[
    &[("decision_type", "decode-only"), ("model_name", "$model")],
    &[("decision_type", "prefill-decode"), ("model_name", "$model")],
];

const PLUGINS: &[Labels] = &[
    &[("extension_point", "Filter"), ("plugin_name", "by-label"), ("plugin_type", "by-label")],
    &[
        ("extension_point", "Scorer"),
        ("plugin_name", "prefix-cache-scorer"),
        ("plugin_type", "prefix-cache-scorer"),
    ],
    &[
        ("extension_point", "Scorer"),
        ("plugin_name", "load-aware-scorer"),
        ("plugin_type", "load-aware-scorer"),
    ],
    &[
        ("extension_point", "Picker"),
        ("plugin_name", "max-score-picker"),
        ("plugin_type", "max-score-picker"),
    ],
];

const FAMILIES: &[Family] = &[
    Family::new("go_goroutines", Kind::Gauge, Measure::Goroutines, "Goroutines that exist."),
    Family::new(
        "llm_d_epp_average_kv_cache_utilization",
        Kind::Gauge,
        Measure::PoolKvMean,
        "Mean used share of the KV caches in the pool.",
    )
    .labels(POOL),
    Family::new(
        "llm_d_epp_average_queue_size",
        Kind::Gauge,
        Measure::PoolQueueMean,
        "Mean number of requests waiting at a model server of the pool.",
    )
    .labels(POOL),
    Family::new(
        "llm_d_epp_average_running_requests",
        Kind::Gauge,
        Measure::PoolRunningMean,
        "Mean number of requests running at a model server of the pool.",
    )
    .labels(POOL),
    Family::new(
        "llm_d_epp_disagg_decision_total",
        Kind::Counter,
        Measure::DisaggDecisions,
        "Requests by how they were split over the pool.",
    )
    .series(DECISIONS)
    .each(Each::Model)
    .late(),
    Family::new(
        "llm_d_epp_flow_control_pool_saturation",
        Kind::Gauge,
        Measure::FlowSaturation,
        "How full the pool is; 1 is full.",
    )
    .labels(&[("inference_pool", "$pool")]),
    Family::new(
        "llm_d_epp_flow_control_queue_bytes",
        Kind::Gauge,
        Measure::FlowBytes,
        "Bytes of the requests that flow control holds.",
    )
    .labels(FLOW)
    .each(Each::Model),
    Family::new(
        "llm_d_epp_flow_control_queue_size",
        Kind::Gauge,
        Measure::FlowQueue,
        "Requests that flow control holds.",
    )
    .labels(FLOW)
    .each(Each::Model),
    Family::new(
        "llm_d_epp_flow_control_request_queue_duration_seconds",
        bucket::FLOW,
        Measure::FlowDuration,
        "Time requests spent in flow control in seconds.",
    )
    .labels(FLOW_OUTCOME)
    .each(Each::Model)
    .late(),
    Family::new("llm_d_epp_info", Kind::Gauge, Measure::One, "The build of the endpoint picker.")
        .labels(&[("build_ref", "v0.9.1"), ("commit", "simulated")]),
    Family::new(
        "llm_d_epp_per_endpoint_queue_size",
        Kind::Gauge,
        Measure::EndpointQueue,
        "Requests waiting at each model server.",
    )
    .labels(&[("model_server_endpoint", "$endpoint"), ("name", "$pool")])
    .each(Each::Endpoint),
    Family::new(
        "llm_d_epp_plugin_duration_seconds",
        bucket::DECISION,
        Measure::PluginDuration,
        "Time of a scheduling plugin in seconds.",
    )
    .series(PLUGINS)
    .late(),
    Family::new(
        "llm_d_epp_prefix_indexer_hit_bytes",
        bucket::PREFIX_BYTES,
        Measure::PrefixIndexHitBytes,
        "Bytes of a prompt that the prefix index knew.",
    )
    .late(),
    Family::new(
        "llm_d_epp_prefix_indexer_hit_ratio",
        bucket::SHARE,
        Measure::PrefixIndexHitRatio,
        "Share of a prompt that the prefix index knew.",
    )
    .late(),
    Family::new(
        "llm_d_epp_prefix_indexer_size",
        Kind::Gauge,
        Measure::PrefixIndexSize,
        "Entries of the prefix index.",
    ),
    Family::new(
        "llm_d_epp_ready_endpoints",
        Kind::Gauge,
        Measure::PoolReady,
        "Model servers of the pool that are ready.",
    )
    .labels(POOL),
    Family::new(
        "llm_d_epp_request_cached_tokens",
        bucket::INPUT_TOKENS,
        Measure::RoutedCachedTokens,
        "Prompt tokens per request that came from a cache.",
    )
    .labels(MODEL)
    .each(Each::Model)
    .late(),
    Family::new(
        "llm_d_epp_request_duration_seconds",
        bucket::PICKED,
        Measure::RoutedDuration,
        "Time from a request to the end of its answer in seconds.",
    )
    .labels(MODEL)
    .each(Each::Model)
    .late(),
    Family::new(
        "llm_d_epp_request_error_total",
        Kind::Counter,
        Measure::Refused,
        "Requests answered with an error, by its code.",
    )
    .labels(MODEL_ERROR)
    .each(Each::Model)
    .late(),
    Family::new(
        "llm_d_epp_request_input_tokens",
        bucket::INPUT_TOKENS,
        Measure::RoutedInputTokens,
        "Prompt tokens per request.",
    )
    .labels(MODEL)
    .each(Each::Model)
    .late(),
    Family::new(
        "llm_d_epp_request_ntpot_seconds",
        bucket::NORMALISED,
        Measure::RoutedNormalised,
        "Time of a request over its generated tokens in seconds.",
    )
    .labels(MODEL)
    .each(Each::Model)
    .late(),
    Family::new(
        "llm_d_epp_request_output_tokens",
        bucket::OUTPUT_TOKENS,
        Measure::RoutedOutputTokens,
        "Generated tokens per request.",
    )
    .labels(MODEL)
    .each(Each::Model)
    .late(),
    Family::new(
        "llm_d_epp_request_running",
        Kind::Gauge,
        Measure::RoutedRunning,
        "Requests under way.",
    )
    .labels(MODEL)
    .each(Each::Model),
    Family::new(
        "llm_d_epp_request_size_bytes",
        bucket::REQUEST_BYTES,
        Measure::RoutedRequestBytes,
        "Bytes per request.",
    )
    .labels(MODEL)
    .each(Each::Model)
    .late(),
    Family::new(
        "llm_d_epp_request_streaming_itl_seconds",
        bucket::PICKED_ITL,
        Measure::RoutedItl,
        "Time between chunks of streamed answers in seconds.",
    )
    .labels(MODEL)
    .each(Each::Model)
    .late(),
    Family::new(
        "llm_d_epp_request_streaming_tpot_seconds",
        bucket::PICKED_TPOT,
        Measure::RoutedTpot,
        "Mean time per token after the first of streamed answers in seconds.",
    )
    .labels(MODEL)
    .each(Each::Model)
    .late(),
    Family::new("llm_d_epp_request_total", Kind::Counter, Measure::Routed, "Requests handled.")
        .labels(MODEL)
        .each(Each::Model)
        .late(),
    Family::new(
        "llm_d_epp_request_ttft_seconds",
        bucket::PICKED_TTFT,
        Measure::RoutedTtft,
        "Time from a request to the first byte of its answer in seconds.",
    )
    .labels(MODEL_HEAD)
    .series(&[STREAMED_NO, STREAMED_YES])
    .each(Each::Model)
    .late(),
    Family::new(
        "llm_d_epp_response_size_bytes",
        bucket::RESPONSE_BYTES,
        Measure::RoutedResponseBytes,
        "Bytes per answer.",
    )
    .labels(MODEL)
    .each(Each::Model)
    .late(),
    Family::new(
        "llm_d_epp_scheduler_attempts_total",
        Kind::Counter,
        Measure::SchedulerAttempts,
        "Scheduling decisions by outcome and chosen endpoint.",
    )
    .labels(ATTEMPT)
    .each(Each::Endpoint)
    .late(),
    Family::new(
        "llm_d_epp_scheduler_e2e_duration_seconds",
        bucket::DECISION,
        Measure::SchedulerDuration,
        "Time of a scheduling decision in seconds.",
    )
    .late(),
    Family::new(
        "llm_d_epp_std_dev_kv_cache_utilization",
        Kind::Gauge,
        Measure::PoolKvDeviation,
        "Standard deviation of the used shares of the KV caches in the pool.",
    )
    .labels(POOL),
    Family::new(
        "llm_d_epp_std_dev_queue_size",
        Kind::Gauge,
        Measure::PoolQueueDeviation,
        "Standard deviation of the requests waiting at the model servers of the pool.",
    )
    .labels(POOL),
    Family::new(
        "llm_d_epp_std_dev_running_requests",
        Kind::Gauge,
        Measure::PoolRunningDeviation,
        "Standard deviation of the requests running at the model servers of the pool.",
    )
    .labels(POOL),
    Family::new(
        "process_cpu_seconds_total",
        Kind::Counter,
        Measure::CpuSeconds,
        "CPU time of the process, user and system, in seconds.",
    ),
    Family::new(
        "process_max_fds",
        Kind::Gauge,
        Measure::MaxFiles,
        "File descriptors that may be open.",
    ),
    Family::new(
        "process_open_fds",
        Kind::Gauge,
        Measure::OpenFiles,
        "File descriptors that are open.",
    ),
    Family::new(
        "process_resident_memory_bytes",
        Kind::Gauge,
        Measure::ResidentMemory,
        "Memory of the process in bytes.",
    ),
    Family::new(
        "process_start_time_seconds",
        Kind::Gauge,
        Measure::ProcessStart,
        "When the process started, Unix time in seconds.",
    ),
    Family::new(
        "process_virtual_memory_bytes",
        Kind::Gauge,
        Measure::VirtualMemory,
        "Address space of the process in bytes.",
    ),
];
