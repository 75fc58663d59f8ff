//! What is kept of range queries, seen from outside: the same answers, switched off by a flag and
//! by a parameter, counted on `/metrics`.

use tsdb::model::Labels;

use crate::running::{Running, options, series};

const QUERY: &str = "/api/v1/query_range?query=sum(rate(a_total[60s]))&start=1000&end=1300&step=10";

async fn write(server: &Running, times: std::ops::Range<i64>) {
    let labels = Labels::from_pairs([("__name__", "a_total"), ("job", "x")]);
    let samples = times.map(|row| (row * 5_000, (row * row) as f64));
    assert_eq!(server.write(vec![series(&labels, samples)]).await.0, 204);
}

/// Hits and misses.
async fn counted(server: &Running) -> [String; 2] {
    let page = server.get("/metrics").await.1;
    ["hits", "misses"].map(|what| {
        let name = format!("inferometer_query_cache_{what}_total ");
        let line = page.lines().find_map(|line| line.strip_prefix(&name));
        line.expect("it is counted").to_owned()
    })
}

#[tokio::test]
async fn a_range_query_is_kept_until_its_data_change() {
    let directory = tempfile::tempdir().unwrap();
    let server = Running::start(directory.path(), Vec::new()).await;
    write(&server, 0..250).await;
    assert_eq!(counted(&server).await, ["0", "0"]);
    let first = server.get(QUERY).await;
    assert!(first.0 == 200 && first.1.contains(r#"[1240,""#), "{}", first.1);
    assert_eq!(server.get(QUERY).await, first);
    assert_eq!(counted(&server).await, ["1", "1"]);
    assert_eq!(server.get(&format!("{QUERY}&nocache=1")).await, first);
    assert_eq!(counted(&server).await, ["1", "1"]);

    write(&server, 250..261).await;
    let grown = server.get(QUERY).await;
    assert!(grown.1.contains(r#"[1300,""#), "{}", grown.1);
    assert_eq!(server.get(&format!("{QUERY}&nocache=1")).await, grown);
    assert_eq!(counted(&server).await, ["2", "1"]);
    server.stop().await;
}

#[tokio::test]
async fn a_flag_switches_it_off() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = options();
    options.shared.cache_bytes = 0;
    let server = Running::start_with(directory.path(), Vec::new(), options).await;
    write(&server, 0..250).await;
    let first = server.get(QUERY).await;
    assert_eq!(server.get(QUERY).await, first);
    assert_eq!(counted(&server).await, ["0", "0"]);
    server.stop().await;
}

#[tokio::test]
async fn memory_of_all_queries_is_bounded_by_a_flag() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = options();
    options.shared.memory_max = 300;
    let server = Running::start_with(directory.path(), Vec::new(), options).await;
    write(&server, 0..250).await;
    assert_eq!(server.get("/api/v1/query?query=a_total&time=1000").await.0, 200);
    let (status, body) = server.get(QUERY).await;
    assert_eq!(status, 422);
    let said =
        r#""error":"the queries that are running would hold more than 300 bytes of memory; "#;
    assert!(body.contains(said) && body.contains("--query.max-memory"), "{body}");
    let page = server.get("/metrics").await.1;
    assert!(page.contains("\ninferometer_query_memory_bytes 0\n"), "all is given back: {page}");
    server.stop().await;
}

#[tokio::test]
async fn features_are_switched_on_by_name() {
    let rows = [
        ("promql-experimental-functions", "mad_over_time(a_total[5m])"),
        ("promql-extended-range-selectors", "rate(a_total[5m] anchored)"),
        ("promql-binop-fill-modifiers", "a_total + fill(0) a_total"),
    ];
    let names = [String::from("native-histograms"), rows.map(|(name, _)| name).join(",")];
    for (features, status) in [(Vec::new(), 400), (names.to_vec(), 200)] {
        let directory = tempfile::tempdir().unwrap();
        let mut options = options();
        options.shared.features = features;
        let server = Running::start_with(directory.path(), Vec::new(), options).await;
        write(&server, 0..250).await;
        for (name, query) in rows {
            let query = query.replace(' ', "%20").replace('+', "%2B");
            let url = format!("/api/v1/query?time=1000&query={query}");
            let answer = server.get(&url).await;
            assert_eq!(answer.0, status, "{name}: {}", answer.1);
        }
        server.stop().await;
    }
}
