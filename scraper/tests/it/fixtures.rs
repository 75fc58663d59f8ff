//! Pages captured from real vLLM servers under load, served over HTTP at their recorded
//! instants, scraped into the real store and into a recording one.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use scraper::cycle::{Parts, Scrape, SystemClock};
use scraper::fetch::Fetcher;
use scraper::target;
use tsdb::append::Storage;
use tsdb::disk::os::OsDisk;
use tsdb::model::{Labels, MatchOp, Matcher, STALE_NAN, TimeRange, Timestamp};
use tsdb::select::Values;
use tsdb::{Db, Options, Select};

use crate::corpus::shared;
use crate::jobs::job_for;
use crate::recording::{Recording, Samples};
use crate::server::{Answer, Server};

/// A recorded instant: the page, or nothing if the server was down.
struct Instant {
    at: Timestamp,
    page: Option<Vec<u8>>,
    series: usize,
}

/// The instants of a capture, in order.
fn instants(folder: &Path) -> Vec<Instant> {
    let index = fs::read_to_string(folder.join("index.tsv")).unwrap();
    let rows = index.lines().skip(1).map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [name, seconds, status, _, _, series] = columns[..] else { panic!("{line}") };
        let page = (status == "200").then(|| {
            let packed = fs::read(folder.join(format!("{name}.txt.gz"))).unwrap();
            let mut page = Vec::new();
            flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut page).unwrap();
            page
        });
        let ms = (seconds.parse::<f64>().unwrap() * 1000.0).round() as i64;
        Instant { at: Timestamp::from_ms(ms), page, series: series.parse().unwrap() }
    });
    rows.collect()
}

/// The samples of a page, read by simple means: nothing in these pages is escaped, quoted commas
/// stand only in values.
fn by_hand(page: &[u8], target: &[(&str, &str)]) -> BTreeMap<Labels, f64> {
    let text = std::str::from_utf8(page).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let samples = lines.map(|line| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let mut pairs = vec![("__name__", name)];
        let labels = labels.strip_suffix('}').unwrap().strip_suffix('"').unwrap_or_default();
        for label in labels.split("\",").filter(|label| !label.is_empty()) {
            pairs.push(label.split_once("=\"").unwrap());
        }
        pairs.extend(target);
        (Labels::from_pairs(pairs), value.parse().unwrap())
    });
    samples.collect()
}

/// All samples of a store.
fn read_back(db: &Db) -> BTreeMap<Labels, Samples> {
    let all = Matcher::new(MatchOp::NotEqual, "__name__", "").unwrap();
    let selection = db.resolve(TimeRange::ALL, &[all]).unwrap();
    let mut found: BTreeMap<Labels, Samples> = BTreeMap::new();
    let mut batches = db.read(&selection, TimeRange::ALL).unwrap();
    let mut sink = |batch: tsdb::Batch<'_>| {
        for column in batch.columns {
            let Values::Floats(values) = column.values else { panic!("histograms") };
            let samples = found.entry(selection.series[column.series].labels.clone()).or_default();
            for (row, (ms, value)) in batch.timestamps.iter().zip(values).enumerate() {
                if column.present.is_none_or(|present| present.contains(row)) {
                    samples.push((*ms, value.to_bits()));
                }
            }
        }
    };
    while batches.next(&mut sink).unwrap() {}
    found
}

/// Scrapes a capture into `storage`, checking each outcome; returns the instants.
async fn scrape_capture(folder: &Path, storage: &dyn Storage) -> (Vec<Instant>, String) {
    let instants = instants(folder);
    let mut server = Some(Server::start(Answer::Silence).await);
    let address = server.as_ref().unwrap().address;
    let job = job_for(&address.to_string());
    let target = Arc::new(target::find(&job).targets.remove(0));
    let fetcher = Arc::new(Fetcher::new(&job));
    let clock = Arc::new(SystemClock::new());
    let parts = Parts { target: target.clone(), job: Arc::new(job), fetcher, clock };
    let mut scrape = Scrape::new(parts);
    for instant in &instants {
        match (&instant.page, &server) {
            (None, Some(_)) => server.take().unwrap().stop().await,
            (None, None) => {}
            (Some(page), Some(server)) => server.say(Answer::text(page.clone())),
            (Some(page), None) => {
                server = Some(Server::start_at(address, Answer::text(page.clone())).await);
            }
        }
        let outcome = scrape.once(instant.at, storage).await;
        match instant.page {
            Some(_) => {
                assert_eq!(outcome.error, None);
                assert_eq!(outcome.counts.scraped, instant.series);
                assert_eq!(outcome.counts.after_relabel, instant.series);
                assert_eq!((outcome.counts.repeated, outcome.counts.refused), (0, 0));
            }
            None => {
                let url = format!("http://{address}/metrics");
                let error =
                    format!("Get \"{url}\": dial tcp {address}: connect: connection refused");
                assert_eq!(outcome.error, Some(error));
            }
        }
        assert_eq!(outcome.up, instant.page.is_some());
    }
    assert!(target.record.families().len() > 30);
    (instants, address.to_string())
}

/// What has to be stored of a capture, by hand.
fn expected(instants: &[Instant], address: &str) -> BTreeMap<Labels, Samples> {
    let target = [("instance", address), ("job", "vllm")];
    let mut expected: BTreeMap<Labels, Samples> = BTreeMap::new();
    let mut before: BTreeMap<Labels, f64> = BTreeMap::new();
    for instant in instants {
        let ms = instant.at.ms();
        let page = instant.page.as_ref().map(|page| by_hand(page, &target)).unwrap_or_default();
        for (labels, value) in &page {
            expected.entry(labels.clone()).or_default().push((ms, value.to_bits()));
        }
        for labels in before.keys().filter(|labels| !page.contains_key(labels)) {
            expected.entry(labels.clone()).or_default().push((ms, STALE_NAN.to_bits()));
        }
        before = page;
    }
    expected
}

/// The values of `up`.
fn ups(stored: &BTreeMap<Labels, Samples>) -> Vec<f64> {
    let up = stored.iter().find(|(labels, _)| labels.metric_name() == Some("up"));
    up.unwrap().1.iter().map(|(_, bits)| f64::from_bits(*bits)).collect()
}

/// Scrapes a capture into both stores and compares what they hold with the pages' text.
async fn check(capture: &str) {
    let Some(folder) = shared(&format!("fixtures/{capture}")) else { return };
    let recording = Recording::default();
    let (instants, address) = scrape_capture(&folder, &recording).await;
    let mut stored = recording.state().series.clone();
    let expected = expected(&instants, &address);
    let report = |labels: &Labels| {
        let name = labels.metric_name().unwrap();
        name == "up" || name.starts_with("scrape_")
    };
    let wanted: Vec<f64> =
        instants.iter().map(|instant| f64::from(u8::from(instant.page.is_some()))).collect();
    assert_eq!(ups(&stored), wanted);
    stored.retain(|labels, _| !report(labels));
    assert_eq!(stored.len(), expected.len());
    for (labels, samples) in &expected {
        assert_eq!(stored.get(labels), Some(samples), "{labels}");
    }
    let total: usize = expected.values().map(Vec::len).sum();
    println!("{capture}: {} instants, {} series, {total} samples", instants.len(), expected.len());

    // The real store holds the same, also after it was opened anew.
    let folder_of_db = tempfile::tempdir().unwrap();
    let open = || Db::open(Arc::new(OsDisk), folder_of_db.path(), Options::default()).unwrap().0;
    let mut db = open();
    let (instants, address) = scrape_capture(&folder, &db).await;
    let expected = self::expected(&instants, &address);
    for _ in 0..2 {
        let mut stored = read_back(&db);
        assert_eq!(ups(&stored), wanted);
        stored.retain(|labels, _| !report(labels));
        assert_eq!(stored, expected);
        db.close().unwrap();
        db = open();
    }
}

#[tokio::test]
async fn vllm_0_32_0_with_a_restart() {
    check("vllm-0.32.0").await;
}

#[tokio::test]
async fn vllm_0_10_2_with_old_and_new_names() {
    check("vllm-0.10.2").await;
}
