//! Families that come with a Python web server: the process, the garbage collector, HTTP.

use super::super::family::{Family, Kind, Labels};
use super::super::measure::Measure;
use super::bucket;

const GENERATIONS: &[Labels] =
    &[&[("generation", "0")], &[("generation", "1")], &[("generation", "2")]];

const HANDLERS: &[Labels] = &[
    &[("handler", "/v1/chat/completions")],
    &[("handler", "/v1/completions")],
    &[("handler", "/v1/models")],
];

const METHODS: &[Labels] = &[
    &[("handler", "/v1/chat/completions"), ("method", "POST")],
    &[("handler", "/v1/completions"), ("method", "POST")],
    &[("handler", "/v1/models"), ("method", "GET")],
];

const ANSWERS: &[Labels] = &[
    &[("handler", "/v1/chat/completions"), ("method", "POST"), ("status", "2xx")],
    &[("handler", "/v1/completions"), ("method", "POST"), ("status", "2xx")],
    &[("handler", "/v1/models"), ("method", "GET"), ("status", "2xx")],
    &[("handler", "/v1/completions"), ("method", "POST"), ("status", "4xx")],
];

pub(super) const GC_COLLECTED: Family = Family::new(
    "python_gc_objects_collected_total",
    Kind::Counter,
    Measure::GcObjects,
    "Objects the garbage collector has freed",
)
.series(GENERATIONS);

pub(super) const GC_UNCOLLECTABLE: Family = Family::new(
    "python_gc_objects_uncollectable_total",
    Kind::Counter,
    Measure::Zero,
    "Objects the garbage collector could not free",
)
.series(GENERATIONS);

pub(super) const GC_COLLECTIONS: Family = Family::new(
    "python_gc_collections_total",
    Kind::Counter,
    Measure::GcRuns,
    "Runs of the garbage collector by generation",
)
.series(GENERATIONS);

pub(super) const PYTHON: Family =
    Family::new("python_info", Kind::Gauge, Measure::One, "The Python that runs the server")
        .labels(&[
            ("implementation", "CPython"),
            ("major", "3"),
            ("minor", "12"),
            ("patchlevel", "11"),
            ("version", "3.12.11"),
        ]);

pub(super) const VIRTUAL_MEMORY: Family = Family::new(
    "process_virtual_memory_bytes",
    Kind::Gauge,
    Measure::VirtualMemory,
    "Address space of the process in bytes.",
);

pub(super) const RESIDENT_MEMORY: Family = Family::new(
    "process_resident_memory_bytes",
    Kind::Gauge,
    Measure::ResidentMemory,
    "Memory of the process in bytes.",
);

pub(super) const START_TIME: Family = Family::new(
    "process_start_time_seconds",
    Kind::Gauge,
    Measure::ProcessStart,
    "When the process started, Unix time in seconds.",
);

pub(super) const CPU: Family = Family::new(
    "process_cpu_seconds_total",
    Kind::Counter,
    Measure::CpuSeconds,
    "CPU time of the process, user and system, in seconds.",
);

pub(super) const OPEN_FILES: Family = Family::new(
    "process_open_fds",
    Kind::Gauge,
    Measure::OpenFiles,
    "File descriptors that are open.",
);

pub(super) const MAX_FILES: Family = Family::new(
    "process_max_fds",
    Kind::Gauge,
    Measure::MaxFiles,
    "File descriptors that may be open.",
);

pub(super) const HTTP_REQUESTS: Family = Family::new(
    "http_requests_total",
    Kind::Counter,
    Measure::HttpRequests,
    "Calls by handler, method and class of status.",
)
.series(ANSWERS)
.created()
.late();

pub(super) const HTTP_REQUEST_BYTES: Family = Family::new(
    "http_request_size_bytes",
    Kind::Summary,
    Measure::HttpRequestBytes,
    "Sizes of calls' bodies by handler, as their headers give them. ",
)
.series(HANDLERS)
.created()
.late();

pub(super) const HTTP_RESPONSE_BYTES: Family = Family::new(
    "http_response_size_bytes",
    Kind::Summary,
    Measure::HttpResponseBytes,
    "Sizes of answers' bodies by handler, as their headers give them. ",
)
.series(HANDLERS)
.created()
.late();

pub(super) const HTTP_DURATION: Family = Family::new(
    "http_request_duration_highr_seconds",
    bucket::HTTP,
    Measure::HttpDuration,
    "Times of all calls in fine buckets. ",
)
.created();

pub(super) const HTTP_DURATION_BY_HANDLER: Family = Family::new(
    "http_request_duration_seconds",
    bucket::HTTP_HANDLER,
    Measure::HttpDurationByHandler,
    "Times of calls by handler in coarse buckets. ",
)
.series(METHODS)
.created()
.late();
