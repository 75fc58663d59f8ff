//! The receiver, on a store that forgets what ended.

use std::path::Path;
use std::sync::Arc;

use prost::Message;
use server::ingest::remote_write::Receiver;
use server::ingest::remote_write::message::{FloatSample, LabelPair, TimeSeries, WriteRequest};
use tsdb::disk::sim::SimDisk;
use tsdb::model::TimeRange;
use tsdb::{Db, Options, Select};

/// A request: one sample at `at` of two series of each of these instances.
fn request(instances: &[&str], at: i64) -> Vec<u8> {
    let series = |(instance, name): (&str, &str)| {
        let pairs = [("__name__", name), ("instance", instance), ("job", "j")];
        let labels =
            pairs.map(|(name, value)| LabelPair { name: name.into(), value: value.into() });
        let samples = vec![FloatSample { value: at as f64, timestamp: at }];
        TimeSeries { labels: labels.into(), samples, ..TimeSeries::default() }
    };
    let named = instances.iter().flat_map(|instance| [(*instance, "a"), (*instance, "b")]);
    let timeseries = named.map(series).collect();
    let bytes = WriteRequest { timeseries, metadata: Vec::new() }.encode_to_vec();
    snap::raw::Encoder::new().compress_vec(&bytes).unwrap()
}

#[test]
fn targets_that_the_store_forgot_are_defined_anew() {
    let opened = Db::open(Arc::new(SimDisk::new(1)), Path::new("d"), Options::default());
    let (db, receiver) = (opened.unwrap().0, Receiver::default());
    let rows: [(&[&str], i64, usize); 4] = [
        (&["1", "2", "lives"], 1, 3),
        // Long after; the third row is forgotten in between too.
        (&["1"], 20, 2),
        (&["2", "1", "lives"], 40, 3),
        (&["1", "3"], 60, 3),
    ];
    for (instances, at, groups) in rows {
        let samples = receiver.receive(&request(instances, at), &db).unwrap();
        assert_eq!(samples, 2 * instances.len(), "at {at}");
        for later in 1..6 {
            assert!(db.stats().groups <= groups + 1, "at {at}");
            receiver.receive(&request(&["lives"], at + later), &db).unwrap();
            assert!(db.flush_all().unwrap());
        }
        assert_eq!((db.stats().groups, db.stats().definitions), (1, 2), "at {at}");
    }
    let selection = db.resolve(TimeRange::ALL, &[]).unwrap();
    assert_eq!(selection.series.len(), 8);
    let mut batches = db.read(&selection, TimeRange::ALL).unwrap();
    let mut times = vec![Vec::<i64>::new(); 8];
    let mut sink = |batch: tsdb::Batch<'_>| {
        for column in batch.columns {
            times[column.series].extend(batch.timestamps);
        }
    };
    while batches.next(&mut sink).unwrap() {}
    assert_eq!(times[0], [1, 20, 40, 60]);
}
