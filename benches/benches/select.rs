//! 5 000 of 200 000 series: found, and read; in memory, and in a block.

use std::path::Path;
use std::sync::Arc;

use benches::many_series::{SELECTED, fill, read, resolve};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tsdb::disk::sim::SimDisk;
use tsdb::{Db, Options};

fn select(criterion: &mut Criterion) {
    let disk = Arc::new(SimDisk::new(1));
    let opened = Db::open(disk, Path::new("data"), Options::default());
    let (db, _) = opened.expect("BUG: a new store opens");
    fill(&db);
    let mut group = criterion.benchmark_group("select");
    group.sample_size(10).throughput(Throughput::Elements(SELECTED as u64));
    for place in ["head", "block"] {
        group.bench_function(format!("resolve, {place}"), |bencher| {
            bencher.iter(|| resolve(&db));
        });
        group.bench_function(format!("resolve and read, {place}"), |bencher| {
            bencher.iter(|| read(&db, &resolve(&db)));
        });
        db.flush_all().expect("BUG: a good disk");
    }
    group.finish();
}

criterion_group!(benches, select);
criterion_main!(benches);
