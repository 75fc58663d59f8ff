//! `/api/v1/features` has Prometheus's names, and says what is on.

use std::collections::BTreeMap;
use std::time::Duration;

use server::app::AppOptions;
use server::packs::BuiltIn;
use server::reload::ConfigFile;

use crate::running::{Running, options, testdata};

type Features = BTreeMap<String, BTreeMap<String, bool>>;

/// The names of `testdata/api/features.txt`: in each line a category and its names, `!` before those
/// that are off at first.
fn expected() -> Features {
    let text = std::fs::read_to_string(testdata("api/features.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let category = |line: &str| {
        let (category, names) = line.split_once(": ").unwrap();
        let names = names.split(' ').map(|name| match name.strip_prefix('!') {
            // The operator that is written so begins with it.
            Some(rest) if !matches!(rest, "=" | "~") => (rest.to_owned(), false),
            _ => (name.to_owned(), true),
        });
        (category.to_owned(), names.collect())
    };
    lines.map(category).collect()
}

async fn listed(options: AppOptions) -> Features {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start_with(folder.path(), Vec::new(), options).await;
    let (status, answer) = server.get("/api/v1/features").await;
    server.stop().await;
    assert_eq!(status, 200);
    let answer: serde_json::Value = answer.parse().unwrap();
    serde_json::from_value(answer["data"].clone()).unwrap()
}

#[tokio::test]
async fn names_and_what_is_on_at_first() {
    let (listed, expected) = (listed(options()).await, expected());
    assert_eq!(listed.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (category, names) in &expected {
        assert_eq!(&listed[category], names, "{category}");
    }
}

#[tokio::test]
async fn what_flags_switch() {
    // A flag, and the names that are otherwise then.
    let rows: [(&str, &[&str]); 6] = [
        (
            "promql-experimental-functions",
            &["promql_functions info", "promql_functions mad_over_time", "promql_operators limitk"],
        ),
        ("promql-extended-range-selectors", &["promql anchored", "promql smoothed"]),
        ("promql-binop-fill-modifiers", &["promql fill", "promql fill_left", "promql fill_right"]),
        ("promql-delayed-name-removal", &["promql delayed_name_removal"]),
        ("concurrent-rule-eval", &["rules concurrent_rule_eval"]),
        ("created-timestamp-zero-ingestion", &["scrape start_timestamp_zero_ingestion"]),
    ];
    let mut all = options();
    all.shared.features = rows.map(|(flag, _)| flag.to_owned()).to_vec();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prometheus.yml");
    std::fs::write(&path, "scrape_configs: []\n").unwrap();
    let watch = Some(Duration::from_secs(60));
    let file = Some(ConfigFile::load(&path, watch, BuiltIn::default()).unwrap());
    let (lifecycle, admin, remote_write) = (true, true, !options().remote_write);
    let all = AppOptions { lifecycle, admin, remote_write, file, exemplars_max: Some(0), ..all };
    let (before, after) = (expected(), listed(all).await);
    let mut changed = Vec::new();
    for (category, names) in &before {
        let names = names.iter().filter(|(name, is_on)| after[category][*name] != **is_on);
        changed.extend(names.map(|(name, _)| format!("{category} {name}")));
    }
    for name in rows.iter().flat_map(|(_, names)| *names).copied().chain([
        "api admin",
        "api lifecycle",
        "api remote_write_receiver",
        "prometheus auto_reload_config",
        "tsdb exemplar_storage",
    ]) {
        assert!(changed.iter().any(|own| own == name), "{name} is as it was");
    }
    let others = ["promql_functions", "promql_operators"];
    let few = changed.iter().filter(|own| !others.iter().any(|other| own.starts_with(other)));
    assert_eq!(few.count(), 13, "{changed:?}");
}
