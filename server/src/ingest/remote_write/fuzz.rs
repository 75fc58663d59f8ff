//! An entrance for fuzzing, hidden from the documentation because nobody else has a use for it.
//!
//! Invariant: [`message`] panics only if the receiver has a fault. `server/tests/it/fuzz.rs` runs
//! it on stable Rust, a target of `fuzz` under libFuzzer.

use std::path::Path;
use std::sync::Arc;

use prost::Message;
use tsdb::disk::sim::SimDisk;
use tsdb::{Db, Options};

use super::message::{LabelPair, TimeSeries, WriteRequest};
use super::wire::{self, WireSeries};
use super::{Receiver, WriteError};

/// The bytes of a request behind its compression: what the walker and prost both take they read
/// alike, and the receiver stores or refuses it, twice. The bytes are also taken for the compressed
/// ones.
pub fn message(bytes: &[u8]) {
    if let (Ok(walked), Ok(decoded)) = (walked(bytes), WriteRequest::decode(bytes)) {
        let plain =
            |own: TimeSeries| TimeSeries { exemplars: Vec::new(), histograms: Vec::new(), ..own };
        let timeseries = decoded.timeseries.into_iter().map(plain).collect();
        let decoded = WriteRequest { timeseries, metadata: Vec::new() };
        // NaN differs from itself, so the bytes are compared.
        assert_eq!(walked.encode_to_vec(), decoded.encode_to_vec());
    }
    let opened = Db::open(Arc::new(SimDisk::new(1)), Path::new("d"), Options::default());
    let (db, receiver) = (opened.expect("BUG: a new store opens").0, Receiver::default());
    let body = snap::raw::Encoder::new().compress_vec(bytes).expect("BUG: a short message");
    for body in [&body, &body, bytes] {
        let _ = receiver.receive(body, &db);
    }
}

/// The series as the walker sees them, without exemplars and histograms.
fn walked(bytes: &[u8]) -> Result<WriteRequest, WriteError> {
    let mut timeseries = Vec::new();
    let each_series = |series: &WireSeries<'_>| {
        let pairs = wire::labels(series.label_bytes)?.into_iter();
        let pair =
            |(name, value): (&str, &str)| LabelPair { name: name.into(), value: value.into() };
        let (labels, samples) = (pairs.map(pair).collect(), series.samples.clone());
        timeseries.push(TimeSeries { labels, samples, ..TimeSeries::default() });
        Ok(())
    };
    wire::walk(bytes, each_series, |_| Ok(()))?;
    Ok(WriteRequest { timeseries, metadata: Vec::new() })
}
