//! The series cache changes nothing: a target that is remembered from page to page stores what
//! one without memory would, whatever the pages do.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use scraper::ingest::Ingest;
use scraper::job::Job;
use scraper::relabel::Action;
use tsdb::append::Storage;
use tsdb::model::{Labels, STALE_NAN, Timestamp};

use crate::ingest::TEXT;
use crate::jobs::{job, rule};
use crate::recording::Recording;

/// A line, good or bad, of a small world in which lines and series meet again and again.
fn line() -> impl Strategy<Value = String> {
    let series = prop_oneof![
        4 => (0..4, 0..3, 0..2).prop_map(|(name, x, y)| format!("m{name}{{x=\"{x}\",y=\"{y}\"}}")),
        2 => (0..4, 0..3, 0..2).prop_map(|(name, x, y)| format!("m{name}{{y=\"{y}\", x=\"{x}\"}}")),
        1 => (0..4).prop_map(|name| format!("m{name}")),
        1 => (0..4).prop_map(|name| format!("m{name} {{}}")),
        1 => Just("dropped{x=\"1\"}".to_owned()),
        1 => (0..3).prop_map(|le| format!("h_bucket{{le=\"{le}\",job=\"page\"}}")),
        1 => Just("{\"m.0\",x=\"1\"}".to_owned()),
    ];
    prop_oneof![
        40 => (series, 0..5).prop_map(|(series, value)| format!("{series} {value}\n")),
        2 => Just("# TYPE h histogram\n".to_owned()),
        2 => Just("# HELP m0 Some help.\n".to_owned()),
        1 => Just("m0{x=\"1\" 1\n".to_owned()),
        1 => Just("\n".to_owned()),
    ]
}

/// Pages of which each is mostly the one before.
fn pages() -> impl Strategy<Value = Vec<Vec<String>>> {
    let change = (any::<prop::sample::Index>(), 0..4, line());
    let changes = prop::collection::vec(prop::collection::vec(change, 0..4), 1..8);
    (prop::collection::vec(line(), 0..20), changes).prop_map(|(first, changes)| {
        let mut pages = vec![first];
        for changes in changes {
            let mut page = pages.last().cloned().unwrap_or_default();
            for (at, kind, line) in changes {
                let at = at.index(page.len() + 1);
                match kind {
                    0 if at < page.len() => drop(page.remove(at)),
                    1 if at < page.len() => page[at] = line,
                    2 if at < page.len() => page.swap(0, at),
                    _ => page.insert(at, line),
                }
            }
            pages.push(page);
        }
        pages
    })
}

fn target() -> Labels {
    Labels::from_pairs([("instance", "h:1"), ("job", "vllm")])
}

/// The samples that a page alone would store; `None` if it is bad.
fn alone(job: &Arc<Job>, page: &str) -> Option<BTreeMap<Labels, u64>> {
    let store = Recording::default();
    let mut append = store.appender();
    let mut ingest = Ingest::new(target(), job.clone());
    ingest.page(page.as_bytes(), TEXT, Timestamp::from_ms(1), &mut *append).ok()?;
    append.commit().unwrap();
    let state = store.state();
    let samples = state.series.iter().filter(|(_, samples)| !samples.is_empty());
    Some(samples.map(|(labels, samples)| (labels.clone(), samples[0].1)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn memory_changes_nothing(pages in pages(), honor_labels: bool, relabel: bool) {
        let rules = vec![
            rule(Action::Drop, "__name__", "dropped|m3", "", ""),
            rule(Action::LabelDrop, "", "y", "", ""),
        ];
        let metric_relabel = if relabel { rules } else { vec![] };
        let job = Arc::new(Job { honor_labels, metric_relabel, ..job() });
        let store = Recording::default();
        let mut ingest = Ingest::new(target(), job.clone());
        let mut expected: BTreeMap<Labels, Vec<(i64, u64)>> = BTreeMap::new();
        let mut before = BTreeMap::new();
        for (number, lines) in pages.iter().enumerate() {
            let (page, ms) = (lines.concat(), number as i64 + 1);
            let at = Timestamp::from_ms(ms);
            let mut append = store.appender();
            let alone = alone(&job, &page);
            let together = ingest.page(page.as_bytes(), TEXT, at, &mut *append);
            prop_assert_eq!(together.is_ok(), alone.is_some());
            if together.is_err() {
                drop(append);
                append = store.appender();
                ingest.lose(at, &mut *append).unwrap();
            }
            append.commit().unwrap();
            let now = alone.unwrap_or_default();
            for (labels, bits) in &now {
                expected.entry(labels.clone()).or_default().push((ms, *bits));
            }
            for labels in before.keys().filter(|labels| !now.contains_key(*labels)) {
                expected.entry(labels.clone()).or_default().push((ms, STALE_NAN.to_bits()));
            }
            before = now;
            // `le` is spelled by the TYPE line that stood when the series was new, as in
            // Prometheus; pages that move that line are not compared further.
            if lines.iter().any(|line| line.starts_with("# TYPE") || line.starts_with("h_")) {
                return Ok(());
            }
        }
        let stored: BTreeMap<_, _> = store.state().series.clone();
        prop_assert_eq!(stored, expected);
    }

    /// A page that was damaged in a few bytes is read or refused, and a good one goes on.
    #[test]
    fn damaged_pages_do_no_harm(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        open_metrics: bool,
    ) {
        const PAGE: &str = "# HELP h Some \\n help.\n# TYPE h histogram\n\
            h_bucket{le=\"1\",x=\"a \\\" b\"} 1 # {t=\"u\"} 0.5 1.5\nh_sum 1.5\nh_count 1\n\
            # UNIT b_seconds seconds\n{\"b.c\",d=\"e\"} 2.5 1.25\n# EOF\n";
        const TEXT_PAGE: &str = "# HELP h Some \\n help.\n# TYPE h histogram\n\
            h_bucket{le=\"1\",x=\"a \\\" b\"} 1\nh_sum 1.5\nh_count 1 1234\n{\"b.c\",d=\"e\"} 2.5\n";
        let (page, content_type) = match open_metrics {
            true => (PAGE, Some("application/openmetrics-text")),
            false => (TEXT_PAGE, TEXT),
        };
        let store = Recording::default();
        let mut ingest = Ingest::new(target(), Arc::new(job()));
        let mut bytes = page.as_bytes().to_vec();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for (ms, body) in [page.as_bytes(), &bytes, page.as_bytes()].into_iter().enumerate() {
            let mut append = store.appender();
            let at = Timestamp::from_ms(10_000 + ms as i64);
            let read = ingest.page(body, content_type, at, &mut *append);
            prop_assert!(read.is_ok() || ms == 1, "{read:?}");
            if read.is_ok() {
                append.commit().unwrap();
            }
        }
    }
}
