//! The entrance of remote write over valid requests and seeded changes of them, on stable Rust; as
//! `tsdb/tests/it/fuzz.rs` does it for the store.

use std::panic::catch_unwind;
use std::path::Path;

use prost::Message;
use server::ingest::remote_write::fuzz;
use server::ingest::remote_write::message::{
    FloatSample, LabelPair, MetricMetadata, TimeSeries, WireExemplar, WriteRequest,
};
use tsdb::fuzz::{Random, mutate};
use tsdb::model::STALE_NAN;

/// Cases in an ordinary run, and in a long one.
const SHORT: u64 = 2_000;
const LONG: u64 = 500_000;

fn labels(pairs: &[(&str, &str)]) -> Vec<LabelPair> {
    let pair = |(name, value): &(&str, &str)| LabelPair {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    pairs.iter().map(pair).collect()
}

fn series(pairs: &[(&str, &str)], samples: &[(i64, f64)]) -> TimeSeries {
    let sample =
        |(timestamp, value): &(i64, f64)| FloatSample { value: *value, timestamp: *timestamp };
    let samples = samples.iter().map(sample).collect();
    TimeSeries { labels: labels(pairs), samples, ..TimeSeries::default() }
}

/// Requests with all that they can have.
fn corpus() -> Vec<Vec<u8>> {
    let target = [("__name__", "up"), ("instance", "a:1"), ("job", "j")];
    let bucket = [("__name__", "h_bucket"), ("instance", "a:1"), ("job", "j"), ("le", "+Inf")];
    let mut rich = series(&bucket, &[(1_700_000_000_000, 7.0)]);
    rich.exemplars = vec![WireExemplar {
        labels: labels(&[("trace_id", "x")]),
        value: 0.5,
        timestamp: 1_700_000_000_001,
    }];
    let native = TimeSeries { histograms: vec![vec![8, 1]], ..series(&target[..1], &[]) };
    let help = MetricMetadata {
        kind: 3,
        metric_family_name: "h".to_owned(),
        help: "Seconds.".to_owned(),
        unit: "seconds".to_owned(),
    };
    let rows: Vec<_> = (0..4).map(|row| (row * 15_000, row as f64 / 3.0)).collect();
    let odd = series(&target, &[(-1, f64::NAN), (i64::MAX, STALE_NAN), (i64::MIN, -0.0)]);
    let requests = [
        (vec![series(&target, &rows), series(&bucket, &rows)], vec![]),
        (vec![rich], vec![help]),
        (vec![odd], vec![]),
        (vec![native, series(&[], &rows)], vec![]),
    ];
    let encoded = requests.map(|(timeseries, metadata)| WriteRequest { timeseries, metadata });
    encoded.iter().map(Message::encode_to_vec).collect()
}

fn run(seeds: std::ops::Range<u64>) {
    let corpus = corpus();
    corpus.iter().for_each(|bytes| fuzz::message(bytes));
    for seed in seeds {
        let bytes = mutate(&mut Random::new(seed), &corpus);
        assert!(catch_unwind(|| fuzz::message(&bytes)).is_ok(), "seed {seed}: {bytes:02x?}");
    }
}

#[test]
fn changed_requests_are_stored_or_refused() {
    run(0..SHORT);
}

#[test]
#[ignore = "the long form of the test above: more seeds, for `--release -- --ignored`"]
fn changed_requests_are_stored_or_refused_for_long() {
    run(SHORT..LONG);
}

#[test]
#[ignore = "writes files: the corpus of `cargo fuzz`, to the folder INFEROMETER_CORPUS"]
fn seeds_are_written() {
    let root = std::env::var_os("INFEROMETER_CORPUS").expect("INFEROMETER_CORPUS names a folder");
    let folder = Path::new(&root).join("remote_write");
    std::fs::create_dir_all(&folder).unwrap();
    for (number, bytes) in corpus().iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{number}")), bytes).unwrap();
    }
}
