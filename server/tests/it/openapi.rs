//! The document of the API is true: every route stands in it, and every path of it answers.

use std::collections::BTreeMap;

use server::app::AppOptions;

use crate::running::{Running, options};

/// The methods of each path of the document.
fn documented(text: &str) -> BTreeMap<String, Vec<String>> {
    let (mut paths, mut path) = (BTreeMap::new(), None);
    let lines = text.lines().skip_while(|line| *line != "paths:").skip(1);
    for line in lines.take_while(|line| line.starts_with(' ')) {
        let name = line.trim().trim_end_matches(':');
        match line.len() - line.trim_start().len() {
            2 => {
                paths.insert(name.to_owned(), Vec::new());
                path = Some(name.to_owned());
            }
            4 if ["get", "post", "put", "delete"].contains(&name) => {
                let path = path.as_ref().expect("a method below a path");
                paths.get_mut(path).unwrap().push(name.to_uppercase());
            }
            _ => {}
        }
    }
    paths
}

/// Makes a silence; its id.
async fn silence(client: &reqwest::Client, url: &str) -> String {
    let matcher = r#"{"name":"a","value":"b","isRegex":false}"#;
    let times = r#""startsAt":"2020-01-01T00:00:00Z","endsAt":"2120-01-01T00:00:00Z""#;
    let body = format!(r#"{{"matchers":[{matcher}],{times},"createdBy":"me","comment":"c"}}"#);
    let request = client.post(format!("{url}/api/v2/silences")).body(body);
    let answer = request.header("content-type", "application/json").send().await.unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    answer["silenceID"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn it_names_what_answers() {
    let directory = tempfile::tempdir().unwrap();
    let notify = directory.path().join("notify.yml");
    std::fs::write(&notify, "receivers: [{name: hook, url: 'http://127.0.0.1:1/'}]\n").unwrap();
    let direct = Some(server::config::load_notify(&notify).unwrap());
    let all = AppOptions { admin: true, direct, ..options() };
    let server = Running::start_with(&directory.path().join("data"), Vec::new(), all).await;
    let (status, text) = server.get("/api/v1/openapi.yaml").await;
    assert_eq!(status, 200);
    let documented = documented(&text);
    let mut routes: Vec<String> = server::http::paths().collect();
    routes.sort();
    assert_eq!(documented.keys().cloned().collect::<Vec<_>>(), routes);
    let client = reqwest::Client::new();
    let id = silence(&client, &server.url).await;
    for (path, methods) in &documented {
        assert!(!methods.is_empty(), "{path}");
        // The last one writes a snapshot each time, others may want parameters.
        for method in ["GET", "POST", "PUT", "DELETE"] {
            let path = path.replace("{name}", "job").replace("{id}", &id);
            let url = format!("{}{path}", server.url);
            let request = client.request(method.parse().unwrap(), url);
            let answer = request.send().await.unwrap().status().as_u16();
            let is_there = !matches!(answer, 404 | 405);
            let is_named = methods.iter().any(|own| own == method);
            assert_eq!(is_there, is_named, "{method} {path}: {answer}");
        }
    }
    server.stop().await;
}
