//! Targets over rows of data.

use tsdb::model::regex::Anchored;

use super::*;
use crate::job::FixedTargets;
use crate::relabel::{Action, Rule};

fn job(addresses: &[&str], labels: &[(&str, &str)], relabel: Vec<Rule>) -> Job {
    let labels = labels.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    let addresses = addresses.iter().map(|address| address.to_string()).collect();
    let fixed = FixedTargets { addresses, labels: labels.collect() };
    Job {
        params: [("name[]".to_owned(), vec!["a b".to_owned(), "c".to_owned()])].into(),
        interval_ms: 5_000,
        timeout_ms: 5_000,
        relabel,
        ..Job::with_targets("vllm", vec![fixed])
    }
}

fn replace(source: &str, pattern: &str, target: &str, replacement: &str) -> Rule {
    Rule {
        source_labels: vec![source.into()],
        separator: ";".into(),
        regex: Anchored::new(pattern).unwrap(),
        pattern: pattern.into(),
        modulus: 0,
        target_label: target.into(),
        replacement: replacement.into(),
        action: Action::Replace,
    }
}

#[test]
fn an_address_becomes_labels_and_a_url() {
    let always = |target: &str, value: &str| vec![replace("", ".*", target, value)];
    let query = "?name%5B%5D=a+b&name%5B%5D=c";
    let rows = [
        (vec![], r#"{instance="h:1", job="vllm", zone="a"}"#, format!("http://h:1/metrics{query}")),
        (
            always("job", "other"),
            r#"{instance="h:1", job="other", zone="a"}"#,
            format!("http://h:1/metrics{query}"),
        ),
        (
            always("instance", "pod-1"),
            r#"{instance="pod-1", job="vllm", zone="a"}"#,
            format!("http://h:1/metrics{query}"),
        ),
        (
            always("__scheme__", "https"),
            r#"{instance="h:1", job="vllm", zone="a"}"#,
            format!("https://h:1/metrics{query}"),
        ),
        (
            always("__metrics_path__", "a?b c"),
            r#"{instance="h:1", job="vllm", zone="a"}"#,
            format!("http://h:1/a%3Fb%20c{query}"),
        ),
        (
            always("__param_name[]", "x"),
            r#"{instance="h:1", job="vllm", zone="a"}"#,
            "http://h:1/metrics?name%5B%5D=x&name%5B%5D=c".into(),
        ),
        (
            always("__param_q", "ü"),
            r#"{instance="h:1", job="vllm", zone="a"}"#,
            format!("http://h:1/metrics{query}&q=%C3%BC"),
        ),
        (
            vec![replace("__meta_pod", "(.*)", "pod", "$1")],
            r#"{instance="h:1", job="vllm", pod="p", zone="a"}"#,
            format!("http://h:1/metrics{query}"),
        ),
        (
            vec![replace("__address__", "(.*):.*", "__address__", "$1:9")],
            r#"{instance="h:9", job="vllm", zone="a"}"#,
            format!("http://h:9/metrics{query}"),
        ),
    ];
    for (relabel, labels, url) in rows {
        let found = find(&job(&["h:1"], &[("zone", "a"), ("__meta_pod", "p")], relabel));
        assert_eq!(found.failures, []);
        let [target] = &found.targets[..] else { panic!("{found:?}") };
        assert_eq!((target.labels.to_string().as_str(), target.url.as_str()), (labels, &*url));
        assert_eq!((target.interval_ms, target.timeout_ms), (5_000, 5_000));
        assert_eq!(target.discovered.get("__scrape_interval__"), Some("5s"));
        assert_eq!(target.status().health, Health::Unknown);
    }
}

#[test]
fn what_is_no_target() {
    let rows = [
        ("__address__", "", "no address"),
        ("__address__", "h/x", "\"h/x\" is not a valid hostname"),
        ("__scheme__", "ftp", "invalid scheme: \"ftp\""),
        (
            "__scrape_interval__",
            "x",
            "error parsing scrape interval: not a valid duration string: \"x\"",
        ),
        ("__scrape_interval__", "0s", "scrape interval cannot be 0"),
        ("__scrape_timeout__", "", "error parsing scrape timeout: empty duration string"),
        ("__scrape_timeout__", "0", "scrape timeout cannot be 0"),
        (
            "__scrape_native_histograms__",
            "yes",
            "error parsing __scrape_native_histograms__: strconv.ParseBool: parsing \"yes\": invalid \
             syntax",
        ),
        (
            "__scrape_timeout__",
            "6s",
            "scrape timeout cannot be greater than scrape interval (\"6s\" > \"5s\")",
        ),
    ];
    for (label, value, error) in rows {
        let found = find(&job(&["h:1"], &[], vec![replace("", ".*", label, value)]));
        assert_eq!(found.targets.len(), 0);
        assert_eq!(found.failures[0].1.to_string(), error);
    }
}

#[test]
fn a_target_is_scraped_once_and_dropped_ones_are_remembered() {
    let mut drop = replace("__address__", "b:1", "", "");
    drop.action = Action::Drop;
    let found = find(&job(&["a:1", "b:1", "a:1"], &[], vec![drop]));
    assert_eq!((found.targets.len(), found.duplicates, found.dropped.count), (1, 1, 1));
    assert_eq!(found.dropped.targets[0].discovered.get("__address__"), Some("b:1"));

    let many: Vec<String> = (0..DROPPED_MAX + 5).map(|n| format!("h{n}:1")).collect();
    let mut drop = replace("", ".*", "", "");
    drop.action = Action::Drop;
    let found = find(&job(&many.iter().map(String::as_str).collect::<Vec<_>>(), &[], vec![drop]));
    assert_eq!((found.dropped.targets.len(), found.dropped.count), (DROPPED_MAX, DROPPED_MAX + 5));
}

#[test]
fn identity_follows_url_interval_and_labels() {
    let base = find(&job(&["h:1"], &[], vec![])).targets.remove(0).identity;
    let rows = [
        (vec![replace("", ".*", "__meta_x", "1")], true),
        (vec![replace("", ".*", "zone", "1")], false),
        (vec![replace("", ".*", "__param_x", "1")], false),
        (vec![replace("", ".*", "__scrape_timeout__", "1s")], false),
    ];
    for (relabel, same) in rows {
        let target = find(&job(&["h:1"], &[], relabel)).targets.remove(0);
        assert_eq!(target.identity == base, same);
    }
}
