//! The built-in sender tells webhooks as Alertmanager does, in spite of failures, and not what is
//! silenced.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use server::app::AppOptions;

use super::alertmanager::Alertmanager;
use super::fake::{Fake, Manner};
use super::{BROKEN, metric, options_of, set_broken, until};
use crate::running::{Running, peer};

/// Options with this file of the built-in sender.
fn options(folder: &Path, config: &str, file: &str) -> AppOptions {
    let path = folder.join("notify.yml");
    std::fs::write(&path, file).unwrap();
    let options = options_of(folder, config, BROKEN, 60_000);
    let file = options.file.clone().unwrap().with_notify(&path);
    let direct = Some(server::config::load_notify(&path).unwrap());
    AppOptions { file: Some(file), direct, ..options }
}

async fn start(folder: &Path, config: &str, file: &str) -> Running {
    let options = options(folder, config, file);
    let server = Running::start_with(&folder.join("data"), Vec::new(), options).await;
    set_broken(&server, 1.0).await;
    server
}

/// A message without what is the sender's own.
fn comparable(mut message: Value) -> Value {
    for name in ["externalURL", "receiver"] {
        message[name] = json!("");
    }
    // A newer Alertmanager says why, beyond what version 4 is documented to have.
    message.as_object_mut().unwrap().remove("notification_reason");
    for alert in message["alerts"].as_array_mut().unwrap() {
        // Both are told the same; who resolves it when is not the same.
        alert["endsAt"] = json!(alert["endsAt"] == "0001-01-01T00:00:00Z");
    }
    message
}

#[tokio::test]
async fn a_webhook_is_told_what_alertmanager_tells() {
    let Some(program) = peer("prometheus-alertmanager") else { return };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (theirs, ours) = (Fake::start(Manner::Good).await, Fake::start(Manner::Good).await);
    let manager = Alertmanager::start(&program, &theirs.address).await;
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{}']}}]}}]}}\n",
        manager.address
    );
    let file = format!(
        "group_wait: 50ms\ngroup_interval: 100ms\nrepeat_interval: 1h\nreceivers: [{{name: hook, \
         url: 'http://{}/hook'}}, {{name: other, url: 'http://{}/no', matchers: \
         ['severity!=\"page\"']}}]\n",
        ours.address, ours.address
    );
    let server = start(folder.path(), &config, &file).await;
    for fake in [&ours, &theirs] {
        until("it is told", async || (!fake.requests().is_empty()).then_some(())).await;
    }
    set_broken(&server, 0.0).await;
    for fake in [&ours, &theirs] {
        until("it is told that it is over", async || (fake.requests().len() >= 2).then_some(()))
            .await;
    }
    let [ours, theirs] =
        [ours, theirs].map(|fake| fake.bodies().into_iter().map(comparable).collect::<Vec<_>>());
    assert_eq!(ours, theirs);
    server.stop().await;
}

#[tokio::test]
async fn a_webhook_that_answers_500_is_tried_again() {
    let fake = Fake::start(Manner::FailsTwice).await;
    let folder = tempfile::tempdir().unwrap();
    let file = format!(
        "group_wait: 0s\nreceivers: [{{name: hook, url: 'http://{}/hook', type: slack}}]\n",
        fake.address
    );
    let server = start(folder.path(), "", &file).await;
    until("it arrived", async || {
        metric(&server, "inferometer_receiver_sent_total{receiver=\"hook\"}")
            .await
            .filter(|n| *n > 0.0)
    })
    .await;
    let failures = metric(&server, "inferometer_receiver_failures_total").await;
    assert_eq!(failures, Some(2.0));
    let bodies = fake.bodies();
    assert_eq!(bodies.len(), 3);
    assert!(
        bodies.iter().all(|body| body["text"] == "[FIRING:1] alertname=\"Broken\""),
        "{bodies:?}"
    );
    assert_eq!(metric(&server, "inferometer_receiver_queue_length").await, Some(0.0));
    server.stop().await;
}

/// `firing` or `resolved` of each message that was told.
fn told(fake: &Fake) -> Vec<String> {
    fake.bodies().iter().map(|body| body["status"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let fake = Fake::start(Manner::Good).await;
    let folder = tempfile::tempdir().unwrap();
    let file = format!(
        "group_wait: 0s\ngroup_interval: 50ms\nreceivers: [{{name: hook, url: 'http://{}/'}}]\n",
        fake.address
    );
    let data = folder.path().join("data");
    let server = start(folder.path(), "", &file).await;
    until("it is told", async || (!told(&fake).is_empty()).then_some(())).await;
    server.stop().await;
    // It fires still: nothing is told again.
    let options = || options(folder.path(), "", &file);
    let server = Running::start_with(&data, Vec::new(), options()).await;
    until("it fires", async || {
        server.get("/api/v1/alerts").await.1.contains("firing").then_some(())
    })
    .await;
    // The group is looked at every 50 ms; a second is twenty looks in which nothing may be told.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(told(&fake), ["firing"]);
    // It ends while the server runs, and fires again.
    for (value, expected) in [(0.0, "resolved"), (1.0, "firing")] {
        set_broken(&server, value).await;
        until(expected, async || (told(&fake).last()? == expected).then_some(())).await;
    }
    server.stop().await;
    // It ends while there is no server, and nobody says it: it is over when its time is.
    let mut short = options();
    short.rules = server::rules::manager::RuleOptions::default();
    (short.alerting.grace_ms, short.alerting.resend_ms) = (1_000, 0);
    let state = data.join("notified.json");
    let text = std::fs::read_to_string(&state).unwrap();
    let mut state_then: Value = text.parse().unwrap();
    let written_at = state_then["written_at"].as_i64().unwrap();
    let alert = &mut state_then["receivers"]["hook"]["groups"][0]["alerts"][0];
    // As if the last word of it had been long ago.
    alert["ends_at"] = json!(written_at + 1);
    std::fs::write(&state, state_then.to_string()).unwrap();
    let server = Running::start_with(&data, Vec::new(), short).await;
    until("it is over", async || (told(&fake).len() == 4).then_some(())).await;
    assert_eq!(told(&fake), ["firing", "resolved", "firing", "resolved"]);
    server.stop().await;
}

#[tokio::test]
async fn what_did_not_arrive_is_sent_after_a_restart() {
    let (hanging, good) = (Fake::start(Manner::Hangs).await, Fake::start(Manner::Good).await);
    let folder = tempfile::tempdir().unwrap();
    let file = |address: &str| {
        format!("group_wait: 0s\nreceivers: [{{name: hook, url: 'http://{address}/'}}]\n")
    };
    let server = start(folder.path(), "", &file(&hanging.address)).await;
    until("it is being told", async || (!hanging.requests().is_empty()).then_some(())).await;
    server.stop().await;
    let options = options(folder.path(), "", &file(&good.address));
    let server = Running::start_with(&folder.path().join("data"), Vec::new(), options).await;
    until("it is told", async || (!good.requests().is_empty()).then_some(())).await;
    let [sent, tried] = [good, hanging].map(|fake| comparable(fake.bodies().swap_remove(0)));
    assert_eq!(sent, tried);
    server.stop().await;
}

/// Stdout of a subcommand of `silence` that succeeds.
async fn silence(server: &Running, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inferometer"));
    command.arg("silence").args(args).arg(format!("--server={}", server.url));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn what_is_silenced_is_not_told() {
    let fake = Fake::start(Manner::Good).await;
    let folder = tempfile::tempdir().unwrap();
    let file = format!(
        "group_wait: 0s\ngroup_interval: 50ms\nreceivers: [{{name: hook, url: 'http://{}/'}}]\n",
        fake.address
    );
    let options = options(folder.path(), "", &file);
    let server = Running::start_with(&folder.path().join("data"), Vec::new(), options).await;
    let args = ["add", "alertname=\"Broken\"", "pod=~\"a|b\"", "--comment=c", "--author=me"];
    let id = silence(&server, &args).await.trim().to_owned();
    let listed = silence(&server, &["list"]).await;
    assert!(
        listed.contains(&format!("{id}  active  alertname=\"Broken\" pod=~\"a|b\"  until ")),
        "{listed}"
    );
    set_broken(&server, 1.0).await;
    until("it fires", async || {
        server.get("/api/v1/alerts").await.1.contains("firing").then_some(())
    })
    .await;
    // The group is looked at every 50 ms; a second is twenty looks in which nothing may be told.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(fake.requests().len(), 0);
    silence(&server, &["expire", &id]).await;
    until("it is told", async || (!fake.requests().is_empty()).then_some(())).await;
    assert_eq!(silence(&server, &["list"]).await, "");
    assert!(silence(&server, &["list", "--all"]).await.starts_with(&format!("{id}  expired  ")));
    let (status, body) = server.get("/api/v2/silence/none").await;
    assert_eq!(
        (status, &*body),
        (404, r#"{"status":"error","errorType":"not_found","error":"silence not found"}"#)
    );
    let client = reqwest::Client::new();
    let form = client.post(format!("{}/api/v2/silences", server.url)).body("{}");
    assert_eq!(form.send().await.unwrap().status(), 400);
    if let Some(amtool) = peer("amtool") {
        let mut command = Command::new(amtool);
        command.arg(format!("--alertmanager.url={}", server.url));
        command.args(["silence", "add", "--comment=c", "alertname=X"]);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let id = String::from_utf8(output.stdout).unwrap();
        assert!(silence(&server, &["list"]).await.starts_with(id.trim()));
    }
    server.stop().await;
}

#[test]
fn files_that_are_refused() {
    let rows = [
        ("reciever: []", "1:1: `reciever` is not a setting of the file of `--notify.file`"),
        ("receivers: [{url: 'http://a'}]", "a receiver has no name"),
        ("receivers: [{name: a}]", "receiver \"a\" has no URL"),
        ("receivers: [{name: a, url: 'a:1'}]", "URL scheme must be 'http' or 'https'"),
        ("receivers: [{name: a, url: 'http://a', type: mail}]", "unknown type \"mail\""),
        ("receivers: [{name: a, url: 'http://a', matchers: [b]}]", "write it as severity"),
        ("receivers: [{name: a, url: 'http://a'}, {name: a, url: 'http://b'}]", "two receivers"),
        ("group_wait: -1s", "not a valid duration"),
        ("repeat_interval: 0s", "too short"),
        ("receivers: [{name: a, url: 'http://a', url_file: b}]", "at most one of url & url_file"),
        ("receivers: [{name: a, url: 'http://a', timeout: 2y}]", "too long"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify.yml");
    for (text, expected) in rows {
        std::fs::write(&path, text).unwrap();
        let error = server::config::load_notify(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}
