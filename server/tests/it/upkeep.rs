//! The thread that writes blocks, on a simulated disk: what it says of a full one, and how much it
//! keeps.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use scraper::cycle::SystemClock;
use server::metrics::Metrics;
use server::upkeep::BlockWriter;
use tsdb::disk::sim::SimDisk;
use tsdb::model::{Labels, Timestamp};
use tsdb::{Cell, Db, Options, Storage};

/// Samples of a batch: as many as make a block due.
const BATCH: i64 = 400;

fn open(disk: &SimDisk) -> Arc<Db> {
    let options = Options { flush_samples: 300, flush_rows: 1, kept_rows: 0, ..Options::default() };
    Arc::new(Db::open(Arc::new(disk.clone()), Path::new("/data"), options).unwrap().0)
}

/// One series, a sample each second; values that hardly compress.
fn write(db: &Db, batch: i64) {
    let labels = Labels::from_pairs([("__name__", "noise"), ("job", "a")]);
    let mut appender = db.appender();
    for at in BATCH * batch..BATCH * (batch + 1) {
        let noise = (at.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64)) as f64 / 3.0;
        appender.sample(&labels, Timestamp::from_ms(1_000 * at), Cell::float(noise)).unwrap();
    }
    appender.commit().unwrap();
}

/// Waits until something is so, which it will be soon if it will be at all.
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("never so: {what}");
}

fn start(db: &Arc<Db>, bytes_max: Option<u64>) -> (BlockWriter, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::default());
    let clock = Arc::new(SystemClock::new());
    let writer = BlockWriter::start(db.clone(), clock, bytes_max, metrics.clone()).unwrap();
    (writer, metrics)
}

#[test]
fn a_full_disk_is_told_and_survived() {
    let disk = SimDisk::new(1);
    let db = open(&disk);
    write(&db, 0);
    disk.set_full(true);
    let (writer, metrics) = start(&db, None);
    let says = |line: &str| metrics.page(&db.stats(), &[]).lines().any(|own| own == line);
    wait_until("a failure", || says("inferometer_storage_block_write_failing 1"));
    assert_eq!(db.stats().head_samples, BATCH as u64);
    disk.set_full(false);
    wait_until("no failure", || says("inferometer_storage_block_write_failing 0"));
    writer.stop();
    let stats = db.stats();
    assert_eq!((stats.blocks, stats.head_samples, stats.samples), (1, 0, BATCH as u64));
    for line in [
        "prometheus_tsdb_blocks_loaded 1",
        &format!("prometheus_tsdb_storage_blocks_bytes {}", stats.block_bytes),
        "prometheus_tsdb_lowest_timestamp 0",
    ] {
        assert!(says(line), "{line} is not in {}", metrics.page(&stats, &[]));
    }
    // Nothing is left of what could not be written.
    let files: Vec<_> = disk.files().into_keys().collect();
    assert!(files.iter().all(|file| file.extension().is_some_and(|end| end != "new")), "{files:?}");
}

#[test]
fn the_oldest_blocks_make_room() {
    let bytes_max = 20_000;
    let db = open(&SimDisk::new(2));
    let (writer, _) = start(&db, Some(bytes_max));
    let bytes = || db.stats().block_bytes + db.stats().log_bytes;
    for batch in 0..20 {
        write(&db, batch);
        wait_until("written", || db.stats().head_samples == 0);
        wait_until("small enough", || bytes() <= bytes_max);
    }
    let stats = db.stats();
    assert!(stats.oldest > Some(Timestamp::from_ms(1_000 * BATCH)), "{stats:?}");
    assert_eq!(stats.newest, Some(Timestamp::from_ms(1_000 * (20 * BATCH - 1))));
    assert!(stats.blocks >= 1 && stats.samples >= BATCH as u64, "{stats:?}");
    writer.stop();
}
