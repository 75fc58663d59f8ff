//! What a query would do, asked over HTTP and by the command line.

use server::cli::query::explain::explain;
use server::flags::{Command, ExplainFlags, Flags, QueryCommand, QueryFlags};
use tsdb::model::Labels;

use crate::running::{Running, series};

fn flags(args: &[&str]) -> ExplainFlags {
    let all = ["inferometer", "query", "explain"].iter().chain(args);
    let flags = Flags::parse_from_args(all.map(|arg| (*arg).to_owned())).unwrap();
    let Command::Query(QueryFlags { command: QueryCommand::Explain(flags), .. }) = flags.command
    else {
        panic!("{flags:?}")
    };
    flags
}

#[tokio::test]
async fn over_http_and_by_the_command_line() {
    let directory = tempfile::tempdir().unwrap();
    let server = Running::start(directory.path(), Vec::new()).await;
    let labels = Labels::from_pairs([("__name__", "a_total"), ("job", "x")]);
    let samples = (0..10).map(|row| (1_000_000 + row * 5_000, row as f64));
    assert_eq!(server.write(vec![series(&labels, samples)]).await.0, 204);

    let (status, body) = server.get("/api/v1/query?query=sum(a_total)&time=1010&explain=1").await;
    let plan = concat!(
        r#""plan":{"operator":"sum over all series","query":"sum(a_total)","position":[1,1],"#,
        r#""once":false,"inputs":[{"operator":"each series' newest sample in the 5m up to each step","#,
        r#""query":"a_total","position":[1,5],"once":false,"selects":{"#,
        r#""matchers":"{__name__=\"a_total\"}","start":710.001,"end":1010,"series":1},"#,
        r#""inputs":[]}]}"#
    );
    assert!(status == 200 && body.contains(plan), "{body}");
    assert!(body.starts_with(r#"{"status":"success","data":{"explain":{"text":"one step, 19"#));
    assert!(!body.contains("result"), "{body}");
    let range = "/api/v1/query_range?query=a_total%2Ba_total&start=1000&end=1040&step=10&explain=1";
    let body = server.get(range).await.1;
    assert!(body.contains(r#""places":2"#) && body.contains(r#""as":[1,1]"#), "{body}");
    assert!(body.contains(r#""kept":"its steps, until"#), "{body}");

    // The command line, its parameters encoded.
    let server_flag = format!("--server={}/", server.url);
    let args = ["a_total{job=\"x\"} + 1 > 2 and a_total", &server_flag, "--time=1010"];
    let said = explain(&flags(&args)).await.unwrap();
    assert!(said.contains("{job=\"x\", __name__=\"a_total\"}: 1 series"), "{said}");
    let args = ["a_total", "--start=1000", "--end=1040", "--step=10s", &server_flag];
    let said = explain(&flags(&args)).await.unwrap();
    assert!(said.starts_with("5 steps, every 10s from 1970-01-01T00:16:40Z"), "{said}");
    let wrong = explain(&flags(&["sum(", &server_flag])).await.unwrap_err().to_string();
    assert!(wrong.contains("parse error") || wrong.contains("invalid parameter"), "{wrong}");
    server.stop().await;
}
