//! `kill -9` of the real binary while it takes samples: what was acknowledged is there again.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tsdb::model::Labels;

use crate::running::{series, write};

/// Rounds of writing, killing and reading back.
const ROUNDS: i64 = 4;
/// Requests of each round; each adds one sample to every series.
const REQUESTS: i64 = 30;
/// Series that are written.
const SERIES: i64 = 50;

struct Binary {
    process: Child,
    url: String,
}

impl Binary {
    /// Starts `serve` on a free port and waits for the line that names it.
    fn start(directory: &std::path::Path) -> Self {
        let config = directory.join("prometheus.yml");
        std::fs::write(&config, "scrape_configs: []\n").unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_inferometer"))
            .arg("serve")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
            .args(["--web.listen-address=127.0.0.1:0", "--web.enable-remote-write-receiver"])
            // The samples are from 1970.
            .arg("--storage.tsdb.retention.time=100y")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            line.split_once("listening on http://").map(|(_, address)| address.trim().to_owned())
        });
        // The rest of the log is read away, so that the pipe never fills.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, url: format!("http://{}", address.expect("the address is logged")) }
    }

    fn kill(mut self) {
        // SIGKILL on Unix: no handler runs, nothing is flushed.
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn labels(number: i64) -> Labels {
    let instance = format!("host{}:1", number % 5);
    let series = number.to_string();
    Labels::from_pairs([
        ("__name__", "written_total"),
        ("job", "crash"),
        ("instance", &instance),
        ("series", &series),
    ])
}

#[tokio::test]
async fn acknowledged_samples_survive_sigkill() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let directory = tempfile::tempdir().unwrap();
    let client = reqwest::Client::new();
    let mut acknowledged = 0;
    for _ in 0..ROUNDS {
        let server = Binary::start(directory.path());
        assert_eq!(stored(&client, &server.url).await, acknowledged * SERIES);
        for _ in 0..REQUESTS {
            let time_ms = 1_000_000_000 + 1_000 * acknowledged;
            let value = acknowledged as f64;
            let all = (0..SERIES).map(|number| series(&labels(number), [(time_ms, value)]));
            let (status, body) = write(&client, &server.url, all.collect()).await;
            assert_eq!(status, 204, "{body}");
            acknowledged += 1;
        }
        server.kill();
    }
    let server = Binary::start(directory.path());
    assert_eq!(stored(&client, &server.url).await, acknowledged * SERIES);
    server.kill();
}

/// All samples that a query sees; each series has to have the same number of them.
async fn stored(client: &reqwest::Client, url: &str) -> i64 {
    let query = "count_over_time(written_total[2h])";
    let path = format!("{url}/api/v1/query?query={query}&time=1003600");
    let answer: serde_json::Value =
        client.get(path).send().await.unwrap().text().await.unwrap().parse().unwrap();
    let counts = answer["data"]["result"].as_array().unwrap().iter();
    let counts: Vec<i64> =
        counts.map(|one| one["value"][1].as_str().unwrap().parse().unwrap()).collect();
    assert!(counts.windows(2).all(|pair| pair[0] == pair[1]), "{counts:?}");
    counts.iter().sum()
}
