//! A real Prometheus, to compare with.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A real Prometheus with an empty store, killed when dropped.
pub(crate) struct Prometheus {
    process: Child,
    pub(crate) url: String,
    _directory: tempfile::TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Prometheus {
    /// Starts it with remote write on, and further flags.
    pub(crate) async fn start(program: &Path, config_text: &str, flags: &[&str]) -> Self {
        Self::start_below(program, config_text, flags, "").await
    }

    /// The same, ready below a prefix.
    pub(crate) async fn start_below(
        program: &Path,
        config_text: &str,
        flags: &[&str],
        prefix: &str,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("prometheus.yml");
        fs::write(&config, config_text).unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new(program)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={free}"))
            .arg("--web.enable-remote-write-receiver")
            .args(flags)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let prometheus = Self { process, url: format!("http://{free}"), _directory: directory };
        let client = reqwest::Client::new();
        for _ in 0..200 {
            let ready = client.get(format!("{}{prefix}/-/ready", prometheus.url)).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return prometheus;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("Prometheus did not get ready");
    }
}
