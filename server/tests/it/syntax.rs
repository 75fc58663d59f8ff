//! Every published query of the corpus, printed and as a tree: by our server and by a real
//! Prometheus, with the same answers.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::prometheus::Prometheus;
use crate::running::{Running, peer, shared};

/// The expressions of all files of the corpus, each once.
fn corpus(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl"));
    let texts: Vec<String> = files.map(|path| fs::read_to_string(path).unwrap()).collect();
    let lines = texts.iter().flat_map(|text| text.lines());
    let rows = lines.map(|line| line.parse::<Value>().unwrap());
    rows.map(|row| row["expr"].as_str().unwrap().to_owned()).collect()
}

/// Without what Prometheus 3.5 does not have in its trees.
fn older(mut tree: Value) -> Value {
    match &mut tree {
        Value::Object(fields) => {
            for newer in ["anchored", "smoothed", "fillValues"] {
                fields.remove(newer);
            }
            fields.values_mut().for_each(|field| *field = older(field.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = older(item.take())),
        _ => {}
    }
    tree
}

async fn ask(client: &reqwest::Client, url: &str, path: &str, query: &str) -> Value {
    let mut address = reqwest::Url::parse(&format!("{url}/api/v1/{path}")).unwrap();
    address.query_pairs_mut().append_pair("query", query);
    client.get(address).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn prometheus_prints_and_parses_the_same() {
    let _done = rustls::crypto::ring::default_provider().install_default();
    let (Some(program), Some(folder)) = (peer("prometheus"), shared("corpus")) else { return };
    let directory = tempfile::tempdir().unwrap();
    let server = Running::start(directory.path(), Vec::new()).await;
    let prometheus = Prometheus::start(&program, "scrape_configs: []\n", &[]).await;
    let client = reqwest::Client::new();
    let (mut differences, mut alike) = (Vec::new(), 0);
    for query in corpus(&folder) {
        for path in ["format_query", "parse_query"] {
            let ours = older(ask(&client, &server.url, path, &query).await);
            let theirs = ask(&client, &prometheus.url, path, &query).await;
            alike += usize::from(ours == theirs);
            if ours != theirs {
                differences.push(format!("{path} {query}\n  ours   {ours}\n  theirs {theirs}"));
            }
        }
    }
    server.stop().await;
    let (count, shown) = (differences.len(), differences.iter().take(10).cloned());
    assert!(count == 0, "{count}\n{}", shown.collect::<Vec<_>>().join("\n"));
    println!("{alike} answers alike");
    assert!(alike > 2_000, "{alike}");
}
