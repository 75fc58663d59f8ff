//! How fast pages become rows: prints figures, checks none. The budget is the demo's history:
//! 3 600 pages of 450 samples within a second in a release build, the store's part included.

use std::fs;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use scraper::ingest::{Ingest, Report};
use scraper::parse::{Format, Parser};
use tsdb::append::Storage;
use tsdb::disk::os::OsDisk;
use tsdb::model::{Exemplar, Labels, Metadata, Timestamp};
use tsdb::{
    Append, Cell, ColumnRef, Db, Error, FamilyColumns, GroupRef, Options, Rejected, RowReport,
};

use crate::corpus::shared;
use crate::ingest::TEXT;
use crate::jobs::job;

const PAGES: usize = 3_600;

#[test]
fn pages_to_rows() {
    let Some(folder) = shared("fixtures/vllm-0.32.0") else { return };
    let pages: Vec<Vec<u8>> = (0..60)
        .map(|number| {
            let packed = fs::read(folder.join(format!("page-{number:03}.txt.gz"))).unwrap();
            let mut page = Vec::new();
            flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut page).unwrap();
            page
        })
        .collect();
    let pages = || (0..PAGES).map(|number| (number, &pages[number % 60]));
    let lines: usize = pages().map(|(_, page)| page.iter().filter(|b| **b == b'\n').count()).sum();

    let start = Moment::now();
    let mut samples = 0;
    for (_, page) in pages() {
        samples += Parser::new(page, Format::Text).filter(|entry| entry.is_ok()).count();
    }
    tell("parse alone, nothing known", start, lines);
    assert_eq!(samples, lines);

    let nowhere = Nowhere::default();
    let start = Moment::now();
    ingest_all(pages(), &nowhere);
    tell("parse and ingest, store that does nothing", start, lines);

    let folder = tempfile::tempdir().unwrap();
    let (db, _) = Db::open(Arc::new(OsDisk), folder.path(), Options::default()).unwrap();
    let start = Moment::now();
    ingest_all(pages(), &db);
    tell("parse, ingest and store", start, lines);
}

fn ingest_all<'p>(pages: impl Iterator<Item = (usize, &'p Vec<u8>)>, storage: &dyn Storage) {
    let target = Labels::from_pairs([("instance", "h:1"), ("job", "vllm")]);
    let mut ingest = Ingest::new(target, Arc::new(job()));
    for (number, page) in pages {
        let at = Timestamp::from_ms(number as i64 * 5_000);
        let mut append = storage.appender();
        let counts = ingest.page(page, TEXT, at, &mut *append).unwrap();
        let report = Report { up: true, duration_seconds: 0.001, counts, ..Report::default() };
        ingest.report(&report, at, &mut *append).unwrap();
        append.commit().unwrap();
    }
}

/// A moment: in this thread's time on a processor where the system tells it, else in real time.
enum Moment {
    Processor(u64),
    Real(Instant),
}

impl Moment {
    fn now() -> Self {
        let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
        let told = told.and_then(|text| text.split(' ').next()?.parse().ok());
        told.map_or_else(|| Self::Real(Instant::now()), Self::Processor)
    }

    fn seconds_since(&self) -> f64 {
        match (self, Self::now()) {
            (Self::Processor(start), Self::Processor(end)) => (end - start) as f64 / 1e9,
            (Self::Real(start), _) => start.elapsed().as_secs_f64(),
            (Self::Processor(_), Self::Real(_)) => f64::NAN,
        }
    }
}

fn tell(what: &str, start: Moment, lines: usize) {
    let seconds = start.seconds_since();
    println!("{what}: {seconds:.3} s, {:.0} ns a line", seconds * 1e9 / lines as f64);
}

/// Takes everything and keeps nothing, but for the columns' numbers.
#[derive(Default)]
struct Nowhere {
    columns: AtomicU32,
}

impl Storage for Nowhere {
    fn appender(&self) -> Box<dyn Append + '_> {
        Box::new(Sink(self))
    }
}

struct Sink<'s>(&'s Nowhere);

impl Append for Sink<'_> {
    fn group(&mut self, _: &Labels) -> Result<GroupRef, Rejected> {
        Ok(GroupRef(0))
    }

    fn columns(
        &mut self,
        _: GroupRef,
        families: &[FamilyColumns],
    ) -> Result<Vec<ColumnRef>, Rejected> {
        let count: usize = families.iter().map(|family| family.columns.len()).sum();
        let first = self.0.columns.fetch_add(count as u32, Ordering::SeqCst);
        Ok((first..first + count as u32).map(ColumnRef).collect())
    }

    fn row(
        &mut self,
        _: GroupRef,
        _: Timestamp,
        _: &[ColumnRef],
        _: &[Cell<'_>],
    ) -> Result<RowReport, Rejected> {
        Ok(RowReport::default())
    }

    fn sample(&mut self, _: &Labels, _: Timestamp, _: Cell<'_>) -> Result<(), Rejected> {
        Ok(())
    }

    fn exemplar(&mut self, _: &Labels, _: Exemplar) -> Result<(), Rejected> {
        Ok(())
    }

    fn metadata(&mut self, _: &str, _: &Metadata) -> Result<(), Rejected> {
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<usize, Error> {
        Ok(0)
    }
}
