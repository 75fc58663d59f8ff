//! Alerts reach Alertmanagers: a real one, and made-up ones that hang, fail and close.

mod alertmanager;
mod direct;
mod fake;
mod missing;
mod sending;

use std::path::Path;
use std::time::Duration;

use promql::parse::Features;
use server::app::AppOptions;
use server::packs::BuiltIn;
use server::reload::ConfigFile;
use server::rules::manager::RuleOptions;
use tsdb::model::Labels;

use crate::running::{Running, options, series};

/// How often a test looks for something that has to happen, and how long it waits in between.
const LOOKS: usize = 600;
const PAUSE: Duration = Duration::from_millis(50);

/// Options of a server whose configuration and rules are these; told again every `resend_ms`.
pub(crate) fn options_of(folder: &Path, config: &str, rules: &str, resend_ms: i64) -> AppOptions {
    std::fs::write(folder.join("rules.yml"), rules).unwrap();
    let path = folder.join("prometheus.yml");
    std::fs::write(&path, format!("rule_files: [rules.yml]\n{config}")).unwrap();
    let file = ConfigFile::load(&path, None, BuiltIn::default()).unwrap();
    let rules = RuleOptions::load(&file.config, Features::default()).unwrap();
    let mut options = AppOptions { file: Some(file), rules, lifecycle: true, ..options() };
    options.alerting.resend_ms = resend_ms;
    options
}

/// Waits until `look` finds something.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    for _ in 0..LOOKS {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("not so after a long while: {what}");
}

/// The value of a line of `/metrics` that begins with `name`.
pub(crate) async fn metric(server: &Running, name: &str) -> Option<f64> {
    let (_, page) = server.get("/metrics").await;
    let line = page.lines().find(|line| line.starts_with(name))?;
    line.rsplit_once(' ')?.1.parse().ok()
}

/// Stores `broken` with this value, now.
pub(crate) async fn set_broken(server: &Running, value: f64) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let labels = Labels::from_pairs([("__name__", "broken"), ("pod", "a")]);
    let one = series(&labels, [(now.as_millis() as i64, value)]);
    let (status, body) = server.write(vec![one]).await;
    assert_eq!(status, 204, "{body}");
}

/// One alert for each pod whose `broken` is not 0.
pub(crate) const BROKEN: &str = "groups:
- name: g
  interval: 50ms
  rules:
  - alert: Broken
    expr: broken > 0
    labels: {severity: page}
    annotations: {summary: '{{ $labels.pod }} <is> broken'}
";
