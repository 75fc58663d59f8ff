//! `/api/v1/rules`, `/api/v1/alerts` and what `/metrics` says of rules, byte for byte but for times.

use std::time::Duration;

use server::app::AppOptions;
use server::rules::file::{Reading, parse};
use server::rules::manager::{Defaults, RuleOptions};

use crate::running::{Running, options};

const RULES: &str = "groups:
- name: a
  interval: 50ms
  limit: 9
  rules:
  - {record: one, expr: '1', labels: {x: y}}
  - {record: bad, expr: 'one + on(z) {__name__=~\"one|two\"}'}
- name: b
  interval: 50ms
  rules:
  - alert: Always
    expr: vector(2.5) > 1
    labels: {severity: page}
    annotations: {summary: 'at {{ $value }} <b>'}
  - {alert: Never, expr: 'absent(vector(1))', for: 90s, keep_firing_for: 1m}
";

/// Every time and duration replaced by `T`.
fn without_times(json: &str) -> String {
    let mut out = String::new();
    let mut rest = json;
    let names = [r#""evaluationTime":"#, r#""lastEvaluation":"#, r#""activeAt":"#];
    let next = |text: &str| names.iter().filter_map(|name| Some((text.find(name)?, *name))).min();
    while let Some((at, name)) = next(rest) {
        out.push_str(&rest[..at + name.len()]);
        out.push('T');
        rest = &rest[at + name.len()..];
        rest = &rest[rest.find([',', '}']).unwrap()..];
    }
    out + rest
}

/// What is answered once it holds `part`.
async fn until(server: &Running, path: &str, part: &str) -> String {
    for _ in 0..600 {
        let (_, body) = server.get(path).await;
        if body.contains(part) && !body.contains(r#""health":"unknown""#) {
            return body;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} does not say {part}: {}", server.get(path).await.1);
}

const GROUP_A: &str = concat!(
    r#"{"name":"a","file":"rules.yml","rules":["#,
    r#"{"name":"one","query":"1","labels":{"x":"y"},"health":"ok","evaluationTime":T,"#,
    r#""lastEvaluation":T,"type":"recording"},"#,
    r#"{"name":"bad","query":"one + on (z) {__name__=~\"one|two\"}","health":"ok","#,
    r#""evaluationTime":T,"lastEvaluation":T,"type":"recording"}],"#,
    r#""interval":0.05,"limit":9,"evaluationTime":T,"lastEvaluation":T}"#
);
const ALERT: &str = concat!(
    r#"{"labels":{"alertname":"Always","severity":"page"},"#,
    r#""annotations":{"summary":"at 2.5 <b>"},"state":"firing","activeAt":T,"value":"2.5e+00"}"#
);

#[tokio::test]
async fn what_is_shown() {
    let directory = tempfile::tempdir().unwrap();
    let groups = parse(RULES, "rules.yml", Reading::default()).unwrap();
    let rules = RuleOptions { groups, defaults: Defaults::default() };
    let server =
        Running::start_with(directory.path(), Vec::new(), AppOptions { rules, ..options() }).await;
    let always = format!(
        concat!(
            r#"{{"state":"firing","name":"Always","query":"vector(2.5) \u003e 1","duration":0,"#,
            r#""keepFiringFor":0,"labels":{{"severity":"page"}},"#,
            r#""annotations":{{"summary":"at {{{{ $value }}}} <b>"}},"alerts":[{}],"#,
            r#""health":"ok","evaluationTime":T,"lastEvaluation":T,"type":"alerting"}}"#
        ),
        ALERT
    );
    let never = concat!(
        r#"{"state":"inactive","name":"Never","query":"absent(vector(1))","duration":90,"#,
        r#""keepFiringFor":60,"labels":{},"annotations":{},"alerts":[],"#,
        r#""health":"ok","evaluationTime":T,"lastEvaluation":T,"type":"alerting"}"#
    );
    let end = r#""interval":0.05,"limit":0,"evaluationTime":T,"lastEvaluation":T}"#;
    let group_b = format!(r#"{{"name":"b","file":"rules.yml","rules":[{always},{never}],{end}"#);
    let success =
        |groups: &str| format!(r#"{{"status":"success","data":{{"groups":[{groups}]}}}}"#);

    let all = until(&server, "/api/v1/rules", r#""state":"firing""#).await;
    assert_eq!(without_times(&all), success(&format!("{GROUP_A},{group_b}")));
    let firing = until(&server, "/api/v1/alerts", "firing").await;
    let alerts = format!(r#"{{"status":"success","data":{{"alerts":[{ALERT}]}}}}"#);
    assert_eq!(without_times(&firing), alerts);

    let only_never = format!(r#"{{"name":"b","file":"rules.yml","rules":[{never}],{end}"#);
    let only_always = format!(r#"{{"name":"b","file":"rules.yml","rules":[{always}],{end}"#);
    let without_alerts = group_b.replace(&format!("[{ALERT}]"), "null").replace("[]", "null");
    let without_alerts = success(&without_alerts);
    let rows = [
        ("type=record", success(GROUP_A)),
        ("type=Alert", success(&group_b)),
        ("rule_name[]=Never", success(&only_never)),
        ("rule_group[]=a&rule_group[]=c", success(GROUP_A)),
        ("file[]=other.yml", success("")),
        ("match[]=%7Bseverity=%22page%22%7D", success(&only_always)),
        ("type=alert&exclude_alerts=true", without_alerts),
    ];
    for (query, answer) in rows {
        let (status, body) = server.get(&format!("/api/v1/rules?{query}")).await;
        assert_eq!((status, without_times(&body)), (200, answer), "{query}");
    }
    pages(&server).await;
    let page = server.get("/metrics").await.1;
    assert!(page.ends_with("# EOF\n") && page.matches("# EOF").count() == 1);
    for line in ["prometheus_rule_group_rules{rule_group=\"rules.yml;a\"} 2\n", "_count "] {
        assert!(page.contains(line), "{line}");
    }
    server.stop().await;
}

async fn pages(server: &Running) {
    let (_, first) = server.get("/api/v1/rules?group_limit=1").await;
    let (_, token) = first.split_once(r#""groupNextToken":""#).unwrap();
    let token = token.split('"').next().unwrap();
    let (_, second) =
        server.get(&format!("/api/v1/rules?group_limit=1&group_next_token={token}")).await;
    assert!(first.contains(r#""name":"a""#) && !first.contains(r#""name":"b""#), "{first}");
    assert!(second.contains(r#""name":"b""#) && !second.contains("groupNextToken"), "{second}");
    let rows = [
        ("type=x", r#"invalid parameter \"type\": not supported value \"x\""#),
        (
            "exclude_alerts=x",
            r#"\"exclude_alerts\": error converting exclude_alerts: strconv.ParseBool"#,
        ),
        ("group_limit=0", "group_limit needs to be greater than 0"),
        ("group_limit=x", "group_limit needs to be a valid number"),
        ("group_next_token=x", "group_limit needs to be present in order to paginate"),
        ("group_limit=1&group_next_token=x", "invalid group_next_token 'x'. were rule groups"),
        ("match[]=", "unexpected end of input"),
    ];
    for (query, words) in rows {
        let (status, body) = server.get(&format!("/api/v1/rules?{query}")).await;
        assert!(status == 400 && body.contains(words), "{query}: {status} {body}");
    }
}
