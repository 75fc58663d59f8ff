//! Pages to rows, without HTTP.

use std::sync::Arc;

use scraper::ingest::{Counts, Ingest, Report};
use scraper::job::Job;
use scraper::relabel::Action;
use tsdb::append::Storage;
use tsdb::model::{Labels, MetricType, Timestamp};

use crate::jobs::{job, rule};
use crate::recording::Recording;

pub(crate) const TEXT: Option<&str> = Some("text/plain; version=0.0.4");
const OPEN_METRICS: Option<&str> = Some("application/openmetrics-text; version=1.0.0");

/// A target with its store.
pub(crate) struct Fixture {
    ingest: Ingest,
    pub(crate) store: Recording,
    now_ms: i64,
}

impl Fixture {
    pub(crate) fn new(job: Job) -> Self {
        let target = Labels::from_pairs([("instance", "h:1"), ("job", "vllm")]);
        let store = Recording::default();
        Self { ingest: Ingest::new(target, Arc::new(job)), store, now_ms: 0 }
    }

    /// Scrapes a page, five seconds after the last one, as the cycle does.
    pub(crate) fn page(
        &mut self,
        page: &str,
        content_type: Option<&str>,
    ) -> Result<Counts, String> {
        self.bytes(page.as_bytes(), content_type)
    }

    pub(crate) fn bytes(
        &mut self,
        page: &[u8],
        content_type: Option<&str>,
    ) -> Result<Counts, String> {
        self.now_ms += 5_000;
        let at = Timestamp::from_ms(self.now_ms);
        let mut append = self.store.appender();
        let counts = self.ingest.page(page, content_type, at, &mut *append);
        let up = counts.is_ok();
        if !up {
            drop(append);
            append = self.store.appender();
            self.ingest.lose(at, &mut *append).unwrap();
        }
        let report = Report {
            up,
            duration_seconds: 0.5,
            counts: self.ingest.counted(),
            ..Report::default()
        };
        self.ingest.report(&report, at, &mut *append).unwrap();
        append.commit().unwrap();
        counts.map_err(|error| error.to_string())
    }

    /// What is stored, without the report.
    pub(crate) fn dump(&self) -> Vec<String> {
        let all = self.store.dump().into_iter();
        all.filter(|line| !line.contains("\"scrape_") && !line.contains("\"up\"")).collect()
    }

    pub(crate) fn report(&self, name: &str) -> String {
        let wanted = format!("\"{name}\"");
        self.store.dump().into_iter().find(|line| line.contains(&wanted)).unwrap_or_default()
    }
}

/// What a page becomes under a job's rules.
#[test]
fn labels_of_series() {
    let honor = || Job { honor_labels: true, ..job() };
    let with = |rules| Job { metric_relabel: rules, ..job() };
    let rows: Vec<(Job, &str, &[&str])> = vec![
        (job(), "a 1\n", &[r#"{__name__="a", instance="h:1", job="vllm"} 5000:1"#]),
        (
            job(),
            "a{job=\"x\"} 1\n",
            &[r#"{__name__="a", exported_job="x", instance="h:1", job="vllm"} 5000:1"#],
        ),
        (job(), "a{job=\"\"} 1\n", &[r#"{__name__="a", instance="h:1", job="vllm"} 5000:1"#]),
        (
            job(),
            "a{job=\"x\",exported_job=\"y\"} 1\n",
            &[
                r#"{__name__="a", exported_exported_job="x", exported_job="y", instance="h:1", job="vllm"} 5000:1"#,
            ],
        ),
        (honor(), "a{job=\"x\"} 1\n", &[r#"{__name__="a", instance="h:1", job="x"} 5000:1"#]),
        (honor(), "a{instance=\"\"} 1\n", &[r#"{__name__="a", job="vllm"} 5000:1"#]),
        (
            with(vec![rule(Action::Drop, "__name__", "b", "", "")]),
            "a 1\nb 2\n",
            &[r#"{__name__="a", instance="h:1", job="vllm"} 5000:1"#],
        ),
        (
            with(vec![rule(Action::Replace, "__name__", "a", "__name__", "b")]),
            "a 1\n",
            &[r#"{__name__="b", instance="h:1", job="vllm"} 5000:1"#],
        ),
        (
            with(vec![rule(Action::LabelDrop, "", "instance|x", "", "")]),
            "a{x=\"1\"} 1\n",
            &[r#"{__name__="a", job="vllm"} 5000:1"#],
        ),
        (
            with(vec![rule(Action::Replace, "instance", "(.*):.*", "host", "$1")]),
            "a 1\n",
            &[r#"{__name__="a", host="h", instance="h:1", job="vllm"} 5000:1"#],
        ),
        (with(vec![rule(Action::LabelDrop, "", ".*", "", "")]), "a 1\n", &[]),
        (
            job(),
            "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_bucket{le=\"1000000\"} 1\nh_bucket{le=\"x\"} 1\n",
            &[
                r#"{__name__="h_bucket", instance="h:1", job="vllm", le="+Inf"} 5000:1"#,
                r#"{__name__="h_bucket", instance="h:1", job="vllm", le="1.0"} 5000:1"#,
                r#"{__name__="h_bucket", instance="h:1", job="vllm", le="1e+06"} 5000:1"#,
                r#"{__name__="h_bucket", instance="h:1", job="vllm", le="x"} 5000:1"#,
            ],
        ),
        (
            job(),
            "h_bucket{le=\"1\"} 1\n",
            &[r#"{__name__="h_bucket", instance="h:1", job="vllm", le="1"} 5000:1"#],
        ),
        (
            job(),
            "# TYPE s summary\ns{quantile=\"1\"} 1\n# TYPE g gauge\ng{quantile=\"1\"} 1\n",
            &[
                r#"{__name__="g", instance="h:1", job="vllm", quantile="1"} 5000:1"#,
                r#"{__name__="s", instance="h:1", job="vllm", quantile="1.0"} 5000:1"#,
            ],
        ),
        (job(), "a NaN\n", &[r#"{__name__="a", instance="h:1", job="vllm"} 5000:NaN"#]),
    ];
    for (job, page, expected) in rows {
        let mut fixture = Fixture::new(job);
        fixture.page(page, TEXT).unwrap();
        assert_eq!(fixture.dump(), expected, "{page}");
    }
}

#[test]
fn a_nan_has_the_bits_that_prometheus_gives_it() {
    let mut fixture = Fixture::new(job());
    fixture.page("a nan\n", TEXT).unwrap();
    let samples = fixture.store.samples(&[("__name__", "a"), ("instance", "h:1"), ("job", "vllm")]);
    assert_eq!(samples, [(5_000, 0x7ff8_0000_0000_0001)]);
}

/// A page sequence: what is stored of one series, and the counts.
#[test]
fn sequences() {
    let counts = |scraped, after_relabel, added, repeated, ended| Counts {
        scraped,
        after_relabel,
        added,
        repeated,
        refused: 0,
        ended,
    };
    let mut fixture = Fixture::new(job());
    let a = |fixture: &Fixture| {
        fixture
            .dump()
            .iter()
            .map(|line| line.split("} ").nth(1).unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(fixture.page("a 1\nb 1\n", TEXT), Ok(counts(2, 2, 2, 0, 0)));
    assert_eq!(fixture.page("a 2\nb 2\n", TEXT), Ok(counts(2, 2, 0, 0, 0)));
    // b ends, and comes back.
    assert_eq!(fixture.page("a 3\n", TEXT), Ok(counts(1, 1, 0, 0, 1)));
    assert_eq!(fixture.page("a 4\n", TEXT), Ok(counts(1, 1, 0, 0, 0)));
    assert_eq!(fixture.page("b 5\na 5\n", TEXT), Ok(counts(2, 2, 1, 0, 0)));
    assert_eq!(
        a(&fixture),
        ["5000:1 10000:2 15000:3 20000:4 25000:5", "5000:1 10000:2 15000:stale 25000:5",]
    );
    // Of a repeated series the first sample counts, however it is written.
    assert_eq!(fixture.page("a 6\na 7\na{} 8\nb 6\n", TEXT), Ok(counts(4, 4, 0, 2, 0)));
    assert_eq!(fixture.page("a{ } 7\na 8\nb 7\n", TEXT), Ok(counts(3, 3, 1, 1, 0)));
    assert_eq!(a(&fixture)[0], "5000:1 10000:2 15000:3 20000:4 25000:5 30000:6 35000:7");
    // A page that cannot be read stores nothing and ends everything, once.
    assert!(fixture.page("a 8\nc 8\nb", TEXT).is_err());
    assert!(fixture.page("a 9\n<", TEXT).is_err());
    assert_eq!(fixture.page("a 10\nb 10\n", TEXT), Ok(counts(2, 2, 0, 0, 0)));
    assert_eq!(
        a(&fixture),
        [
            "5000:1 10000:2 15000:3 20000:4 25000:5 30000:6 35000:7 40000:stale 50000:10",
            "5000:1 10000:2 15000:stale 25000:5 30000:6 35000:7 40000:stale 50000:10",
        ]
    );
    // An empty page is a good one without series, whatever its type.
    assert_eq!(fixture.page("", None), Ok(counts(0, 0, 0, 0, 2)));
    assert_eq!(
        fixture.report("up"),
        "{__name__=\"up\", instance=\"h:1\", job=\"vllm\"} 5000:1 10000:1 15000:1 20000:1 25000:1 \
         30000:1 35000:1 40000:0 45000:0 50000:1 55000:1"
    );
    assert_eq!(
        fixture.report("scrape_samples_scraped").split("} ").nth(1),
        Some(
            "5000:2 10000:2 15000:1 20000:1 25000:2 30000:4 35000:3 40000:2 45000:1 50000:2 55000:0"
        )
    );
    assert!(fixture.report("scrape_duration_seconds").ends_with("55000:0.5"));
    assert_eq!(fixture.store.state().rows, 11 * 2 - 1);
}

#[test]
fn what_fails_a_page() {
    let rows = [
        ("a{b=\"1\",b=\"2\"} 1\n", TEXT, "label name \"b\" is not unique: invalid sample"),
        ("a{__name__=\"b\"} 1\n", TEXT, "label name \"__name__\" is not unique: invalid sample"),
        ("{\"\"} 1\n", TEXT, "missing metric name (__name__ label)"),
        (
            "a 1\n",
            None,
            "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target",
        ),
        ("a 1\n", OPEN_METRICS, "data does not end with # EOF (line 2, column 1)"),
    ];
    for (page, content_type, expected) in rows {
        let mut fixture = Fixture::new(job());
        assert_eq!(fixture.page(page, content_type), Err(expected.to_owned()));
        assert_eq!(fixture.dump(), Vec::<String>::new());
        assert_eq!(fixture.page("a 1\n", TEXT).map(|counts| counts.added), Ok(1));
    }
}

/// What rules make of a page's series: the same one twice counts once, as if the page said so; none
/// without any label; and one that has labels but no name is a mistake that fails the page.
#[test]
fn what_rules_leave_of_series() {
    let with = |rules| Job { metric_relabel: rules, ..job() };
    let same = || with(vec![rule(Action::LabelDrop, "", "engine", "", "")]);
    let page = "a{engine=\"0\"} 1\na{engine=\"1\"} 2\nb 3\n";
    let mut fixture = Fixture::new(same());
    for _ in 0..2 {
        let counts = fixture.page(page, TEXT).unwrap();
        assert_eq!((counts.scraped, counts.after_relabel, counts.repeated), (3, 3, 1));
    }
    let dump = fixture.dump();
    assert_eq!(dump.len(), 2, "{dump:?}");
    assert!(dump[0].ends_with("} 5000:1 10000:1"), "{dump:?}");
    assert!(fixture.report("up").ends_with("5000:1 10000:1"));

    let mut nameless = Fixture::new(with(vec![rule(Action::Replace, "b", "x", "__name__", "")]));
    assert!(nameless.page("a 1\n", TEXT).is_ok());
    let refused = Err("missing metric name (__name__ label)".to_owned());
    assert_eq!(nameless.page("a 2\na{b=\"x\"} 2\n", TEXT), refused);
    assert!(nameless.dump()[0].ends_with("} 5000:1 10000:stale"));

    let mut empty = Fixture::new(with(vec![rule(Action::LabelKeep, "", "kept", "", "")]));
    let counts = empty.page("a 1\n", TEXT).unwrap();
    assert_eq!((counts.scraped, counts.after_relabel), (1, 0));
    assert_eq!(empty.dump(), [""; 0]);
}

#[test]
fn a_store_that_is_full_fails_the_page_and_keeps_what_lives() {
    let mut fixture = Fixture::new(job());
    fixture.store.series_max = 8;
    assert_eq!(fixture.page("a 1\n", TEXT).map(|counts| counts.added), Ok(1));
    assert_eq!(fixture.page("a 2\nb 2\nc 2\nd 2\n", TEXT), Err("series limit exceeded".into()));
    assert_eq!(fixture.page("a 3\nb 3\n", TEXT).map(|counts| counts.added), Ok(1));
    let lines = fixture.dump();
    assert!(lines[0].ends_with("5000:1 10000:stale 15000:3"), "{lines:?}");
    assert_eq!(lines.len(), 2);
}

/// Timestamps of the page: such samples go in beside the row and never get a marker.
#[test]
fn own_timestamps() {
    let page = "a 1 1234\nb 1\n";
    let mut fixture = Fixture::new(job());
    fixture.page(page, TEXT).unwrap();
    fixture.page("b 2\n", TEXT).unwrap();
    assert!(fixture.dump()[0].ends_with("} 1234:1"));
    assert_eq!(fixture.store.state().loose, 1);
    // The same one again is no news, a contradicting one is refused, both fail nothing.
    assert_eq!(fixture.page(page, TEXT).map(|counts| counts.refused), Ok(0));
    assert_eq!(fixture.page("a 2 1234\nb 1\n", TEXT).map(|counts| counts.refused), Ok(1));
    // One from the far future would block the series.
    let future = format!("a 3 {}\nb 1\n", 25_000 + 10 * 60 * 1000 + 1);
    assert_eq!(fixture.page(&future, TEXT).map(|counts| counts.refused), Ok(1));
    // Without a timestamp it becomes a column.
    fixture.page("a 5\nb 5\n", TEXT).unwrap();
    fixture.page("b 6\n", TEXT).unwrap();
    assert!(fixture.dump()[0].ends_with("} 1234:1 30000:5 35000:stale"));

    let mut fixture = Fixture::new(Job { honor_timestamps: false, ..job() });
    fixture.page(page, TEXT).unwrap();
    fixture.page("b 2\n", TEXT).unwrap();
    assert!(fixture.dump()[0].ends_with("} 5000:1 10000:stale"));
    assert_eq!(fixture.store.state().loose, 0);
}

#[test]
fn families_and_what_is_said_about_them() {
    let page = "# HELP h Time.\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n\
        # HELP c_total Sum.\n# TYPE c_total counter\nc_total 1\nother 1\n# TYPE alone gauge\n";
    let mut fixture = Fixture::new(job());
    fixture.page(page, TEXT).unwrap();
    let state = fixture.store.state().clone();
    let family_of = |name: &str| {
        let found = state.family_of.iter().find(|(labels, _)| labels.metric_name() == Some(name));
        found.map(|(_, family)| family.as_str())
    };
    let rows = [
        ("h_bucket", "h"),
        ("h_sum", "h"),
        ("h_count", "h"),
        ("c_total", "c_total"),
        ("other", "other"),
    ];
    for (name, family) in rows {
        assert_eq!(family_of(name), Some(family));
    }
    assert_eq!(state.families["h"].kind, MetricType::Histogram);
    assert_eq!(state.families["h"].help, "Time.");
    assert_eq!(state.families["alone"].kind, MetricType::Gauge);
    let names = |changes: Option<Vec<Arc<(String, tsdb::model::Metadata)>>>| {
        changes.map(|all| all.iter().map(|family| family.0.clone()).collect::<Vec<_>>())
    };
    let changes = names(fixture.ingest.take_family_changes());
    assert_eq!(changes, Some(vec!["alone".into(), "c_total".into(), "h".into()]));
    fixture.page(page, TEXT).unwrap();
    assert_eq!(fixture.ingest.take_family_changes(), None);
    // A family is remembered for ten pages.
    for _ in 0..9 {
        fixture.page("other 1\n", TEXT).unwrap();
    }
    assert_eq!(fixture.ingest.take_family_changes(), None);
    fixture.page("other 1\n", TEXT).unwrap();
    assert_eq!(names(fixture.ingest.take_family_changes()), Some(vec![]));
}

#[test]
fn a_renamed_metric_renames_its_family() {
    let rename = rule(Action::Replace, "__name__", "vllm:(.*)", "__name__", "v_$1");
    let mut fixture = Fixture::new(Job { metric_relabel: vec![rename], ..job() });
    fixture.page("# TYPE vllm:h histogram\nvllm:h_sum 1\n", TEXT).unwrap();
    let state = fixture.store.state().clone();
    let family = state.family_of.iter().find(|(labels, _)| labels.metric_name() == Some("v_h_sum"));
    assert_eq!(family.map(|(_, family)| family.as_str()), Some("v_h"));
    assert_eq!(state.families["v_h"].kind, MetricType::Histogram);
}

#[test]
fn exemplars() {
    let page = "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1 # {trace=\"t1\"} 0.5 1.5\nh_count 1 # {trace=\"t2\"} 0.25\n# EOF\n";
    let mut fixture = Fixture::new(job());
    fixture.page(page, OPEN_METRICS).unwrap();
    let state = fixture.store.state().clone();
    let got: Vec<_> = state
        .exemplars
        .iter()
        .map(|(series, exemplar)| {
            let name = series.metric_name().unwrap().to_owned();
            (name, exemplar.labels.to_string(), exemplar.value, exemplar.timestamp.ms())
        })
        .collect();
    assert_eq!(
        got,
        [
            ("h_bucket".to_owned(), r#"{trace="t1"}"#.to_owned(), 0.5, 1_500),
            ("h_count".to_owned(), r#"{trace="t2"}"#.to_owned(), 0.25, 5_000),
        ]
    );
}

#[test]
fn a_removed_target_ends_all_its_series() {
    let mut never = Fixture::new(job());
    let mut append = never.store.appender();
    never.ingest.end(Timestamp::from_ms(10_000), &mut *append).unwrap();
    append.commit().unwrap();
    assert_eq!(never.store.dump(), Vec::<String>::new());

    let mut fixture = Fixture::new(job());
    fixture.page("a 1\n", TEXT).unwrap();
    let mut append = fixture.store.appender();
    fixture.ingest.end(Timestamp::from_ms(10_000), &mut *append).unwrap();
    append.commit().unwrap();
    let lines = fixture.store.dump();
    assert_eq!(lines.len(), 6);
    assert!(lines.iter().all(|line| line.ends_with("10000:stale")), "{lines:?}");
}

/// Series without end: what is gone is forgotten, what comes back goes on.
#[test]
fn memory_does_not_grow_with_series_that_are_gone() {
    let mut fixture = Fixture::new(job());
    let mut lines = vec!["a 0".to_owned()];
    for page in 1..=12 {
        lines = vec![format!("a {page}")];
        lines.extend((0..100).map(|n| format!("churn{{page=\"{page}\",n=\"{n}\"}} 1")));
        let counts = fixture.page(&(lines.join("\n") + "\n"), TEXT).unwrap();
        assert_eq!(
            (counts.added, counts.ended),
            match page {
                1 => (101, 0),
                _ => (100, 100),
            }
        );
    }
    fixture.page(&(lines.join("\n") + "\n"), TEXT).unwrap();
    fixture.page("churn{page=\"1\",n=\"0\"} 7\n", TEXT).unwrap();
    let dump = fixture.dump();
    assert!(dump[0].ends_with("55000:11 60000:12 65000:12 70000:stale"), "{}", dump[0]);
    let back = dump.iter().find(|line| line.contains("n=\"0\", page=\"1\"")).unwrap();
    assert!(back.ends_with("5000:1 10000:stale 70000:7"), "{back}");
}

#[test]
fn a_store_that_lost_its_memory_is_told_everything_again() {
    let mut fixture = Fixture::new(job());
    fixture.page("# TYPE a counter\na 1\n", TEXT).unwrap();
    fixture.ingest.forget();
    fixture.store = Recording::default();
    fixture.page("# TYPE a counter\na 2\n", TEXT).unwrap();
    assert!(fixture.dump()[0].ends_with("} 10000:2"));
    assert_eq!(fixture.store.state().families["a"].kind, MetricType::Counter);
}

/// Whatever the store does with the target's group: what lived ends when it is no longer there.
#[test]
fn a_target_that_the_store_forgot_is_defined_anew() {
    let mut target = Fixture::new(job());
    target.page("a 1\nb 2 4000\nc 1\n", TEXT).unwrap();
    target.store.forget_groups();
    // Nothing is new, and c ends.
    let counts = target.page("a 3\nb 2 4000\n", TEXT).unwrap();
    assert_eq!((counts.added, counts.ended), (0, 1));
    target.store.forget_groups();
    // The scrape fails, after the new group was defined.
    assert!(target.page("a 1 2 3\n", TEXT).is_err());
    assert_eq!(target.page("a 4\n", TEXT).map(|own| own.added), Ok(0));
    target.store.forget_groups();
    assert_eq!(target.page("a 5\nc 6\n", TEXT).map(|own| own.added), Ok(1));
    target.store.forget_groups();
    let mut append = target.store.appender();
    target.ingest.end(Timestamp::from_ms(30_000), &mut *append).unwrap();
    append.commit().unwrap();
    let ends = [
        ("\"a\"", "5000:1 10000:3 15000:stale 20000:4 25000:5 30000:stale"),
        ("\"b\"", "4000:2"),
        ("\"c\"", "5000:1 10000:stale 25000:6 30000:stale"),
        ("\"up\"", "5000:1 10000:1 15000:0 20000:1 25000:1 30000:stale"),
    ];
    let dump = target.store.dump();
    for (name, end) in ends {
        let line = dump.iter().find(|line| line.contains(name)).unwrap();
        assert!(line.ends_with(&format!("}} {end}")), "{line}");
    }
}

/// What is carried over to another group is called what it was called before, in every format.
#[test]
fn names_are_the_same_in_another_group() {
    let convert = |job: Job| {
        let histograms = scraper::job::Histograms { to_custom: true, ..job.histograms };
        Job { histograms, ..job }
    };
    let rules = |job: Job| {
        let own = rule(Action::Replace, "__name__", "g", "own", "r");
        Job { metric_relabel: vec![own], ..job }
    };
    let page = "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\n\
        h_count 2\n# TYPE g gauge\ng{le=\"1\",job=\"x\"} 4\n";
    for job in [job(), convert(job()), rules(job())] {
        let mut target = Fixture::new(job);
        target.page(page, TEXT).unwrap();
        let (before, families) = (target.dump().len(), target.store.state().family_of.clone());
        target.store.forget_groups();
        assert_eq!(target.page("# TYPE other gauge\nother 1\n", TEXT).unwrap().added, 1);
        let dump = target.dump();
        let ended = dump.iter().filter(|line| line.ends_with("10000:stale")).count();
        assert_eq!((ended, dump.len()), (before, before + 1), "{dump:#?}");
        let state = target.store.state();
        for (labels, family) in families {
            assert_eq!(state.family_of[&labels], family, "{labels}");
        }
    }
}

/// `_created` lines are when the others have started, if that is wanted; else they are series.
#[test]
fn start_timestamps() {
    let page = "# TYPE c counter\nc_total{a=\"1\"} 1\nc_created{a=\"1\"} 2.5\nc_created{a=\"2\"} 3\n\
        c_total{a=\"2\"} 1\nc_total{a=\"3\"} 1\n# TYPE h histogram\nh_bucket{le=\"1.0\"} 1\n\
        h_bucket{le=\"+Inf\"} 2\nh_count 2\nh_sum 3\nh_created 4\n# TYPE s summary\n\
        s{quantile=\"0.5\"} 1\ns_count 1\ns_created 1e9\n# TYPE g gauge\ng_created 5\n# EOF\n";
    let wanted = || Job { start_timestamps: true, ..job() };
    let starts = |target: &Fixture| -> Vec<String> {
        let state = target.store.state();
        let all = state.starts.iter().map(|(labels, starts)| {
            let own = labels.filtered(|name| !["instance", "job"].contains(&name));
            format!("{own} {starts:?}")
        });
        all.collect()
    };
    let mut plain = Fixture::new(job());
    plain.page(page, OPEN_METRICS).unwrap();
    assert_eq!((starts(&plain).len(), plain.dump().len()), (0, 14));
    let mut started = Fixture::new(wanted());
    for _ in 0..2 {
        assert_eq!(started.page(page, OPEN_METRICS).unwrap().scraped, 14);
    }
    // Those that are still to come are none: the summary's.
    let both = |start: i64| format!("[(5000, {start}), (10000, {start})]");
    let expected = [
        format!("{{__name__=\"c_total\", a=\"1\"}} {}", both(2500)),
        format!("{{__name__=\"c_total\", a=\"2\"}} {}", both(3000)),
        format!("{{__name__=\"h_bucket\", le=\"+Inf\"}} {}", both(4000)),
        format!("{{__name__=\"h_bucket\", le=\"1.0\"}} {}", both(4000)),
        format!("{{__name__=\"h_count\"}} {}", both(4000)),
        format!("{{__name__=\"h_sum\"}} {}", both(4000)),
    ];
    let mut shown = starts(&started);
    shown.sort();
    assert_eq!(shown, expected);
    assert_eq!(started.dump().len(), 10);
}

/// Zeros where counters started: once, in the past, and only what is newer than the series' newest
/// sample; of all that is refused nothing is counted.
#[test]
fn zeros_at_starts() {
    let mut target = Fixture::new(Job { start_zeros: true, ..job() });
    let page = |c: &str, h: &str, s: &str| {
        format!(
            "# TYPE c counter\nc_total 7\nc_created {c}\n# TYPE h histogram\nh_bucket{{le=\"+Inf\"}} 7\n\
             h_count 7\nh_created {h}\n# TYPE s summary\ns_count 7\ns_created {s}\n# TYPE g gauge\n\
             g 7\n# EOF\n"
        )
    };
    let rows = [
        // In the past, the same moment, still to come.
        ("2.5", "2.5", "6"),
        // No news; it had come before this page.
        ("2.5", "2.5", "6"),
        // A restart.
        ("12", "12.001", "14"),
        // Older than what is known; never.
        ("3", "0", "14"),
        ("NaN", "-1", "14"),
    ];
    for (c, h, s) in rows {
        let counts = target.page(&page(c, h, s), OPEN_METRICS).unwrap();
        assert_eq!((counts.scraped, counts.refused), (8, 0), "{c} {h} {s}");
    }
    let samples = |before: &str, restart: &str| {
        format!("{before}5000:7 10000:7 {restart}:0 15000:7 20000:7 25000:7")
    };
    let expected = [
        ("c_total", samples("2500:0 ", "12000")),
        ("h_bucket", samples("2500:0 ", "12001")),
        ("h_count", samples("2500:0 ", "12001")),
        ("s_count", "5000:7 6000:0 10000:7 14000:0 15000:7 20000:7 25000:7".to_owned()),
        ("g", "5000:7 10000:7 15000:7 20000:7 25000:7".to_owned()),
    ];
    let dump = target.dump();
    assert_eq!(dump.len(), expected.len(), "{dump:#?}");
    for (name, samples) in expected {
        let line = dump.iter().find(|line| line.contains(&format!("\"{name}\""))).unwrap();
        assert!(line.ends_with(&format!("}} {samples}")), "{line}");
    }
    assert!(target.store.state().starts.is_empty());
    assert!(!target.report("up").contains(":0"));
}

/// A real store takes them, and what a page asks for beyond all measure is bounded.
#[test]
fn zeros_in_a_real_store() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(tsdb::disk::os::OsDisk);
    let (db, _) = tsdb::Db::open(disk, folder.path(), tsdb::Options::default()).unwrap();
    let target = Labels::from_pairs([("instance", "h:1")]);
    let mut ingest = Ingest::new(target, Arc::new(Job { start_zeros: true, ..job() }));
    let mut scrape = |count: usize, first_ms: usize, at_ms: i64| {
        let mut page = "# TYPE c counter\n".to_owned();
        for n in 0..count {
            let ms = first_ms + n;
            page += &format!(
                "c_total{{n=\"{n}\"}} 1\nc_created{{n=\"{n}\"}} {}.{:03}\n",
                ms / 1000,
                ms % 1000
            );
        }
        let before = db.stats().appended;
        let mut append = db.appender();
        let at = Timestamp::from_ms(at_ms);
        let counts =
            ingest.page((page + "# EOF\n").as_bytes(), OPEN_METRICS, at, &mut *append).unwrap();
        append.commit().unwrap();
        assert_eq!(counts.refused, 0);
        db.stats().appended - before
    };
    assert_eq!(scrape(10, 1_000, 100_000), 20);
    assert_eq!(scrape(10, 1_000, 110_000), 10);
    assert_eq!(scrape(10, 115_000, 120_000), 20);
    // New series that started before what the group has.
    assert_eq!(scrape(12, 115_000, 130_000), 14);
    assert_eq!(scrape(5_000, 131_000, 140_000), 5_000 + 1_000);
}
