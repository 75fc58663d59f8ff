//! From a page's bytes to a stored row: parse, match with what is known, log, append.

use benches::{Ingests, pages, store};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Pages of each target; the first one of them fills the caches.
const ROUNDS: i64 = 60;

fn ingest(criterion: &mut Criterion) {
    let pages = pages(ROUNDS);
    let lines: usize = pages.iter().map(|page| page.body.lines().count()).sum();
    let mut group = criterion.benchmark_group("ingest");
    group.sample_size(10).throughput(Throughput::Elements(lines as u64));
    group.bench_function("pages, per line", |bencher| {
        bencher.iter(|| {
            let (db, mut ingests) = (store(), Ingests::default());
            pages.iter().map(|page| ingests.scrape(page, &db)).sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(benches, ingest);
criterion_main!(benches);
