//! `inferometer query` and `inferometer check`, beside promtool: the same arguments give the same
//! output and exit code, on our server behind TLS and a password, and on one with made-up answers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use axum::Router;
use axum::extract::Path as Wildcard;
use axum::http::StatusCode;
use axum::routing::any;
use server::app::AppOptions;
use server::web::WebOptions;
use tsdb::model::Labels;

use crate::running::{self, Running, peer, series, shared, testdata};

/// Exit code, stdout and stderr.
type Said = (Option<i32>, String, String);

/// Runs a program with words that stand between spaces; `{url}` in them is replaced.
async fn run(program: PathBuf, line: &str, url: &str, folder: &Path) -> Said {
    let args: Vec<String> = line.split(' ').map(|word| word.replace("{url}", url)).collect();
    let mut command = Command::new(program);
    command.args(args).current_dir(folder);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn ours() -> PathBuf {
    env!("CARGO_BIN_EXE_inferometer").into()
}

/// Commands that both programs answer alike, on our server.
const ALIKE: [&str; 21] = [
    "query instant {url} up --time=1000",
    "query instant {url} a_total --time=1010",
    "query instant {url} a_total --time=1970-01-01T00:16:50Z",
    "query instant {url} sum(a_total)*1e30 --time=1010",
    "query instant {url} vector(0)/0 --time=1010.5",
    "query instant {url} 1/3 --time=1010.123",
    "query instant {url} a_total[20s] --time=1010",
    "query instant {url} a_total{ --time=1010",
    "query instant {url} a_total --time=yesterday",
    "query --format=json instant {url} a_total --time=1010",
    "query instant -o json {url} 1/3 --time=1010",
    "query range {url} a_total --start=1000 --end=1010 --step=5s",
    "query range {url} a_total --start=1000 --end=2000",
    "query range {url} 0-a_total --start=1000 --end=1010 --step=500ms",
    "query range -o json {url} a_total --start=1000 --end=1010 --step=5s",
    "query range {url} a_total --start=1010 --end=1000",
    "query series {url} --match=a_total --match=nothing --start=900 --end=2000",
    "query series -o json {url} --match=a_total --start=900 --end=2000",
    "query labels {url} job --start=900 --end=2000",
    "query labels -o json {url} __name__ --match=a_total --start=900 --end=2000",
    "query labels {url} nothing",
];

async fn compare(promtool: PathBuf, lines: &[&str], url: &str, folder: &Path) {
    let mut differences = Vec::new();
    for line in lines {
        let theirs = run(promtool.clone(), line, url, folder).await;
        let own = run(ours(), line, url, folder).await;
        if own != theirs {
            differences.push(format!("{line}\n  promtool {theirs:?}\n  ours     {own:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_through_tls_with_a_password() {
    let Some(promtool) = peer("promtool") else { return };
    let directory = tempfile::tempdir().unwrap();
    let tls = testdata("tls").canonicalize().unwrap();
    let file = |name: &str, text: String| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let config_file = file(
        "web.yml",
        format!(
            "tls_server_config:\n  cert_file: {0}/server.pem\n  key_file: {0}/server.key\n  \
             client_ca_file: {0}/authority.pem\n  client_auth_type: RequireAndVerifyClientCert\n\
             basic_auth_users:\n  u: {1}\n",
            tls.display(),
            bcrypt::hash("p", 4).unwrap()
        ),
    );
    let client = |password: &str| {
        format!(
            "basic_auth: {{username: u, password: {password}}}\ntls_config:\n  \
             ca_file: {0}/authority.pem\n  cert_file: {0}/client.pem\n  key_file: {0}/client.key\n",
            tls.display()
        )
    };
    file("good.yml", client("p"));
    file("wrong.yml", client("q"));
    let web = WebOptions { config_file: Some(config_file), ..WebOptions::default() };
    let options = AppOptions { web, ..running::options() };
    let server = Running::start_with(&directory.path().join("data"), Vec::new(), options).await;
    let written = write(&server, &tls).await;
    assert_eq!(written, 204);
    let url = server.url.replace("http://", "https://");
    let with = |lines: &[&str], file: &str| -> Vec<String> {
        lines.iter().map(|line| format!("{line} --http.config.file={file}")).collect()
    };
    let probes =
        ["check healthy --url={url}", "check ready --url={url}", "check ready --url={url}/x"];
    // `/-/healthy` says who is healthy.
    let healthy = run(ours(), &with(&probes, "good.yml")[0], &url, directory.path()).await;
    let said = "  SUCCESS:  Inferometer is Healthy.\n\n";
    assert_eq!(healthy, (Some(0), String::new(), said.to_owned()));
    let lines = [with(&ALIKE, "good.yml"), with(&probes, "good.yml"), with(&probes, "wrong.yml")];
    let lines = lines.concat();
    let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let unauthorized = with(&ALIKE[..1], "wrong.yml");
    lines.push(&unauthorized[0]);
    compare(promtool, &lines, &url, directory.path()).await;
    server.stop().await;
}

/// Series to ask for; the status of writing them.
async fn write(server: &Running, tls: &Path) -> u16 {
    let read = |name: &str| fs::read(tls.join(name)).unwrap();
    let identity = [read("client.pem"), read("client.key")].concat();
    let client = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&read("authority.pem")).unwrap()])
        .identity(reqwest::Identity::from_pem(&identity).unwrap())
        .default_headers(
            [(reqwest::header::AUTHORIZATION, "Basic dTpw".parse().unwrap())].into_iter().collect(),
        )
        .build()
        .unwrap();
    let rows = [
        ("a_total", "x", ""),
        ("a_total", "y\"\\", "é"),
        ("a_total", "z", "1<2>&"),
        ("b", "x", ""),
    ];
    let all = rows.map(|(name, job, other)| {
        let labels = Labels::from_pairs([("__name__", name), ("job", job), ("other", other)]);
        series(&labels, (0..10).map(|row| (1_000_000 + row * 5_000, row as f64 / 3.0)))
    });
    let url = server.url.replace("http://", "https://");
    running::write(&client, &url, all.into()).await.0
}

/// Made-up answers, by the query that is asked.
fn answer(query: &str) -> (StatusCode, &'static str) {
    let ok = StatusCode::OK;
    match query {
        "histograms" => (
            ok,
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"histogram":[1.5,{"count":"1e3","sum":"-2.5e-7","buckets":[[3,"-0.001","0.001","2"],[0,"1e-7","2.5e21","3"],[1,"1","1000000","1e21"],[2,"0","+Inf","4"]]}]}]}}"#,
        ),
        "both" => (
            ok,
            r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"z":"1","__name__":"m"},"values":[[1,"1e100"],[2.125,"NaN"]],"histograms":[[3,{"count":"1","sum":"1"}]]},{"metric":{"b":"1"},"values":[[1,"+Inf"]]},{"metric":{"a":"2"},"values":[[1,"-Inf"]]},{"metric":{},"values":[[1,"0"]]}]}}"#,
        ),
        "warned" => (
            ok,
            r#"{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["w"],"infos":["i"]}"#,
        ),
        "refused" => (
            StatusCode::UNPROCESSABLE_ENTITY,
            r#"{"status":"error","errorType":"execution","error":"no <good>"}"#,
        ),
        "down" => (StatusCode::BAD_GATEWAY, "down\n"),
        "silent" => (StatusCode::NOT_FOUND, ""),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_all_kinds() {
    let Some(promtool) = peer("promtool") else { return };
    let router = Router::new()
        .route(
            "/{query}/{*path}",
            any(|Wildcard((query, _)): Wildcard<(String, String)>| async move {
                let (status, body) = answer(&query);
                (status, [("content-type", "application/json")], body)
            }),
        )
        .route("/-/{probe}", any(|| async { StatusCode::SERVICE_UNAVAILABLE }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    let lines = [
        "query instant {url}/histograms x",
        "query range {url}/both x",
        "query instant {url}/warned x",
        "query instant -o json {url}/warned x",
        "query instant {url}/refused x",
        "query instant {url}/down x",
        "query instant {url}/silent x",
        "query series {url}/down --match=a",
        "check healthy --url={url}/down",
        "check ready --url={url}",
    ];
    compare(promtool, &lines, &url, Path::new(".")).await;
}

/// Files of `--web.config.file`, and whether they can be used: what promtool says (3.5.3), but for
/// the last ones, where the verdict is our own.
const WEB_CONFIGS: [(&str, bool); 32] = [
    ("", true),
    ("tls_server_config: {}\n", true),
    ("tls_server_config:\n{pair}", true),
    ("tls_server_config:\n  cert_file: server.pem\n", false),
    ("tls_server_config:\n  key_file: server.key\n", false),
    ("tls_server_config:\n  cert_file: none.pem\n  key_file: server.key\n", false),
    ("tls_server_config:\n  cert_file: server.pem\n  key_file: renewed.key\n", false),
    ("tls_server_config:\n  cert_file: server.key\n  key_file: server.pem\n", false),
    ("tls_server_config:\n  client_auth_type: RequireAnyClientCert\n", false),
    ("tls_server_config:\n{pair}  client_auth_type: RequireAnyClientCert\n", true),
    ("tls_server_config:\n{pair}  client_auth_type: Anything\n", false),
    ("tls_server_config:\n{pair}  client_ca_file: authority.pem\n", false),
    (
        "tls_server_config:\n{pair}  client_ca_file: none.pem\n  client_auth_type: RequireAndVerifyClientCert\n",
        false,
    ),
    (
        "tls_server_config:\n{pair}  client_ca_file: authority.pem\n  client_auth_type: RequireAndVerifyClientCert\n  client_allowed_sans: [a]\n",
        true,
    ),
    ("tls_server_config:\n{pair}  min_version: TLS12\n  max_version: TLS13\n", true),
    ("tls_server_config:\n{pair}  min_version: TLS9\n", false),
    (
        "tls_server_config:\n{pair}  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]\n",
        true,
    ),
    ("tls_server_config:\n{pair}  cipher_suites: [TLS_NONE]\n", false),
    ("tls_server_config:\n{pair}  curve_preferences: [X25519, CurveP256, CurveP384]\n", true),
    ("tls_server_config:\n{pair}  curve_preferences: [CurveP1]\n", false),
    ("tls_server_config:\n{pair}  prefer_server_cipher_suites: false\n", true),
    (
        "http_server_config: {http2: false, headers: {X-Frame-Options: deny, X-XSS-Protection: a}}\n",
        true,
    ),
    ("http_server_config: {headers: {X-Frame-Options: allow}}\n", false),
    ("http_server_config: {headers: {Server: a}}\n", false),
    ("basic_auth_users: {u: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi}\n", true),
    ("basic_auth_users: {u: secret}\n", false),
    ("anything: 1\n", false),
    ("rate_limit: {interval: 1s, burst: 2}\n", true),
    ("rate_limit: {interval: 1s}\n", false),
    ("tls_server_config:\n{pair}  min_version: TLS10\n", false),
    ("tls_server_config:\n{pair}  curve_preferences: [CurveP521]\n", false),
    ("tls_server_config:\n{pair}  client_auth_type: RequireAndVerifyClientCert\n", false),
];
/// How many of them promtool judges alike.
const JUDGED_ALIKE: usize = 27;

#[tokio::test]
async fn web_configs() {
    let directory = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(testdata("tls")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, directory.path().join(path.file_name().unwrap())).unwrap();
    }
    let promtool = peer("promtool");
    for (index, (text, is_good)) in WEB_CONFIGS.into_iter().enumerate() {
        let text = text.replace("{pair}", "  cert_file: server.pem\n  key_file: server.key\n");
        fs::write(directory.path().join("web.yml"), &text).unwrap();
        let check = "check web-config web.yml";
        let (code, stdout, stderr) = run(ours(), check, "", directory.path()).await;
        assert_eq!((code, stdout.as_str()), (Some(i32::from(!is_good)), ""), "{text}: {stderr}");
        let begins = if is_good { "web.yml SUCCESS\n" } else { "web.yml FAILED: " };
        assert!(stderr.starts_with(begins), "{text}: {stderr}");
        println!("{stderr}");
        if let Some(promtool) = promtool.clone().filter(|_| index < JUDGED_ALIKE) {
            let (theirs, _, why) = run(promtool, check, "", directory.path()).await;
            assert_eq!(code, theirs, "{text}: {why}");
        }
    }
}

#[tokio::test]
async fn bearer_tokens_need_a_file_with_tokens() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("web.yml"), "bearer_tokens_file: tokens\n").unwrap();
    for (tokens, code) in
        [(None, 1), (Some(""), 1), (Some("short\n"), 1), (Some("0123456789abcdef"), 0)]
    {
        if let Some(tokens) = tokens {
            fs::write(directory.path().join("tokens"), tokens).unwrap();
        }
        let said = run(ours(), "check web-config web.yml", "", directory.path()).await;
        assert_eq!(said.0, Some(code), "{said:?}");
    }
}

#[tokio::test]
async fn the_client_file_of_prometheus_is_read() {
    let Some(file) = shared("prometheus-testdata/examples/promtool-http-config-file.yml") else {
        return;
    };
    let line =
        format!("check healthy --url=http://127.0.0.1:1 --http.config.file={}", file.display());
    let (code, _, stderr) = run(ours(), &line, "", Path::new(".")).await;
    assert_eq!(code, Some(1));
    // Which is read, and names files that are not there.
    assert!(stderr.contains("unable to read client certificate"), "{stderr}");
}

/// Pages that promtool judges alike, beside those of `testdata/lint`.
const PAGES: [&[u8]; 45] = [
    b"",
    b"\n\n",
    b"# EOF\n",
    b"# EOF",
    b"#\n# \n#HELP\n# HELP\n# HELP a\n# TYPE a\n",
    b"a 1",
    b"a 1\n",
    b"a 1\na 2\na 3\n",
    b"a 1 2\n",
    b"a 1 2 3\n",
    b"a 1 x\n",
    b"a x\n",
    b"a\n",
    b"a 0x1p2\n",
    b"a 1_0\n",
    b"a NaN\na{b=\"1\"} +Inf\na{b=\"2\"} -inf\n",
    b"a 1e999\n",
    b"1a 3\n",
    b"\xff 1\n",
    b"a{\n",
    b"a{} 1\n",
    b"a{b} 1\n",
    b"a{b=c} 1\n",
    b"a{b=\"c} 1\n",
    b"a{b=\"\xff\"} 1\n",
    b"a{b=\"\\q\"} 1\n",
    b"a{b=\"\\\\\\n\\\"\"} 1\n",
    b"a{b=\"1\",b=\"2\"} 1\n",
    b"a{b=\"1\"c=\"2\"} 1\n",
    b"a{b=\"1\",} 1\n",
    b"a{ b = \"1\" , c = \"2\" } 1\n",
    b"a{__name__=\"1\"} 1\n",
    b"# HELP a b\n# HELP a b\na 1\n",
    b"# HELP a \\q\na 1\n",
    b"# HELP a \\\\ \\n \\\" \"\na 1\n",
    b"a 1\n# HELP a b\n",
    b"# TYPE a foo\na 1\n",
    b"# TYPE a COUNTER\na 1\nb 1\na 2\n",
    b"# TYPE a counter\n# TYPE a counter\na 1\n",
    b"a 1\n# TYPE a counter\n",
    b"# HELP a-b c\n",
    b"# TYPE h histogram\nh_bucket{le=\"x\"} 1\n",
    b"# TYPE h histogram\nh_bucket{} 1\nh_sum 1\nh_count 1\nh 1\n",
    b"# TYPE s summary\ns{quantile=\"x\"} 1\n",
    b"# HELP s x\n# TYPE s summary\ns{quantile=\"0.5\",a=\"b\"} 1\ns_sum{a=\"b\"} 1\ns_count{a=\"c\"} 1\n",
];

fn check_metrics(program: &Path, page: &[u8]) -> Said {
    use std::io::Write;
    let mut process = Command::new(program)
        .args(["check", "metrics", "--extended"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Who has seen enough does not read the rest.
    let _ = process.stdin.take().unwrap().write_all(page);
    let output = process.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn metrics() {
    let Some(promtool) = peer("promtool") else { return };
    let mut pages: Vec<Vec<u8>> = PAGES.iter().map(|page| page.to_vec()).collect();
    for name in ["names", "series", "types"] {
        pages.push(fs::read(testdata("lint").join(format!("{name}.txt"))).unwrap());
    }
    let (mut differences, mut tables) = (Vec::new(), 0);
    for page in pages {
        let own = check_metrics(&ours(), &page);
        let mut theirs = check_metrics(&promtool, &page);
        // 3.5.3 shows no table beside problems, later ones do.
        if theirs.0 == Some(3) {
            theirs.1.clone_from(&own.1);
        }
        tables += usize::from(!theirs.1.is_empty());
        if own != theirs {
            let page = String::from_utf8_lossy(&page).into_owned();
            differences.push(format!("{page}\n  promtool {theirs:?}\n  ours     {own:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(tables > 5, "{tables}");
}
