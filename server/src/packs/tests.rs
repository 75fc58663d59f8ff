//! The files themselves, the grammar of `--packs`, and what is added to a configuration.

use std::path::Path;

use super::*;
use crate::config;

#[test]
fn packs_load_and_say_what_they_are() {
    for pack in PACKS {
        assert!(!pack.groups().is_empty(), "{}", pack.name);
        assert!(pack.about().ends_with(['.', ':']) && pack.about().len() > 20, "{}", pack.about());
        assert!(pack.groups().iter().all(|group| group.file == format!("pack:{}", pack.name)));
        // Whoever copies a group sees how often it is evaluated.
        assert!(pack.groups().iter().all(|group| group.interval_ms.is_some()), "{}", pack.name);
    }
}

#[test]
fn what_packs_read_of_each_other_stands_before_them() {
    let mut recorded = BTreeSet::new();
    for pack in PACKS {
        let metrics = pack.metrics();
        let missing = metrics.iter().filter(|name| name.starts_with("llm:"));
        let missing: Vec<_> = missing.filter(|name| !recorded.contains(*name)).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", pack.name);
        recorded.extend(self::recorded(&pack.groups()));
    }
}

/// What somebody else scrapes, a monitor above all, is scraped once.
#[test]
fn built_in_jobs_leave_targets_to_others() {
    assert!(jobs::jobs().iter().all(|job| job.yields));
}

#[test]
fn choices() {
    let all: Vec<&str> = PACKS.iter().map(|pack| pack.name).collect();
    let without = |name: &str| all.iter().copied().filter(|own| *own != name).collect::<Vec<_>>();
    let rows: [(&str, Vec<&str>); 7] = [
        ("all", all.clone()),
        ("none", vec![]),
        ("llm-d-slo", vec!["llm-d-slo"]),
        ("llm-d-goodput,llm-d-slo,llm-d-slo", vec!["llm-d-slo", "llm-d-goodput"]),
        ("-llm-d-energy", without("llm-d-energy")),
        ("all, -llm-d-slo", without("llm-d-slo")),
        ("all,none,llm-d-alerts", vec!["llm-d-alerts"]),
    ];
    for (text, expected) in rows {
        let choice = Choice::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(choice.packs().map(|pack| pack.name).collect::<Vec<_>>(), expected, "{text}");
    }
    for (text, error) in [
        ("llm-d-slos", "there is no pack \"llm-d-slos\"; did you mean llm-d-slo?"),
        ("", "there is no pack \"\"; there are llm-d-normalise, "),
        ("-xyz", "there is no pack \"xyz\"; there are llm-d-normalise, "),
    ] {
        assert!(Choice::parse(text).is_err_and(|own| own.starts_with(error)), "{text}");
    }
}

#[test]
fn a_pack_that_lacks_another_says_so() {
    let lacks = |text: &str| {
        let packs = Choice::parse(text).unwrap_or_default();
        let groups: Vec<_> = packs.packs().flat_map(Pack::groups).collect();
        BuiltIn { jobs: false, packs }.lacks(&recorded(&groups))
    };
    assert_eq!(lacks("all"), Vec::<String>::new());
    assert_eq!(lacks("llm-d-alerts"), Vec::<String>::new());
    let said = lacks("llm-d-goodput");
    let first = "pack llm-d-goodput reads llm:slo_bad:ratio_rate5m, which nothing records: add llm-d-slo, \
                 or a rule that records it";
    assert_eq!((said.len(), said.first().map(String::as_str)), (2, Some(first)));
}

#[test]
fn a_job_of_the_configuration_takes_the_place_of_a_built_in_one() {
    let text = "scrape_configs: [{job_name: a}, {job_name: llm-d/dcgm, scrape_interval: 7s}]";
    let parsed = |text| config::parse(text, "x", Path::new(""));
    let mut config = parsed(text).unwrap_or_else(|error| panic!("{error}"));
    let before = config.clone();
    BuiltIn::default().add_jobs(&mut config);
    assert_eq!(config, before);
    BuiltIn { jobs: true, packs: Choice::default() }.add_jobs(&mut config);
    let names: Vec<&str> = config.jobs.iter().map(|job| job.name.as_str()).collect();
    let rest =
        ["vllm", "endpoint-picker", "scheduler", "annotated-pods", "components", "envoy-gateway"];
    let rest = rest.map(|name| format!("{}{name}", jobs::PREFIX));
    assert_eq!(names[..2], ["a", "llm-d/dcgm"]);
    assert_eq!(names[2..], rest);
    assert_eq!(config.jobs[1].interval_ms, 7000);
}

#[test]
fn a_token_is_sent_where_there_is_one() {
    let with = |has_token| {
        let jobs = jobs::jobs_where(has_token);
        let with = jobs.into_iter().filter(|job| job.client.authorization.is_some());
        with.map(|job| job.name).collect::<Vec<_>>()
    };
    assert_eq!(with(true), ["llm-d/endpoint-picker", "llm-d/scheduler"]);
    assert_eq!(with(false), Vec::<String>::new());
}
