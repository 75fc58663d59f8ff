//! What a page may have: a page over a limit stores nothing, ends what lived, and says why in
//! Prometheus's words.

use scraper::job::{Job, Limits, Validation};
use scraper::relabel::Action;

use crate::ingest::{Fixture, TEXT};
use crate::jobs::{job, rule};

fn limited(set: impl FnOnce(&mut Limits)) -> Job {
    let mut job = job();
    set(&mut job.limits);
    job
}

#[test]
fn over_a_limit() {
    let long = format!("a{{b=\"{}\"}} 1\n", "x".repeat(60));
    let legacy = Job { validation: Validation::Legacy, ..job() };
    let rows: Vec<(Job, &str, &str)> = vec![
        (limited(|limits| limits.samples = Some(1)), "a 1\nb 1\n", "sample limit exceeded"),
        (
            limited(|limits| limits.labels = Some(3)),
            "a{b=\"c\"} 1\n",
            "label_limit exceeded (metric: a, number of labels: 4, limit: 3)",
        ),
        (
            limited(|limits| limits.label_name_bytes = Some(8)),
            "a{too_long_=\"c\"} 1\n",
            "label_name_length_limit exceeded (metric: a, label name: too_long_, length: 9, limit: 8)",
        ),
        (
            limited(|limits| limits.label_value_bytes = Some(59)),
            &long,
            "label_value_length_limit exceeded (metric: a, label name: b, value: \
             \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\", length: 60, limit: 59)",
        ),
        (
            legacy.clone(),
            "{\"a.b\"} 1\n",
            "invalid metric name or label names: {__name__=\"a.b\", instance=\"h:1\", job=\"vllm\"}",
        ),
        (
            legacy,
            "a{\"b.c\"=\"d\"} 1\n",
            "invalid metric name or label names: {__name__=\"a\", \"b.c\"=\"d\", instance=\"h:1\", \
             job=\"vllm\"}",
        ),
    ];
    for (job, page, error) in rows {
        let mut fixture = Fixture::new(job);
        // A page within all limits before and after.
        fixture.page("n 1\n", TEXT).unwrap();
        assert_eq!(fixture.page(page, TEXT), Err(error.to_owned()), "{page}");
        fixture.page("n 3\n", TEXT).unwrap();
        let dump = fixture.dump();
        assert_eq!(dump.len(), 1, "{dump:?}");
        assert!(dump[0].ends_with("} 5000:1 10000:stale 15000:3"), "{dump:?}");
    }
}

#[test]
fn what_counts_against_the_sample_limit() {
    let two = || limited(|limits| limits.samples = Some(2));
    // Dropped samples and repeated ones do not.
    let relabelled =
        Job { metric_relabel: vec![rule(Action::Drop, "__name__", "c|d", "", "")], ..two() };
    assert!(Fixture::new(relabelled).page("a 1\nb 1\nc 1\nd 1\n", TEXT).is_ok());
    let mut fixture = Fixture::new(two());
    assert!(fixture.page("a 1\na 2\na 3\nb 1\n", TEXT).is_ok());
    assert!(fixture.page("a 1\na 2\na 3\nb 1\n", TEXT).is_ok());
    // All of a page over the limit are counted.
    assert!(fixture.page("a 1\nb 1\nc 1\nd 1\n", TEXT).is_err());
    assert!(fixture.report("scrape_samples_scraped").ends_with("15000:4"));
    assert!(fixture.report("scrape_samples_post_metric_relabeling").ends_with("15000:4"));
    assert!(fixture.report("up").ends_with("15000:0"));
}

#[test]
fn extra_metrics() {
    let mut job = limited(|limits| limits.samples = Some(7));
    let mut without = Fixture::new(job.clone());
    without.page("a 1\n", TEXT).unwrap();
    assert_eq!(without.report("scrape_timeout_seconds"), "");
    job.extra_metrics = true;
    let mut fixture = Fixture::new(job);
    fixture.page("a 1\n", TEXT).unwrap();
    assert!(fixture.report("scrape_timeout_seconds").ends_with("} 5000:5"));
    assert!(fixture.report("scrape_sample_limit").ends_with("} 5000:7"));
    assert!(fixture.report("scrape_body_size_bytes").ends_with("} 5000:0"));
}

/// With `track_timestamps_staleness` series with timestamps of their own end, too.
#[test]
fn staleness_of_own_timestamps() {
    let mut fixture = Fixture::new(Job { track_timestamps_staleness: true, ..job() });
    fixture.page("a 1 1234\nb 1 1234\n", TEXT).unwrap();
    fixture.page("a 1 1235\n", TEXT).unwrap();
    assert!(fixture.page("<", TEXT).is_err());
    fixture.page("c 1\n", TEXT).unwrap();
    let dump = fixture.dump();
    assert!(dump[0].ends_with("} 1234:1 1235:1 15000:stale"), "{dump:?}");
    assert!(dump[1].ends_with("} 1234:1 10000:stale"), "{dump:?}");
}
