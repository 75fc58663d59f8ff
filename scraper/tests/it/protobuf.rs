//! Protobuf pages, written by hand: what they become in the store.

use proptest::prelude::*;
use scraper::job::{Histograms, Job};
use tsdb::model::Labels;

use crate::ingest::Fixture;
use crate::jobs::job;

const PROTO: Option<&str> = Some(
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
);

/// A message under way.
#[derive(Clone, Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(mut self, mut number: u64) -> Self {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
        self
    }

    fn number(self, field: u64, number: u64) -> Self {
        self.varint(field << 3).varint(number)
    }

    fn signed(self, field: u64, number: i64) -> Self {
        self.number(field, ((number << 1) ^ (number >> 63)) as u64)
    }

    fn double(self, field: u64, value: f64) -> Self {
        let mut message = self.varint(field << 3 | 1);
        message.0.extend(value.to_le_bytes());
        message
    }

    fn bytes(self, field: u64, bytes: &[u8]) -> Self {
        let mut message = self.varint(field << 3 | 2).varint(bytes.len() as u64);
        message.0.extend(bytes);
        message
    }

    fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    fn message(self, field: u64, message: Message) -> Self {
        self.bytes(field, &message.0)
    }

    fn label(self, name: &str, value: &str) -> Self {
        self.message(1, new().text(1, name).text(2, value))
    }
}

fn new() -> Message {
    Message::default()
}

fn time(seconds: u64, nanos: u64) -> Message {
    new().number(1, seconds).number(2, nanos)
}

fn page(families: &[Message]) -> Vec<u8> {
    families
        .iter()
        .flat_map(|family| {
            new().varint(family.0.len() as u64).0.into_iter().chain(family.0.clone())
        })
        .collect()
}

fn family(name: &str, kind: u64) -> Message {
    new().text(1, name).text(2, "Some \\help.").number(3, kind)
}

/// A native histogram with two classic buckets beside.
fn both() -> Message {
    let exemplar = new().label("t", "1").double(2, 0.7);
    let timed = exemplar.clone().message(3, time(9, 500_000_000));
    new()
        .number(1, 6)
        .double(2, 12.5)
        .message(3, new().number(1, 2).double(2, 1.0).message(3, exemplar))
        .message(3, new().number(1, 6).double(2, 8.0).message(3, timed))
        .signed(5, 3)
        .double(6, 0.001)
        .number(7, 1)
        .message(12, new().signed(1, -1).number(2, 2))
        .bytes(13, &new().varint(4).varint(2).0) // 2, then 2 + 1
        .message(15, time(5, 0))
}

fn whole_page() -> Vec<u8> {
    let exemplar = new().label("t", "2").double(2, 0.5);
    let counter = new().double(1, 3.0).message(2, exemplar).message(3, time(5, 0));
    let counters = family("c_total", 0)
        .message(4, new().label("x", "a\"\\\n").message(3, counter))
        .message(4, new().label("x", "own").message(3, new().double(1, 4.0)).number(6, 4_321));
    let gauges = family("g", 1).message(4, new().message(2, new().double(1, f64::NAN)));
    let quantile = new().double(1, 1.0).double(2, 7.0);
    let summary = new().number(1, 2).double(2, 9.0).message(3, quantile);
    let summaries = family("s", 2).message(4, new().message(4, summary));
    let dotted =
        family("a.b", 3).message(4, new().label("c.d", "e").message(5, new().double(1, 5.0)));
    let histograms = family("h", 4).message(4, new().label("job", "page").message(7, both()));
    page(&[counters, gauges, summaries, dotted, histograms])
}

fn with(native: bool, classic_too: bool) -> Job {
    Job { histograms: Histograms { native, classic_too, to_custom: false }, ..job() }
}

const SIMPLE: [&str; 7] = [
    r#"{__name__="a.b", "c.d"="e", instance="h:1", job="vllm"} 5000:5"#,
    "{__name__=\"c_total\", instance=\"h:1\", job=\"vllm\", x=\"a\\\"\\\\\\n\"} 5000:3",
    r#"{__name__="c_total", instance="h:1", job="vllm", x="own"} 4321:4"#,
    r#"{__name__="g", instance="h:1", job="vllm"} 5000:NaN"#,
    r#"{__name__="s", instance="h:1", job="vllm", quantile="1.0"} 5000:7"#,
    r#"{__name__="s_count", instance="h:1", job="vllm"} 5000:2"#,
    r#"{__name__="s_sum", instance="h:1", job="vllm"} 5000:9"#,
];
const NATIVE: &str = r#"{__name__="h", exported_job="page", instance="h:1", job="vllm"} 5000:6"#;
const CLASSIC: [&str; 5] = [
    r#"{__name__="h_bucket", exported_job="page", instance="h:1", job="vllm", le="+Inf"} 5000:6"#,
    r#"{__name__="h_bucket", exported_job="page", instance="h:1", job="vllm", le="1.0"} 5000:2"#,
    r#"{__name__="h_bucket", exported_job="page", instance="h:1", job="vllm", le="8.0"} 5000:6"#,
    r#"{__name__="h_count", exported_job="page", instance="h:1", job="vllm"} 5000:6"#,
    r#"{__name__="h_sum", exported_job="page", instance="h:1", job="vllm"} 5000:12.5"#,
];

#[test]
fn what_a_page_becomes() {
    let rows: [(Job, &[&str], &[&str]); 3] = [
        (with(false, false), &CLASSIC, &["c_total t=2", "h_bucket t=1", "h_bucket t=1"]),
        (with(true, false), &[NATIVE], &["c_total t=2", "h t=1"]),
        (
            with(true, true),
            &[&[NATIVE], &CLASSIC[..]].concat(),
            &["c_total t=2", "h t=1", "h_bucket t=1", "h_bucket t=1"],
        ),
    ];
    for (job, histograms, exemplars) in rows {
        let mut fixture = Fixture::new(job);
        let samples = SIMPLE.len() + histograms.len();
        for round in 0..2 {
            let counts = fixture.bytes(&whole_page(), PROTO).unwrap();
            assert_eq!((counts.scraped, counts.repeated, counts.refused), (samples, 0, 0));
            assert_eq!(counts.added, if round == 0 { samples } else { 0 });
            if round > 0 {
                continue;
            }
            let mut expected: Vec<_> =
                SIMPLE.iter().chain(histograms).map(|line| (*line).to_owned()).collect();
            let mut dump = fixture.dump();
            expected.sort();
            dump.sort();
            assert_eq!(dump, expected);
            let state = fixture.store.state();
            let told: Vec<_> = state
                .exemplars
                .iter()
                .map(|(series, exemplar)| {
                    let label = exemplar.labels.iter().next().unwrap();
                    format!("{} {}={}", series.metric_name().unwrap(), label.0, label.1)
                })
                .collect();
            assert_eq!(told, exemplars);
            assert_eq!(state.families["h"].help, "Some \\help.");
        }
    }
}

#[test]
fn a_native_histogram() {
    let mut fixture = Fixture::new(with(true, false));
    fixture.bytes(&whole_page(), PROTO).unwrap();
    let state = fixture.store.state();
    let [(_, histogram)] = &state.histograms[..] else { panic!("{:?}", state.histograms) };
    assert_eq!((histogram.schema, histogram.is_integer, histogram.count), (3, true, 6.0));
    assert_eq!(histogram.positive_buckets, [2.0, 3.0]);
    assert_eq!((histogram.zero_count, histogram.zero_threshold), (1.0, 0.001));
}

#[test]
fn limits_of_buckets() {
    // Two buckets that one coarser bucket does not hold, but many coarser ones do.
    let rows = [
        (None, None, Ok(3)),
        (Some(1), None, Ok(2)),
        (None, Some(2.0), Ok(0)),
        (Some(0), None, Err(())),
    ];
    for (histogram_buckets, histogram_factor, schema) in rows {
        let mut job = with(true, false);
        (job.limits.histogram_buckets, job.limits.histogram_factor) =
            (histogram_buckets, histogram_factor);
        let mut fixture = Fixture::new(job);
        let stored = fixture.bytes(&whole_page(), PROTO);
        let state = fixture.store.state();
        match schema {
            Ok(schema) => assert_eq!(state.histograms[0].1.schema, schema),
            Err(()) => assert_eq!(stored, Err("histogram bucket limit exceeded".into())),
        }
    }
}

#[test]
fn bad_pages() {
    let cut = whole_page();
    let unit = family("a", 0).text(5, "seconds").message(4, new());
    let odd = new().number(1, 3).message(12, new().number(2, 1)).bytes(13, &[4]);
    let odd = family("h", 4).message(4, new().message(7, odd));
    let rows: [(Vec<u8>, &str); 6] = [
        (cut[..cut.len() - 1].to_vec(), "unexpected EOF"),
        (page(&[family("", 0)]), "invalid metric name: "),
        (page(&[new().bytes(1, b"\xff")]), "invalid metric name"),
        (page(&[family("a", 9)]), "unknown metric type: 9"),
        (page(&[unit]), "unit \"seconds\" not a suffix of metric \"a\""),
        (
            page(&[odd]),
            "2 observations found in buckets, but the Count field is 3: histogram's observation \
             count should equal the number of observations found in the buckets (in absence of NaN)",
        ),
    ];
    for (page, error) in rows {
        let mut fixture = Fixture::new(with(true, false));
        assert_eq!(fixture.bytes(&page, PROTO), Err(error.to_owned()));
        assert_eq!(fixture.dump(), Vec::<String>::new());
    }
}

proptest! {
    /// Any change of a good page is read or refused, and the good one is read afterwards.
    #[test]
    fn damaged_pages(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)) {
        let good = whole_page();
        let mut bad = good.clone();
        for (at, byte) in changes {
            let at = at.index(bad.len());
            bad[at] = byte;
        }
        scraper::fuzz::page(&bad);
        let mut fixture = Fixture::new(with(true, true));
        let _read = fixture.bytes(&bad, PROTO);
        prop_assert!(fixture.bytes(&good, PROTO).is_ok());
        let labels = Labels::from_pairs([("__name__", "g"), ("instance", "h:1"), ("job", "vllm")]);
        prop_assert!(fixture.store.state().series.contains_key(&labels));
    }

    #[test]
    fn any_bytes(page in prop::collection::vec(any::<u8>(), 0..300)) {
        scraper::fuzz::page(&page);
    }
}

/// When counters and histograms have started comes with their samples, if that is wanted.
#[test]
fn starts() {
    for (start_timestamps, expected) in [(false, 0), (true, 7)] {
        let mut fixture = Fixture::new(Job { start_timestamps, ..with(true, true) });
        fixture.bytes(&whole_page(), PROTO).unwrap();
        let state = fixture.store.state();
        assert_eq!(state.starts.len(), expected, "{:?}", state.starts);
        assert!(state.starts.values().all(|starts| *starts == [(5000, 5000)]));
        let has = |name: &str| state.starts.keys().any(|own| own.metric_name() == Some(name));
        assert_eq!(has("c_total") && has("h") && has("h_bucket"), start_timestamps);
        assert!(!has("g") && !has("s_count"));
    }
}

/// Zeros stand where they started, native histograms among them.
#[test]
fn zeros_at_starts() {
    let mut fixture = Fixture::new(Job { start_zeros: true, ..with(true, true) });
    fixture.bytes(b"", PROTO).unwrap();
    fixture.bytes(&whole_page(), PROTO).unwrap();
    let dump = fixture.dump();
    assert_eq!(dump.iter().filter(|line| line.contains("} 5000:0 10000:")).count(), 7, "{dump:#?}");
    let state = fixture.store.state();
    assert!(state.starts.is_empty());
    let [(_, zero), (_, own)] = &state.histograms[..] else { panic!("{:?}", state.histograms) };
    assert_eq!((zero.count, zero.sum, zero.positive_buckets.len()), (0.0, 0.0, 0));
    assert_eq!((zero.schema, zero.zero_threshold), (own.schema, own.zero_threshold));
}
