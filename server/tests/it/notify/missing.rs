//! `/api/v1/status/rules` says which metrics rules miss; `/api/v1/rules` stays as it is.

use super::{options_of, set_broken, until};
use crate::running::Running;

#[tokio::test]
async fn what_rules_miss_is_shown_until_it_is_there() {
    let rules = "groups: [{name: g, interval: 50ms, rules: [{record: r, expr: 'sum(brokn)'}, \
        {alert: A, expr: 'r > 0 or absent(x)'}]}]\n";
    let folder = tempfile::tempdir().unwrap();
    let options = options_of(folder.path(), "", rules, 60_000);
    let server = Running::start_with(&folder.path().join("data"), Vec::new(), options).await;
    set_broken(&server, 1.0).await;
    let shown = |missing: &str| {
        format!(
            "{{\"status\":\"success\",\"data\":{{\"groups\":[{{\"name\":\"g\",\"file\":\"{}\",\"rules\":[\
         {{\"name\":\"r\",\"type\":\"recording\",\"missing\":[{missing}]}},\
         {{\"name\":\"A\",\"type\":\"alerting\",\"missing\":[]}}]}}]}}}}",
            folder.path().join("rules.yml").display()
        )
    };
    let expected = shown(r#"{"name":"brokn","nearest":"broken"}"#);
    until("it is missing", async || {
        (server.get("/api/v1/status/rules").await.1 == expected).then_some(())
    })
    .await;
    let file = folder.path().join("rules.yml");
    std::fs::write(&file, rules.replace("brokn", "broken")).unwrap();
    let client = reqwest::Client::new();
    let reloaded = client.post(format!("{}/-/reload", server.url)).send().await.unwrap();
    assert_eq!(reloaded.status(), 200);
    let expected = shown("");
    until("it is there", async || {
        (server.get("/api/v1/status/rules").await.1 == expected).then_some(())
    })
    .await;
    assert!(!server.get("/api/v1/rules").await.1.contains("missing"));
    server.stop().await;
}
