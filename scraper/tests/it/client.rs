//! What a client does beside sending a request: tokens, proxies, headers, compression.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::header::HeaderMap;
use scraper::fetch::{Fetcher, HttpClient, Page};
use scraper::job::{
    Authorization, ClientOptions, Job, OAuth2, Proxy, ProxyServer, Secret, TlsOptions,
};

use crate::jobs::job;
use crate::server::{Answer, Server};

/// A server that answers each request with what `answer` makes of its head and body, then closes.
struct Peer {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    fn start(answer: impl Fn(&str, usize) -> String + Send + 'static) -> Self {
        let _done = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::<String>::new()));
        let seen = requests.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let mut socket = socket.unwrap();
                let Some(request) = read(&socket) else { continue };
                let count = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(request.clone());
                    seen.len()
                };
                let _gone = socket.write_all(answer(&request, count).as_bytes());
            }
        });
        Self { port, requests }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Head and body of a request.
fn read(socket: &std::net::TcpStream) -> Option<String> {
    let mut reader = BufReader::new(socket);
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        if reader.read_line(&mut request).ok()? == 0 {
            return None;
        }
    }
    let length = request.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(request + &String::from_utf8_lossy(&body))
}

fn response(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
}

fn fetcher(client: ClientOptions) -> Fetcher {
    Fetcher::new(&Job { client, ..job() })
}

async fn get(fetcher: &Fetcher, url: &str) -> Result<String, String> {
    let mut page = Page::default();
    let fetched = fetcher.fetch(url, Duration::from_secs(10), &mut page).await;
    fetched.map_err(|error| error.to_string())?;
    Ok(String::from_utf8(page.body).unwrap())
}

fn oauth2(url: String, secret: Secret) -> ClientOptions {
    let oauth2 = OAuth2 {
        client_id: "me/1".into(),
        client_secret: secret,
        scopes: vec!["a".into(), "b".into()],
        token_url: url,
        params: BTreeMap::from([("audience".into(), "vllm&co".into())]),
        tls: TlsOptions::default(),
        proxy: Proxy::default(),
    };
    let authorization = Some(Authorization::OAuth2(Box::new(oauth2)));
    ClientOptions { authorization, ..ClientOptions::default() }
}

/// The last `authorization` that a target saw.
fn authorization(target: &Server) -> String {
    let requests = target.requests();
    let last = requests.last().unwrap().to_lowercase();
    last.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap().to_owned()
}

#[tokio::test]
async fn a_token_is_kept_until_it_expires() {
    let tokens = Peer::start(|_, count| {
        // The first one is as good as expired.
        let seconds = if count == 1 { 5 } else { 3600 };
        let token = format!("{{\"access_token\":\"t{count}\",\"expires_in\":{seconds}}}");
        response("200 OK", &token)
    });
    let target = Server::start(Answer::text("a 1\n")).await;
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "s 1\n").unwrap();
    let fetcher = fetcher(oauth2(tokens.url() + "/token", Secret::File(secret.path().into())));
    let url = format!("http://{}/metrics", target.address);
    for expected in ["bearer t1", "bearer t2", "bearer t2"] {
        get(&fetcher, &url).await.unwrap();
        assert_eq!(authorization(&target), expected);
    }
    std::fs::write(secret.path(), "other").unwrap();
    get(&fetcher, &url).await.unwrap();
    assert_eq!(authorization(&target), "bearer t3");
    let requests = tokens.requests();
    assert_eq!(requests.len(), 3);
    // me%2F1:s+1
    assert!(requests[0].to_lowercase().contains("authorization: basic bwulmkyxonmrmq=="));
    let form = "\r\n\r\ngrant_type=client_credentials&scope=a+b&audience=vllm%26co";
    assert!(requests[0].ends_with(form), "{}", requests[0]);
}

#[tokio::test]
async fn a_server_that_wants_the_form() {
    let tokens = Peer::start(|request, _| match request.contains("client_secret=") {
        true => response("200 OK", "{\"access_token\":\"t\",\"token_type\":\"bearer\"}"),
        false => response("401 Unauthorized", "{\"error\":\"invalid_client\"}"),
    });
    let target = Server::start(Answer::text("a 1\n")).await;
    let fetcher = fetcher(oauth2(tokens.url(), Secret::Inline("s".into())));
    get(&fetcher, &format!("http://{}/metrics", target.address)).await.unwrap();
    assert_eq!(authorization(&target), "bearer t");
    assert!(tokens.requests()[1].ends_with("&client_id=me%2F1&client_secret=s"));
}

#[tokio::test]
async fn no_token() {
    let refusing =
        Peer::start(|_, _| response("401 Unauthorized", "{\"error\":\"invalid_client\"}"));
    let empty = Peer::start(|_, _| response("200 OK", "{}"));
    let huge = Peer::start(|_, _| response("200 OK", &"x".repeat(2 << 20)));
    let target = Server::start(Answer::text("a 1\n")).await;
    let url = format!("http://{}/metrics", target.address);
    let rows = [
        (refusing.url(), "oauth2: \"invalid_client\""),
        (empty.url(), "oauth2: server response missing access_token"),
        (huge.url(), "oauth2: cannot fetch token: the answer is too large"),
        ("http://127.0.0.1:1".to_owned(), "Post \"http://127.0.0.1:1\": dial tcp"),
    ];
    for (token_url, expected) in rows {
        let fetcher = fetcher(oauth2(token_url, Secret::Inline("s".into())));
        let error = get(&fetcher, &url).await.unwrap_err();
        assert!(error.starts_with(&format!("Get \"{url}\": {expected}")), "{error}");
    }
    assert_eq!(target.requests().len(), 0);
}

fn proxied(url: String, no_proxy: &str) -> ClientOptions {
    let server = ProxyServer::Url { url, no_proxy: no_proxy.into() };
    let connect_headers = BTreeMap::from([("X-Who".into(), vec![Secret::Inline("us".into())])]);
    ClientOptions { proxy: Proxy { server, connect_headers }, ..ClientOptions::default() }
}

#[tokio::test]
async fn through_a_proxy() {
    let proxy = Peer::start(|_, _| response("200 OK", "a 1\n"));
    let url = format!("http://me:p%40ss@127.0.0.1:{}", proxy.port);
    let fetcher = fetcher(proxied(url, ""));
    assert_eq!(get(&fetcher, "http://vllm.test:8000/metrics").await.unwrap(), "a 1\n");
    let error = get(&fetcher, "https://vllm.test:8443/metrics").await.unwrap_err();
    assert!(error.starts_with("Get \"https://vllm.test:8443/metrics\": "), "{error}");
    let requests: Vec<String> = proxy.requests().iter().map(|text| text.to_lowercase()).collect();
    let [plain, tunnel] = &requests[..] else { panic!("{requests:?}") };
    assert!(plain.starts_with("get http://vllm.test:8000/metrics http/1.1\r\n"), "{plain}");
    assert!(tunnel.starts_with("connect vllm.test:8443 http/1.1\r\n"), "{tunnel}");
    for request in [plain, tunnel] {
        // me:p@ss
        assert!(request.contains("proxy-authorization: basic bwu6cebzcw==\r\n"), "{request}");
    }
    // What is for the proxy is not told to the target.
    assert!(tunnel.contains("x-who: us\r\n") && !plain.contains("x-who"), "{plain}{tunnel}");
}

#[tokio::test]
async fn past_a_proxy() {
    let proxy = Peer::start(|_, _| response("500 No", ""));
    let target = Server::start(Answer::text("a 1\n")).await;
    let url = format!("http://{}/metrics", target.address);
    let fetcher = fetcher(proxied(proxy.url(), "10.0.0.0/8"));
    assert_eq!(get(&fetcher, &url).await.unwrap(), "a 1\n");
    assert_eq!(proxy.requests().len(), 0);
}

#[tokio::test]
async fn a_server_name_and_a_proxy() {
    let proxy = Peer::start(|_, _| response("500 No", ""));
    let tls = TlsOptions { server_name: Some("vllm.internal".into()), ..TlsOptions::default() };
    let fetcher = fetcher(ClientOptions { tls, ..proxied(proxy.url(), "") });
    let error = get(&fetcher, "https://vllm.test/metrics").await.unwrap_err();
    assert!(error.ends_with("server_name cannot be used through a proxy"), "{error}");
}

#[tokio::test]
async fn more_headers() {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "first\n").unwrap();
    let values = vec![Secret::Inline("one".into()), Secret::File(token.path().into())];
    let headers = BTreeMap::from([
        ("X-Scope-OrgID".to_owned(), values),
        ("accept".to_owned(), vec![Secret::Inline("image/png".into())]),
    ]);
    let client = ClientOptions { headers, ..ClientOptions::default() };
    let target = Server::start(Answer::text("a 1\n")).await;
    let job = Job { client: client.clone(), compression: false, ..job() };
    let fetcher = Fetcher::new(&job);
    let url = format!("http://{}/metrics", target.address);
    get(&fetcher, &url).await.unwrap();
    std::fs::write(token.path(), "second\n").unwrap();
    get(&fetcher, &url).await.unwrap();
    let requests: Vec<String> = target.requests().iter().map(|text| text.to_lowercase()).collect();
    let lines = ["x-scope-orgid: one", "accept: image/png", "accept-encoding: identity"];
    for line in lines {
        assert!(requests[0].lines().any(|own| own == line), "{line} in {}", requests[0]);
    }
    assert!(requests[0].contains("accept: application/openmetrics-text"), "{}", requests[0]);
    assert!(requests[0].contains("x-scope-orgid: first\r\n"), "{}", requests[0]);
    assert!(requests[1].contains("x-scope-orgid: second\r\n"), "{}", requests[1]);

    std::fs::remove_file(token.path()).unwrap();
    let error = get(&fetcher, &url).await.unwrap_err();
    assert!(error.contains("unable to read headers file: unable to read file "), "{error}");
    let client = HttpClient::new(&client, Duration::from_secs(1));
    assert!(client.get(&url, HeaderMap::new()).await.is_err());
}
