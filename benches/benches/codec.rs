//! A window of each codec's columns to bytes and back; the figures are for each sample.

use std::hint::black_box;
use std::time::Duration;

use benches::columns::all;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn codec(criterion: &mut Criterion) {
    let workloads = all();
    let mut group = criterion.benchmark_group("codec");
    group.sample_size(20).measurement_time(Duration::from_secs(1));
    for own in &workloads {
        let bytes = own.window.encode();
        let codecs = own.window.codecs(&bytes);
        assert_eq!(codecs.last().map(String::as_str), Some(own.codec), "{}", own.name);
        let samples = own.window.samples();
        println!("{}: {:.3} bytes/sample", own.name, bytes.len() as f64 / samples as f64);
        group.throughput(Throughput::Elements(samples as u64));
        group.bench_function(format!("encode/{}", own.name), |bencher| {
            bencher.iter(|| own.window.encode());
        });
        let mut floats = Vec::new();
        group.bench_function(format!("decode/{}", own.name), |bencher| {
            bencher.iter(|| black_box(own.window.decode(black_box(&bytes), &mut floats)));
        });
    }
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
