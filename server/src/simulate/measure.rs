//! Everything that the simulated fleet counts, one name each.
//!
//! A family of a page shows one measure; two families may show the same one (old and new names of
//! a metric). A measure has as many cells as the family that shows it has series, in their order.

macro_rules! measures {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// A quantity that is counted, set or observed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Measure { $($(#[$doc])* $name),+ }

        impl Measure {
            /// How many measures there are.
            pub(crate) const COUNT: usize = [$(Measure::$name),+].len();
        }
    };
}

measures! {
    /// Always 0: what this fleet never does.
    Zero,
    /// Always 1: information carried in labels.
    One,

    // A process.
    /// Objects freed by Python's garbage collector, by generation.
    GcObjects,
    /// Runs of Python's garbage collector, by generation.
    GcRuns,
    /// Bytes of address space.
    VirtualMemory,
    /// Bytes of memory in use.
    ResidentMemory,
    /// Unix seconds when the process started.
    ProcessStart,
    /// Seconds of CPU used.
    CpuSeconds,
    /// Open file descriptors.
    OpenFiles,
    /// Limit of open file descriptors.
    MaxFiles,
    /// Goroutines of a Go process.
    Goroutines,

    // An engine.
    /// Requests in the batch.
    Running,
    /// Requests that wait.
    Waiting,
    /// Requests that wait: for capacity, for something else.
    WaitingByReason,
    /// 1 for the state the engine is in: awake, weights offloaded, all discarded.
    SleepState,
    /// Used share of the KV cache, 0 to 1.
    KvUsage,
    /// Tokens looked up in the prefix cache.
    PrefixQueries,
    /// Tokens found in the prefix cache.
    PrefixHits,
    /// Tokens asked of other instances.
    ExternalQueries,
    /// Tokens got from other instances.
    ExternalHits,
    /// Requests put out of the batch for want of KV blocks.
    Preemptions,
    /// Prompt tokens done.
    PromptTokens,
    /// Prompt tokens: computed here, found in the cache, transferred.
    PromptTokensBySource,
    /// Prompt tokens that were not computed here.
    PromptTokensCached,
    /// Cached prompt tokens by tier: device, host, p2p, disk, unspecified.
    CachedBySource,
    /// Tokens generated.
    GenerationTokens,
    /// Finished requests: stop, length, abort, error, repetition.
    Finished,
    /// Prompt tokens of a request.
    RequestPromptTokens,
    /// Generated tokens of a request.
    RequestGenerationTokens,
    /// Tokens of one engine iteration.
    IterationTokens,
    /// The parameter `n` of a request.
    RequestN,
    /// The parameter `max_tokens` of a request.
    RequestMaxTokens,
    /// Seconds from a request's arrival to its first token.
    TimeToFirstToken,
    /// Seconds between two tokens of a request.
    InterToken,
    /// Mean seconds per token after the first, of a request.
    TimePerOutputToken,
    /// Seconds from a request's arrival to its end.
    EndToEnd,
    /// Seconds a request waited.
    QueueTime,
    /// Seconds a request was in the batch.
    InferenceTime,
    /// Seconds of a request's prefill.
    PrefillTime,
    /// Seconds of a request's decode.
    DecodeTime,
    /// How often a request was preempted.
    RequestPreemptions,
    /// Prompt tokens of a request that were computed here.
    RequestPrefillComputed,

    // An engine's HTTP server; handlers are chat, completions, models.
    /// Answers: 2xx by handler, then 4xx of completions.
    HttpRequests,
    /// Bytes of a request, by handler.
    HttpRequestBytes,
    /// Bytes of an answer, by handler.
    HttpResponseBytes,
    /// Seconds of any call.
    HttpDuration,
    /// Seconds of a call, by handler.
    HttpDurationByHandler,

    // The endpoint picker; by model where nothing else is said.
    /// Requests routed.
    Routed,
    /// Requests turned away because the queues were full.
    Refused,
    /// Seconds from a request's arrival to the end of its answer.
    RoutedDuration,
    /// Bytes of a request.
    RoutedRequestBytes,
    /// Bytes of an answer.
    RoutedResponseBytes,
    /// Prompt tokens of a request.
    RoutedInputTokens,
    /// Generated tokens of a request.
    RoutedOutputTokens,
    /// Cached prompt tokens of a request.
    RoutedCachedTokens,
    /// Requests under way.
    RoutedRunning,
    /// Seconds of a request per generated token.
    RoutedNormalised,
    /// Seconds to the first byte: not streamed, streamed.
    RoutedTtft,
    /// Mean seconds per token after the first, streamed.
    RoutedTpot,
    /// Seconds between two chunks of an answer, streamed.
    RoutedItl,
    /// How requests were split: decode only, prefill and decode.
    DisaggDecisions,
    /// The pool: mean and standard deviation of KV usage.
    PoolKvMean,
    /// See [`Measure::PoolKvMean`].
    PoolKvDeviation,
    /// The pool: mean and standard deviation of the queues' lengths.
    PoolQueueMean,
    /// See [`Measure::PoolQueueMean`].
    PoolQueueDeviation,
    /// The pool: mean and standard deviation of running requests.
    PoolRunningMean,
    /// See [`Measure::PoolRunningMean`].
    PoolRunningDeviation,
    /// Endpoints that are ready.
    PoolReady,
    /// Length of the queue, by endpoint.
    EndpointQueue,
    /// Seconds of a scheduling decision.
    SchedulerDuration,
    /// Scheduling decisions, by endpoint.
    SchedulerAttempts,
    /// Seconds in a plugin, by plugin.
    PluginDuration,
    /// Prefixes the picker remembers.
    PrefixIndexSize,
    /// Share of a prompt that the picker knew.
    PrefixIndexHitRatio,
    /// Bytes of a prompt that the picker knew.
    PrefixIndexHitBytes,
    /// Seconds in flow control.
    FlowDuration,
    /// Requests held by flow control.
    FlowQueue,
    /// Bytes held by flow control.
    FlowBytes,
    /// How full the pool is, 0 to 1.
    FlowSaturation,

    // A GPU.
    /// Clock of the multiprocessors, MHz.
    GpuClock,
    /// Clock of the memory, MHz.
    GpuMemoryClock,
    /// Degrees Celsius of the chip.
    GpuTemperature,
    /// Degrees Celsius of the memory.
    GpuMemoryTemperature,
    /// Watts.
    GpuPower,
    /// Millijoules since boot.
    GpuEnergy,
    /// Busy share of time, percent.
    GpuUtilisation,
    /// Busy share of the memory's time, percent.
    GpuCopyUtilisation,
    /// Memory in MiB: free.
    GpuMemoryFree,
    /// Memory in MiB: used.
    GpuMemoryUsed,
    /// Memory in MiB: reserved.
    GpuMemoryReserved,
    /// Share of time in which the engine was active.
    GpuEngineActive,
    /// Share of cycles of the tensor cores.
    GpuTensorActive,
    /// Share of cycles of the memory.
    GpuMemoryActive,
    /// Bytes sent over PCIe, per second.
    GpuPcieSent,
    /// Bytes received over PCIe, per second.
    GpuPcieReceived,
    /// Bytes over NVLink since boot.
    GpuNvlink,
}
