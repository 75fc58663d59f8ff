//! Classic histograms that become native ones with custom buckets.

use scraper::job::{Histograms, Job};

use crate::ingest::{Fixture, TEXT};
use crate::jobs::job;

fn converting(classic_too: bool) -> Job {
    Job { histograms: Histograms { native: false, classic_too, to_custom: true }, ..job() }
}

const PAGE: &str = "# TYPE h histogram\n\
    h_bucket{x=\"1\",le=\"1\"} 2\nh_bucket{x=\"1\",le=\"+Inf\"} 5\nh_sum{x=\"1\"} 9\nh_count{x=\"1\"} 5\n\
    h_bucket{le=\"0.5\",x=\"2\"} 1\nh_bucket{le=\"+Inf\",x=\"2\"} 1\nh_count{x=\"2\"} 1\nh_sum{x=\"2\"} 0.25\n\
    h_created 7\n# TYPE g gauge\ng_bucket{le=\"1\"} 1\n# TYPE empty histogram\nempty_bucket{le=\"x\"} 1\n\
    # TYPE last histogram\nlast_count 0\nlast_sum 0\nlast_bucket{le=\"+Inf\"} 0\n";

#[test]
fn pages() {
    let native = [
        r#"{__name__="h", instance="h:1", job="vllm", x="1"} 5000:5"#,
        r#"{__name__="h", instance="h:1", job="vllm", x="2"} 5000:1"#,
        r#"{__name__="last", instance="h:1", job="vllm"} 5000:0"#,
    ];
    let others = [
        r#"{__name__="empty_bucket", instance="h:1", job="vllm", le="x"} 5000:1"#,
        r#"{__name__="g_bucket", instance="h:1", job="vllm", le="1"} 5000:1"#,
        r#"{__name__="h_created", instance="h:1", job="vllm"} 5000:7"#,
    ];
    for classic_too in [false, true] {
        let mut fixture = Fixture::new(converting(classic_too));
        let counts = fixture.page(PAGE, TEXT).unwrap();
        let classic = if classic_too { 11 } else { 0 };
        assert_eq!(counts.scraped, native.len() + others.len() + classic);
        let dump = fixture.dump();
        for line in native.iter().chain(&others) {
            assert!(dump.iter().any(|own| own == line), "{line} in {dump:#?}");
        }
        assert_eq!(dump.len(), counts.scraped);
        let state = fixture.store.state();
        let first = &state.histograms[0].1;
        assert_eq!((&first.custom_values[..], first.sum), (&[1.0][..], 9.0));
        assert_eq!(first.positive_buckets, [2.0, 3.0]);
        drop(state);
        let again = fixture.page(PAGE, TEXT).unwrap();
        assert_eq!((again.added, again.ended, again.scraped), (0, 0, counts.scraped));
    }
}

/// What contradicts itself becomes nothing, and fails nothing.
#[test]
fn contradictions() {
    let page =
        "# TYPE h histogram\nh_bucket{le=\"1\"} 5\nh_bucket{le=\"+Inf\"} 2\nh_count 2\na 1\n";
    let mut fixture = Fixture::new(converting(false));
    assert!(fixture.page(page, TEXT).is_ok());
    assert_eq!(fixture.dump(), [r#"{__name__="a", instance="h:1", job="vllm"} 5000:1"#]);
}
