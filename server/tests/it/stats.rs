//! What a query took, as Prometheus tells it.

use serde_json::Value;
use tsdb::model::Labels;

use crate::running::{Running, series};

const RANGE: &str = "/api/v1/query_range?query=sum(a_total)&start=1000&end=1020&step=10&nocache=1";
const INSTANT: &str = "/api/v1/query?query=sum(a_total)&time=1010.5";

#[tokio::test]
async fn as_much_as_was_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let server = Running::start(directory.path(), Vec::new()).await;
    let labels = Labels::from_pairs([("__name__", "a_total"), ("job", "x")]);
    let samples = (0..10).map(|row| (1_000_000 + row * 5_000, row as f64));
    assert_eq!(server.write(vec![series(&labels, samples)]).await.0, 204);

    let whole = r#""samples":{"totalQueryableSamples":"#;
    let steps = r#""samples":{"totalQueryableSamplesPerStep":[[1000,1],[1010,1],[1020,1]],"totalQueryableSamples":3,"#;
    let step =
        r#""samples":{"totalQueryableSamplesPerStep":[[1010.500,1]],"totalQueryableSamples":1,"#;
    let operator =
        r#""operators":[{"operator":"sum over all series","query":"sum(a_total)","evaluations":1,"#;
    // The parameter, what the answer has, and what it has not.
    let rows = [
        (RANGE, "", "", "stats"),
        (RANGE, "&stats=", "", "stats"),
        (RANGE, "&stats=true", whole, "operators"),
        (RANGE, "&stats=true", whole, "PerStep"),
        (RANGE, "&stats=all", steps, "nothing"),
        (RANGE, "&stats=all", operator, "nothing"),
        (INSTANT, "", "", "stats"),
        (INSTANT, "&stats=1", whole, "operators"),
        (INSTANT, "&stats=all", step, "nothing"),
        (INSTANT, "&stats=all", operator, "nothing"),
    ];
    for (query, stats, has, has_not) in rows {
        let plain = server.get(query).await.1;
        let (status, body) = server.get(&format!("{query}{stats}")).await;
        assert_eq!(status, 200, "{body}");
        assert!(body.contains(has) && !body.contains(has_not), "{stats}: {body}");
        let [plain, mut body] =
            [plain, body].map(|own| serde_json::from_str::<Value>(&own).unwrap());
        let stats = body["data"].as_object_mut().unwrap().remove("stats");
        assert_eq!(body, plain);
        let Some(stats) = stats else { continue };
        for name in ["evalTotalTime", "resultSortTime", "queryPreparationTime", "innerEvalTime"] {
            assert!(stats["timings"][name].is_f64() || stats["timings"][name] == 0, "{stats}");
        }
        let seconds = |name: &str| stats["timings"][name].as_f64().unwrap();
        assert!(seconds("execTotalTime") >= seconds("execQueueTime"), "{stats}");
        assert!(seconds("evalTotalTime") >= seconds("innerEvalTime"), "{stats}");
        assert!(stats["samples"]["peakSamples"].as_u64() > Some(0), "{stats}");
    }
    server.stop().await;
}
