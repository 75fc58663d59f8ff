//! Rules of a group that are evaluated at the same time see what they would see one after the other.

use std::time::Duration;

use server::app::AppOptions;
use server::rules::file::{Reading, parse};
use server::rules::manager::{Defaults, RuleOptions};

use crate::running::{Running, options};

/// `off:…` is 0 if the rule saw what those before it recorded in the same evaluation.
const RULES: &str = "groups:
- name: a
  interval: 50ms
  rules:
  - {record: one, expr: time()}
  - {record: two, expr: time()}
  - {record: 'off:one', expr: 'one - time()'}
  - {record: three, expr: 'one + two'}
  - {record: 'off:three', expr: '(three + off:one) / 2 - time()'}
  - {record: 'off:any', expr: 'sum({__name__=~\"off:.*\", __name__!=\"off:any\"})'}
";

#[tokio::test(flavor = "multi_thread")]
async fn what_they_record_is_that_of_one_after_the_other() {
    let directory = tempfile::tempdir().unwrap();
    let groups = parse(RULES, "rules.yml", Reading::default()).unwrap();
    let rules = RuleOptions { groups, defaults: Defaults::default() };
    let mut options = AppOptions { rules, ..options() };
    options.shared.features = vec!["concurrent-rule-eval".to_owned()];
    let server = Running::start_with(directory.path(), Vec::new(), options).await;
    let ask = async |query: &str| {
        let (_, body) = server.get(&format!("/api/v1/query?query={query}")).await;
        let answer: serde_json::Value = body.parse().unwrap();
        let value = &answer["data"]["result"][0]["value"][1];
        value.as_str().map(|text| text.parse::<f64>().unwrap())
    };
    let mut looks = 0;
    while ask("count_over_time(off:any[1h])").await.is_none_or(|count| count < 20.0) {
        looks += 1;
        assert!(looks < 600, "rules are not evaluated");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for name in ["off:one", "off:three", "off:any"] {
        for side in ["min", "max"] {
            assert_eq!(
                ask(&format!("{side}_over_time({name}[1h])")).await,
                Some(0.0),
                "{side} {name}"
            );
        }
    }
    server.stop().await;
}
