//! Figures of the store, printed and not asserted: run it in release with `--ignored
//! --nocapture`.
//!
//! 50 groups of 600 columns (20 histograms of 22 buckets with their sums and counts, 120 other
//! counters and gauges), 2160 rows each: three hours at 5 s. In each row one histogram of ten
//! sees an observation.

use std::sync::Arc;
use std::time::Instant;

use tsdb::disk::os::OsDisk;
use tsdb::model::{Labels, TimeRange, Timestamp};
use tsdb::{Append, Cell, ColumnRef, Db, GroupRef, Options, Select, Storage};

use crate::store::family;

const GROUPS: usize = 50;
const COLUMNS: usize = 600;
const ROWS: i64 = 2160;
const BUCKETS: usize = 22;

fn define(appender: &mut dyn Append, group: usize) -> (GroupRef, Vec<ColumnRef>) {
    let instance = format!("10.0.0.{group}:8000");
    let target = Labels::from_pairs([("instance", instance.as_str()), ("job", "vllm")]);
    let group = appender.group(&target).unwrap();
    let own: Vec<_> = (0..COLUMNS)
        .map(|column| match (column / (BUCKETS + 2), column % (BUCKETS + 2)) {
            (family, bucket) if family < 20 && bucket < BUCKETS => {
                format!("__name__=vllm:h{family}_bucket,engine=0,le={bucket}.0,model_name=m")
            }
            (family, part) => format!("__name__=vllm:h{family}_part{part},engine=0,model_name=m"),
        })
        .collect();
    let own: Vec<_> = own.iter().map(String::as_str).collect();
    (group, appender.columns(group, &[family(&own)]).unwrap())
}

/// One observation in one histogram of ten, and some gauges that move.
fn step(values: &mut [f64], random: &mut u64) {
    let mut next = |below: usize| {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (*random >> 33) as usize % below
    };
    for _ in 0..2 {
        let first = next(20) * (BUCKETS + 2);
        for bucket in next(BUCKETS)..BUCKETS {
            values[first + bucket] += 1.0;
        }
        values[first + BUCKETS] += next(1 << 30) as f64 / 1e9;
        values[first + BUCKETS + 1] += 1.0;
    }
    for _ in 0..5 {
        let gauge = 480 + next(120);
        values[gauge] = next(100) as f64;
    }
}

#[test]
#[ignore = "a measurement"]
fn append_log_memory_and_replay() {
    let root = tempfile::tempdir().unwrap();
    let open = || Db::open(Arc::new(OsDisk), root.path(), Options::default()).unwrap();
    let (db, _) = open();
    let mut appender = db.appender();
    let groups: Vec<_> = (0..GROUPS).map(|group| define(&mut *appender, group)).collect();
    drop(appender);
    let mut values = vec![vec![0.0; COLUMNS]; GROUPS];
    let mut random = 1;
    let mut spent = std::time::Duration::ZERO;
    for row in 0..ROWS {
        for ((group, columns), values) in groups.iter().zip(&mut values) {
            step(values, &mut random);
            let cells: Vec<_> = values.iter().map(|value| Cell::float(*value)).collect();
            let start = Instant::now();
            let mut appender = db.appender();
            let at = Timestamp::from_ms(row * 5000);
            appender.row(*group, at, columns, &cells).unwrap();
            appender.commit().unwrap();
            spent += start.elapsed();
        }
        if row % 200 == 0 {
            db.sync().unwrap();
        }
    }
    let stats = db.stats();
    let samples = stats.samples as f64;
    println!("samples            {samples}");
    println!("append and log     {:.1} ns/sample", spent.as_nanos() as f64 / samples);
    println!("log                {:.3} bytes/sample", stats.log_bytes as f64 / samples);
    println!("memory of samples  {:.2} bytes/sample", db.sample_bytes() as f64 / samples);
    let start = Instant::now();
    let selection = db.resolve(TimeRange::ALL, &[]).unwrap();
    println!("resolve all        {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let start = Instant::now();
    let (mut read, mut sum) = (0, 0.0);
    let mut batches = db.read(&selection, TimeRange::ALL).unwrap();
    while batches
        .next(&mut |batch| {
            for column in batch.columns {
                if let tsdb::select::Values::Floats(floats) = column.values {
                    read += floats.len();
                    sum += floats[floats.len() - 1];
                }
            }
        })
        .unwrap()
    {}
    println!("read all           {:.2} ns/sample", start.elapsed().as_nanos() as f64 / read as f64);
    assert_eq!(read as u64, stats.samples);
    assert!(sum > 0.0);
    drop(batches);
    drop(db);
    let start = Instant::now();
    let (_db, recovery) = open();
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(recovery.samples, stats.samples);
    println!("replay             {:.1} million samples/s", samples / seconds / 1e6);
}
