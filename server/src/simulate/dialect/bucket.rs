//! Bucket bounds that several families share, as vLLM, its HTTP server and the endpoint picker
//! set them.

use super::super::family::{Buckets, Kind};

/// vLLM: time to the first token, seconds.
pub(super) const FIRST_TOKEN: Kind = fixed(&[
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    20.0, 40.0, 80.0, 160.0, 640.0, 2560.0,
]);

/// vLLM: time per token, seconds.
pub(super) const TOKEN: Kind = fixed(&[
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0,
    40.0, 80.0,
]);

/// vLLM: times of a request, seconds.
pub(super) const REQUEST: Kind = fixed(&[
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0,
    480.0, 960.0, 1920.0, 7680.0,
]);

/// vLLM: tokens of one iteration.
pub(super) const ITERATION: Kind = fixed(&[
    1.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0, 16384.0,
]);

/// vLLM: the parameter `n`.
pub(super) const N: Kind = fixed(&[1.0, 2.0, 5.0, 10.0, 20.0]);

/// vLLM: preemptions of a request.
pub(super) const PREEMPTIONS: Kind = fixed(&[1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 20.0]);

/// vLLM: lengths in tokens, up to the model's longest sequence.
pub(super) const LENGTHS: Kind = Kind::Histogram(Buckets::Lengths);

/// The HTTP server: all calls, seconds.
pub(super) const HTTP: Kind = fixed(&[
    0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0,
    7.5, 10.0, 30.0, 60.0,
]);

/// The HTTP server: calls by handler, seconds.
pub(super) const HTTP_HANDLER: Kind = fixed(&[0.1, 0.5, 1.0]);

/// The picker: times of a request, seconds.
pub(super) const PICKED: Kind = fixed(&[
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0,
    10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 120.0, 180.0, 240.0, 300.0, 360.0, 480.0, 600.0, 900.0,
    1200.0, 1800.0, 2700.0, 3600.0,
]);

/// The picker: time to the first token, seconds.
pub(super) const PICKED_TTFT: Kind = fixed(&[
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0,
    10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 120.0,
]);

/// The picker: time per output token of streamed answers, seconds.
pub(super) const PICKED_TPOT: Kind = fixed(&[
    0.0005, 0.00205, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.125, 0.15, 0.2, 0.3, 0.4, 0.5,
    0.6, 0.8, 1.0, 2.0,
]);

/// The picker: time between chunks of streamed answers, seconds.
pub(super) const PICKED_ITL: Kind =
    fixed(&[0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0]);

/// The picker: latency over output tokens, seconds.
pub(super) const NORMALISED: Kind =
    fixed(&[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]);

/// The picker: its own decisions, seconds.
pub(super) const DECISION: Kind =
    fixed(&[0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1]);

/// The picker: time in flow control, seconds.
pub(super) const FLOW: Kind = fixed(&[
    0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0,
]);

/// The picker: bytes of requests.
pub(super) const REQUEST_BYTES: Kind = fixed(&[
    64.0,
    128.0,
    256.0,
    512.0,
    1024.0,
    2048.0,
    4096.0,
    8192.0,
    16384.0,
    32768.0,
    65536.0,
    131072.0,
    262144.0,
    524288.0,
    1048576.0,
    2097152.0,
    4194304.0,
    8388608.0,
    16777216.0,
    33554432.0,
    67108864.0,
    134217728.0,
    268435456.0,
    536870912.0,
    1073741824.0,
]);

/// The picker: bytes of answers (32778 is the picker's own).
pub(super) const RESPONSE_BYTES: Kind = fixed(&[
    1.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0, 16384.0,
    32778.0, 65536.0,
]);

/// The picker: prompt tokens.
pub(super) const INPUT_TOKENS: Kind = fixed(&[
    1.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0, 16384.0,
    32778.0, 65536.0, 131072.0, 262144.0, 524288.0, 1048576.0,
]);

/// The picker: generated tokens.
pub(super) const OUTPUT_TOKENS: Kind =
    fixed(&[1.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0]);

/// The picker: shares.
pub(super) const SHARE: Kind = fixed(&[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]);

/// The picker: bytes of known prefixes.
pub(super) const PREFIX_BYTES: Kind = fixed(&[
    0.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0, 16384.0, 32768.0,
    65536.0,
]);

const fn fixed(bounds: &'static [f64]) -> Kind {
    Kind::Histogram(Buckets::Fixed(bounds))
}
