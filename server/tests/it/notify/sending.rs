//! Who is told, and how; and that one who cannot be told is no harm to others.

use tokio::net::TcpListener;

use super::fake::{Fake, Manner};
use super::{BROKEN, metric, options_of, set_broken, until};
use crate::running::Running;

/// A server with these items of `alertmanagers`, whose alert fires.
async fn server(folder: &std::path::Path, managers: &str, resend_ms: i64) -> Running {
    let config = format!("alerting: {{alertmanagers: [{managers}]}}\n");
    let options = options_of(folder, &config, BROKEN, resend_ms);
    let server = Running::start_with(&folder.join("data"), Vec::new(), options).await;
    set_broken(&server, 1.0).await;
    server
}

fn target(address: &str, more: &str) -> String {
    format!("{{static_configs: [{{targets: ['{address}']}}]{more}}}")
}

/// One that accepts connections and closes them.
async fn closing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            drop(connection);
        }
    });
    address
}

#[tokio::test]
async fn one_that_cannot_be_told_delays_no_other() {
    let (hanging, failing) = (Fake::start(Manner::Hangs).await, Fake::start(Manner::Fails).await);
    // The hanging one has as long as the test runs; the other fails in time.
    let rows = [
        ("hangs", hanging.address.clone(), ", timeout: 1h", None),
        ("is too late", hanging.address.clone(), ", timeout: 100ms, path_prefix: /late", Some(())),
        ("answers 500", failing.address.clone(), "", Some(())),
        ("closes", closing().await, "", Some(())),
    ];
    for (what, address, more, fails) in rows {
        let folder = tempfile::tempdir().unwrap();
        let good = Fake::start(Manner::Good).await;
        let managers = format!("{}, {}", target(&address, more), target(&good.address, ""));
        let server = server(folder.path(), &managers, 50).await;
        until(what, async || (good.alerts().len() >= 3).then_some(())).await;
        let of_bad = |name: &str| {
            format!("prometheus_notifications_{name}{{alertmanager=\"http://{address}")
        };
        if fails.is_some() {
            for name in ["errors_total", "dropped_total"] {
                until(what, async || {
                    metric(&server, &of_bad(name)).await.filter(|count| *count >= 1.0)
                })
                .await;
            }
        }
        let sent = metric(&server, &of_bad("sent_total")).await;
        assert_eq!(sent, Some(0.0), "{what}");
        let discovered =
            metric(&server, "prometheus_notifications_alertmanagers_discovered ").await;
        assert_eq!(discovered, Some(2.0), "{what}");
        if fails.is_some() {
            server.stop().await;
        }
    }
}

#[tokio::test]
async fn a_full_queue_drops_the_oldest() {
    let gated = Fake::start(Manner::Gated).await;
    let folder = tempfile::tempdir().unwrap();
    let config =
        format!("alerting: {{alertmanagers: [{}]}}\n", target(&gated.address, ", timeout: 1h"));
    let mut options = options_of(folder.path(), &config, BROKEN, 1);
    options.alerting.notify.queue_capacity = 2;
    options.alerting.notify.batch_size = 1;
    let server = Running::start_with(&folder.path().join("data"), Vec::new(), options).await;
    set_broken(&server, 1.0).await;
    until("alerts are dropped", async || {
        metric(&server, "prometheus_notifications_dropped_total")
            .await
            .filter(|count| *count >= 2.0)
    })
    .await;
    assert_eq!(metric(&server, "prometheus_notifications_queue_length").await, Some(2.0));
    assert_eq!(metric(&server, "prometheus_notifications_queue_capacity").await, Some(2.0));
    gated.seen.gate.add_permits(1_000_000);
    until("sending goes on", async || (gated.alerts().len() > 3).then_some(())).await;
    server.stop().await;
}

#[tokio::test]
async fn what_waits_at_the_end_is_sent_unless_that_is_off() {
    for drains in [true, false] {
        let gated = Fake::start(Manner::Gated).await;
        let folder = tempfile::tempdir().unwrap();
        let config =
            format!("alerting: {{alertmanagers: [{}]}}\n", target(&gated.address, ", timeout: 1h"));
        let mut options = options_of(folder.path(), &config, BROKEN, 1);
        options.alerting.notify.batch_size = 1;
        options.alerting.notify.drains = drains;
        let server = Running::start_with(&folder.path().join("data"), Vec::new(), options).await;
        set_broken(&server, 1.0).await;
        until("alerts wait", async || {
            metric(&server, "prometheus_notifications_queue_length").await.filter(|len| *len >= 3.0)
        })
        .await;
        let gate = gated.seen.clone();
        if drains {
            // Opened only when the server has begun to stop, as far as can be told.
            tokio::spawn(async move {
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                gate.gate.add_permits(1_000_000);
            });
        }
        server.stop().await;
        let count = gated.alerts().len();
        assert_eq!(count >= 4, drains, "{count}");
    }
}

#[tokio::test]
async fn they_are_found_relabelled_and_exchanged() {
    let (first, second) = (Fake::start(Manner::Good).await, Fake::start(Manner::Good).await);
    let folder = tempfile::tempdir().unwrap();
    let found = folder.path().join("found.yml");
    std::fs::write(&found, format!("- targets: ['{}', 'b:1', 'x/y']\n", first.address)).unwrap();
    let managers = "{scheme: http, path_prefix: a, basic_auth: {username: u, password: p}, \
        file_sd_configs: [{files: [found.yml]}], relabel_configs: [{source_labels: \
        [__address__], regex: 'b:1', action: drop}], alert_relabel_configs: [{target_label: \
        who, replacement: first}]}";
    let server = server(folder.path(), managers, 50).await;
    let path = "/api/v1/alertmanagers";
    let shown = |active: &str| {
        format!(
            "{{\"status\":\"success\",\"data\":{{\"activeAlertmanagers\":[{{\"url\":\"http://{active}\
         /a/api/v2/alerts\"}}],\"droppedAlertmanagers\":[{{\"url\":\"http://b:1/a/api/v2/alerts\"}}]}}}}"
        )
    };
    until("the file is read", async || {
        (server.get(path).await.1 == shown(&first.address)).then_some(())
    })
    .await;
    let (asked, authorization, _) =
        until("it is told", async || first.requests().into_iter().next()).await;
    assert_eq!((&*asked, &*authorization), ("/a/api/v2/alerts", "Basic dTpw"));
    assert_eq!(first.alerts()[0]["labels"]["who"], "first");
    // Another address in the file, with no reload.
    std::fs::write(&found, format!("- targets: ['{}', 'b:1']\n", second.address)).unwrap();
    until("the second is told", async || (!second.requests().is_empty()).then_some(())).await;
    assert_eq!(server.get(path).await.1, shown(&second.address));
    // A reload with other sections.
    let config = folder.path().join("prometheus.yml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("replacement: first", "replacement: second")).unwrap();
    let client = reqwest::Client::new();
    let reloaded = client.post(format!("{}/-/reload", server.url)).send().await.unwrap();
    assert_eq!(reloaded.status(), 200);
    until("the new rule is at work", async || {
        second.alerts().iter().any(|alert| alert["labels"]["who"] == "second").then_some(())
    })
    .await;
    server.stop().await;
}
