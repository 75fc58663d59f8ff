//! A row's way through the store: append and log, flush to a block, merge blocks, open again.

use std::path::Path;
use std::sync::Arc;

use benches::targets::{COLUMNS, Targets};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tsdb::disk::Disk;
use tsdb::disk::os::OsDisk;
use tsdb::disk::sim::SimDisk;
use tsdb::{Db, Options};

/// Rows of a full window.
const WINDOW_ROWS: usize = 256;
/// Targets whose rows go to a block.
const TARGETS: usize = 4;
/// Blocks that are merged.
const BLOCKS: usize = 4;

fn open(disk: Arc<dyn Disk>, dir: &Path) -> Db {
    Db::open(disk, dir, Options::default()).expect("BUG: a good disk").0
}

fn append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append and log");
    group.sample_size(10).throughput(Throughput::Elements((WINDOW_ROWS * COLUMNS) as u64));
    let rows = |(db, mut targets): (Db, Targets)| {
        let samples = targets.append(&db, WINDOW_ROWS);
        assert_eq!(samples, WINDOW_ROWS * COLUMNS);
        db
    };
    let with_target = |db: Db| {
        let targets = Targets::new(&db, 1);
        (db, targets)
    };
    group.bench_function("in memory", |bencher| {
        let new = || with_target(open(Arc::new(SimDisk::new(1)), Path::new("data")));
        bencher.iter_batched(new, rows, BatchSize::PerIteration);
    });
    group.bench_function("temporary directory", |bencher| {
        let new = || {
            let dir = tempfile::tempdir().expect("BUG: a temporary directory");
            (with_target(open(Arc::new(OsDisk), dir.path())), dir)
        };
        bencher.iter_batched(new, |(own, dir)| (rows(own), dir), BatchSize::PerIteration);
    });
    group.finish();
}

/// A store in memory with so many blocks, and rows for another one.
fn filled(blocks: usize) -> Db {
    let db = open(Arc::new(SimDisk::new(1)), Path::new("data"));
    let mut targets = Targets::new(&db, TARGETS);
    for _ in 0..blocks {
        targets.append(&db, WINDOW_ROWS);
        assert!(db.flush_all().expect("BUG: a good disk"));
    }
    targets.append(&db, WINDOW_ROWS);
    db
}

fn blocks(criterion: &mut Criterion) {
    let samples = WINDOW_ROWS * TARGETS * COLUMNS;
    let mut group = criterion.benchmark_group("blocks");
    group.sample_size(10).throughput(Throughput::Elements(samples as u64));
    group.bench_function("flush", |bencher| {
        let flush = |db: Db| {
            assert!(db.flush_all().expect("BUG: a good disk"));
            db
        };
        bencher.iter_batched(|| filled(0), flush, BatchSize::PerIteration);
    });
    group.throughput(Throughput::Elements((samples * BLOCKS) as u64));
    group.bench_function("merge", |bencher| {
        let merge = |db: Db| {
            assert!(db.compact_if_due().expect("BUG: a good disk"));
            db
        };
        bencher.iter_batched(|| filled(BLOCKS), merge, BatchSize::PerIteration);
    });
    group.finish();
}

fn cold_open(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("BUG: a temporary directory");
    let db = open(Arc::new(OsDisk), dir.path());
    let mut targets = Targets::new(&db, TARGETS);
    for _ in 0..2 {
        targets.append(&db, WINDOW_ROWS);
        assert!(db.flush_all().expect("BUG: a good disk"));
    }
    let logged = targets.append(&db, WINDOW_ROWS) as u64;
    drop(db);
    let mut group = criterion.benchmark_group("open");
    group.sample_size(10).throughput(Throughput::Elements(logged));
    group.bench_function("two blocks and a log, per logged sample", |bencher| {
        bencher.iter_with_large_drop(|| {
            let opened = Db::open(Arc::new(OsDisk), dir.path(), Options::default());
            let (db, recovery) = opened.expect("BUG: a good disk");
            assert_eq!((recovery.blocks, recovery.samples), (2, 3 * logged));
            db.close()
        });
    });
    group.finish();
}

criterion_group!(benches, append, blocks, cold_open);
criterion_main!(benches);
