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
            4 if ["get", "post", "put"].contains(&name) => {
                let path = path.as_ref().expect("a method below a path");
                paths.get_mut(path).unwrap().push(name.to_uppercase());
            }
            _ => {}
        }
    }
    paths
}

#[tokio::test]
async fn it_names_what_answers() {
    let directory = tempfile::tempdir().unwrap();
    let all = AppOptions { admin: true, ..options() };
    let server = Running::start_with(directory.path(), Vec::new(), all).await;
    let (status, text) = server.get("/api/v1/openapi.yaml").await;
    assert_eq!(status, 200);
    let documented = documented(&text);
    let mut routes: Vec<String> = server::http::paths().collect();
    routes.sort();
    assert_eq!(documented.keys().cloned().collect::<Vec<_>>(), routes);
    let client = reqwest::Client::new();
    for (path, methods) in &documented {
        assert!(!methods.is_empty(), "{path}");
        // The last one writes a snapshot each time, others may want parameters.
        for method in ["GET", "POST", "PUT"] {
            let url = format!("{}{}", server.url, path.replace("{name}", "job"));
            let request = client.request(method.parse().unwrap(), url);
            let answer = request.send().await.unwrap().status().as_u16();
            let is_there = !matches!(answer, 404 | 405);
            let is_named = methods.iter().any(|own| own == method);
            assert_eq!(is_there, is_named, "{method} {path}: {answer}");
        }
    }
    server.stop().await;
}
